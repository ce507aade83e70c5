import type { Millis, NewEvent } from '../event.js';
import type { JsonObject } from '../json.js';

/** Kubernetes' CronJobSpec, defaulted. */
export interface CronJobSpec extends JsonObject {
  readonly schedule: string;
  /** Of the time zone database; UTC when absent. */
  readonly timeZone?: string;
  /** Seconds after which a start that was missed is not made up for. */
  readonly startingDeadlineSeconds?: number;
  readonly concurrencyPolicy: 'Allow' | 'Forbid' | 'Replace';
  readonly suspend: boolean;
  readonly jobTemplate: {
    readonly metadata?: {
      readonly labels?: Readonly<Record<string, string>>;
      readonly annotations?: Readonly<Record<string, string>>;
    };
    readonly spec: JsonObject;
  };
  readonly successfulJobsHistoryLimit: number;
  readonly failedJobsHistoryLimit: number;
}

/** Kubernetes' ObjectReference of a running job. */
export interface JobReference extends JsonObject {
  readonly kind: 'Job';
  readonly apiVersion: 'batch/v1';
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** Kubernetes' CronJobStatus; times are RFC 3339. */
export interface CronJobStatus extends JsonObject {
  readonly active?: readonly JobReference[];
  readonly lastScheduleTime?: string;
  readonly lastSuccessfulTime?: string;
}

/** Why a job was not made at a time when it was due, in Kubernetes' words. */
export type SkipReason =
  | 'JobAlreadyActive'
  | 'MissSchedule'
  | 'TooManyMissedTimes'
  | 'UnparseableSchedule'
  | 'UnknownTimeZone'
  | 'InvalidSchedule';

export interface Skip extends JsonObject {
  readonly reason: SkipReason;
  readonly message: string;
  /** When the job was due; absent when no time can be told. */
  readonly scheduledAt?: Millis;
}

/** What happens to a cron job besides what happens to every workload. Recorded as `CronJob<Type>`. */
export type CronJobFact = NewEvent<'Skipped', Skip>;

/** What a cron job keeps besides its status: the newest skip, so that each is told once. */
export interface CronJobLedger extends JsonObject {
  readonly skip?: Skip;
}

/** When something is due. */
export interface CronSchedule {
  /** The first time strictly after another; `undefined` when there is none. */
  next(after: Millis): Millis | undefined;
}

/** A schedule as read from its text in a time zone, or what is wrong with it. */
export type ReadSchedule = (
  text: string,
  timeZone?: string,
) => { readonly schedule: CronSchedule } | { readonly problem: string; readonly of: 'schedule' | 'timeZone' };
