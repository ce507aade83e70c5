import type { Millis, NewEvent } from '../event.js';
import type { JsonObject } from '../json.js';
import type { LabelSelector } from '../pod/pod-spec.js';
import type { WorkloadCondition } from '../workload/conditions.js';
import type { PodTemplate } from '../workload/pod-template.js';

/** Kubernetes' JobSpec, defaulted. */
export interface JobSpec extends JsonObject {
  /** Pods at a time. */
  readonly parallelism: number;
  /** Successes that make the job complete; absent: any one does, once the other pods have ended. */
  readonly completions?: number;
  readonly completionMode: 'NonIndexed' | 'Indexed';
  /** Failed pods, and restarts under OnFailure, that are put up with. */
  readonly backoffLimit: number;
  /** The same for each index alone. */
  readonly backoffLimitPerIndex?: number;
  readonly maxFailedIndexes?: number;
  /** Seconds from the start, or the newest resumption, after which the job fails. */
  readonly activeDeadlineSeconds?: number;
  /** Seconds after which a finished job is deleted. */
  readonly ttlSecondsAfterFinished?: number;
  readonly suspend: boolean;
  readonly selector: LabelSelector & JsonObject;
  readonly manualSelector?: boolean;
  readonly template: PodTemplate;
  readonly podFailurePolicy?: PodFailurePolicy;
  readonly successPolicy?: SuccessPolicy;
  readonly podReplacementPolicy: 'TerminatingOrFailed' | 'Failed';
}

/** What a failed pod means for its job: the first rule that matches decides. */
export interface PodFailurePolicy extends JsonObject {
  readonly rules: readonly PodFailurePolicyRule[];
}

export type PodFailureAction = 'FailJob' | 'FailIndex' | 'Ignore' | 'Count';

/** Either of the two patterns. */
export interface PodFailurePolicyRule extends JsonObject {
  readonly action: PodFailureAction;
  readonly onExitCodes?: {
    readonly containerName?: string;
    readonly operator: 'In' | 'NotIn';
    readonly values: readonly number[];
  };
  readonly onPodConditions?: readonly { readonly type: string; readonly status: 'True' | 'False' | 'Unknown' }[];
}

/** When an indexed job has succeeded though not every index has: the first rule that is met decides. */
export interface SuccessPolicy extends JsonObject {
  readonly rules: readonly { readonly succeededIndexes?: string; readonly succeededCount?: number }[];
}

/** Kubernetes' JobStatus: counts of zero that Kubernetes leaves out are absent. */
export interface JobStatus extends JsonObject {
  readonly active?: number;
  readonly ready: number;
  readonly terminating: number;
  readonly succeeded?: number;
  readonly failed?: number;
  /** `0-3,7` */
  readonly completedIndexes?: string;
  readonly failedIndexes?: string;
  /** RFC 3339, like the other times of a status. */
  readonly startTime?: string;
  readonly completionTime?: string;
  readonly conditions?: readonly WorkloadCondition[];
  /** Always empty: what is counted is recorded with what it is counted as. Clients look for the field. */
  readonly uncountedTerminatedPods: JsonObject;
}

/** A pod whose end is still to be counted. */
export interface TrackedPod extends JsonObject {
  readonly name: string;
  readonly index?: number;
}

/** How often an index has failed. */
export interface IndexFailures extends JsonObject {
  /** Against `backoffLimitPerIndex`. */
  readonly counted: number;
  /** Ignored ones included: these lengthen the back-off. */
  readonly all: number;
  readonly lastAt: Millis;
}

/** What a job has recorded of its pods besides its status: it decides which ends still count, and when to try again. */
export interface JobLedger extends JsonObject {
  /** By uid: every pod that was made or adopted and is not counted yet, also when it is gone by now. */
  readonly tracked: Readonly<Record<string, TrackedPod>>;
  /** Failures since the last success, and when the last one was. */
  readonly backOff: { readonly failures: number; readonly lastAt: Millis };
  /** Of indexed jobs with a limit per index. */
  readonly indexFailures: Readonly<Record<string, IndexFailures>>;
}

/** A pod's end, counted once. */
export interface CountedPod extends JsonObject {
  readonly uid: string;
  readonly name: string;
  readonly as: 'Succeeded' | 'Failed' | 'Ignored';
  readonly index?: number;
  /** When it ended, or was told to. */
  readonly at: Millis;
  /** A rule of the failure policy gave up its index. */
  readonly failsIndex?: true;
}

/** Why a job is over; the reasons are Kubernetes'. */
export interface JobVerdict extends JsonObject {
  readonly outcome: 'Complete' | 'Failed';
  readonly reason:
    | 'CompletionsReached'
    | 'SuccessPolicy'
    | 'BackoffLimitExceeded'
    | 'DeadlineExceeded'
    | 'PodFailurePolicy'
    | 'MaxFailedIndexesExceeded'
    | 'FailedIndexes';
  readonly message: string;
}

/** What happens to a job besides what happens to every workload. Recorded as `Job<Type>`. */
export type JobFact =
  | NewEvent<'Started', Record<string, never>>
  | NewEvent<'Suspended', Record<string, never>>
  | NewEvent<'Resumed', Record<string, never>>
  | NewEvent<'PodsTracked', { readonly pods: readonly (TrackedPod & { readonly uid: string })[] }>
  /** `released`: no longer the job's to count: told to go by the job itself, or no longer selected. */
  | NewEvent<'PodsCounted', { readonly pods: readonly CountedPod[]; readonly released?: readonly string[] }>
  /** Nothing more is started; the pods that are left are told to go. */
  | NewEvent<'Decided', JobVerdict>
  /** No pod is left that has not ended. */
  | NewEvent<'Finished', JobVerdict>;

/** A new job's status. */
export const NEW_JOB_STATUS: JobStatus = { ready: 0, terminating: 0, uncountedTerminatedPods: {} };

export const NEW_JOB_LEDGER: JobLedger = { tracked: {}, backOff: { failures: 0, lastAt: 0 }, indexFailures: {} };
