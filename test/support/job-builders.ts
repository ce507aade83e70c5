import {
  type CronJobSpec,
  type CronJobState,
  type JobFact,
  type JobSpec,
  type JobState,
  evolveJob,
  jobDefaults,
  NEW_JOB_LEDGER,
  NEW_JOB_STATUS,
  type ObjectMeta,
} from '#domain';
import { aPodSpec } from './builders.js';
import { metaOf } from './scheduling-builders.js';

export interface JobOptions extends Partial<Pick<JobState, 'status' | 'ledger'>> {
  readonly meta?: Partial<ObjectMeta>;
  readonly spec?: Partial<JobSpec>;
}

/** A job of pods labelled `job=<name>` that run once. */
export function aJob(name = 'sum', { meta, spec, ...more }: JobOptions = {}): JobState {
  const labels = { job: name };
  const given = {
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: aPodSpec({ restartPolicy: 'Never' }) },
    ...spec,
  };
  return {
    kind: 'Job',
    meta: metaOf(name, meta),
    spec: jobDefaults(given) as JobSpec,
    status: NEW_JOB_STATUS,
    ledger: NEW_JOB_LEDGER,
    ...more,
  };
}

/** The job after facts of its own, all of them at one time. */
export const afterFacts = (job: JobState, facts: readonly JobFact[], time = 0): JobState =>
  facts.reduce((state, fact) => ({ ...state, ...evolveJob(state, fact, { time }) }), job);

export interface CronJobOptions extends Partial<Pick<CronJobState, 'status' | 'ledger'>> {
  readonly meta?: Partial<ObjectMeta>;
  readonly spec?: Partial<CronJobSpec>;
}

/** A cron job that is due every minute. */
export function aCronJob(name = 'report', { meta, spec, ...more }: CronJobOptions = {}): CronJobState {
  return {
    kind: 'CronJob',
    meta: metaOf(name, meta),
    spec: {
      schedule: '* * * * *',
      concurrencyPolicy: 'Allow',
      suspend: false,
      jobTemplate: { spec: { template: { spec: aPodSpec({ restartPolicy: 'Never' }) } } },
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 1,
      ...spec,
    },
    status: {},
    ledger: {},
    ...more,
  };
}
