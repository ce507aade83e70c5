import { describe, expect, it } from '@jest/globals';
import {
  controllerReference,
  type CronJobPlan,
  type CronJobState,
  evolveWorkload,
  type JobState,
  type ReadSchedule,
  reconcileCronJob,
  rfc3339,
  SCHEDULED_AT,
} from '#domain';
import { aCronJob, aJob, afterFacts, type CronJobOptions } from '../../../../test/support/job-builders.js';
import { recorded } from '../../../../test/support/given.js';

const MINUTE = 60_000;
/** 2026-01-01T00:00:00Z, when the cron job was made. */
const START = 1_767_225_600_000;

const read: ReadSchedule = (text, timeZone) => {
  if (timeZone === 'Nowhere') return { problem: 'unknown time zone Nowhere', of: 'timeZone' };
  if (text !== '* * * * *') return { problem: 'expected exactly 5 fields', of: 'schedule' };
  return { schedule: { next: (after) => (Math.floor(after / MINUTE) + 1) * MINUTE } };
};
const made = (options: CronJobOptions = {}): CronJobState =>
  aCronJob('report', { ...options, meta: { createdAt: START, ...options.meta } });
const pass = (cronJob: CronJobState, minutes: number, jobs: readonly JobState[] = []): CronJobPlan =>
  reconcileCronJob(cronJob, { jobs, now: START + minutes * MINUTE, read });

const jobOf = (cronJob: CronJobState, minute: number, outcome?: 'Complete' | 'Failed', manual = false): JobState => {
  const at = START + minute * MINUTE;
  const job = aJob(`report-${at / MINUTE}`, {
    meta: {
      createdAt: at,
      ownerReferences: [controllerReference(cronJob)],
      annotations: manual ? {} : { [SCHEDULED_AT]: rfc3339(at) },
    },
  });
  const verdict = { reason: 'CompletionsReached', message: '' } as const;
  return outcome ? afterFacts(job, [{ type: 'Finished', data: { ...verdict, outcome } }], at) : job;
};
const names = (jobs: readonly JobState[]): string[] => jobs.map(({ meta }) => meta.name);
const nameAt = (minute: number): string => `report-${START / MINUTE + minute}`;
const reasons = ({ facts }: CronJobPlan): string[] => facts.map(({ data }) => data.reason);

describe('a cron job', () => {
  it('waits for its time', () => {
    expect(pass(made(), 0.5)).toEqual({ remove: [], facts: [], status: {}, again: START + MINUTE });
  });

  it('makes a job named by the minute it was due in, with its template and the time', () => {
    const template = {
      metadata: { labels: { app: 'report' }, annotations: { note: 'x' } },
      spec: aCronJob().spec.jobTemplate.spec,
    };
    const plan = pass(made({ spec: { jobTemplate: template } }), 1);
    expect(plan.create).toMatchObject({
      name: nameAt(1),
      labels: { app: 'report' },
      annotations: { note: 'x', [SCHEDULED_AT]: '2026-01-01T00:01:00Z' },
      spec: { completions: 1, parallelism: 1, backoffLimit: 6, suspend: false },
    });
    expect(plan.status.lastScheduleTime).toBe('2026-01-01T00:01:00Z');
    expect(plan.again).toBe(START + 2 * MINUTE);
  });

  it('serves no time twice', () => {
    const served = made({ status: { lastScheduleTime: rfc3339(START + MINUTE) } });
    expect(pass(served, 1.5).create).toBeUndefined();
    const cronJob = made();
    expect(pass(cronJob, 1.5, [jobOf(cronJob, 1)]).create).toBeUndefined();
  });

  it('makes one job for all the times it missed, the newest', () => {
    expect(pass(made(), 5.5).create?.name).toBe(nameAt(5));
  });

  it('says so when it missed more than a hundred, and goes on', () => {
    const plan = pass(made(), 300);
    expect(plan.create?.name).toBe(nameAt(300));
    expect(reasons(plan)).toEqual(['TooManyMissedTimes']);
  });

  it('makes up for no time that was missed for too long, and says so once', () => {
    const late = made({ spec: { startingDeadlineSeconds: 10 } });
    expect(pass(late, 1.1).create?.name).toBe(nameAt(1));
    const plan = pass(late, 1.5);
    expect(plan.create).toBeUndefined();
    expect(plan.facts).toMatchObject([{ data: { reason: 'MissSchedule', scheduledAt: START + MINUTE } }]);
    const [fact] = plan.facts;
    const told = { ...late, ledger: fact ? { skip: fact.data } : {} };
    expect(pass(told, 1.6).facts).toEqual([]);
    expect(pass(told, 300.1).create?.name).toBe(nameAt(300));
    expect(reasons(pass(told, 300.1))).toEqual([]);
  });

  it('makes none while it is suspended, and goes on from the newest time after that', () => {
    expect(pass(made({ spec: { suspend: true } }), 3)).toEqual({ remove: [], facts: [], status: {} });
  });

  it.each([
    [{ schedule: 'daily' }, 'UnparseableSchedule'],
    [{ timeZone: 'Nowhere' }, 'UnknownTimeZone'],
  ])('that cannot be read (%j) says so once', (spec, reason) => {
    const broken = made({ spec });
    const plan = pass(broken, 1);
    expect(reasons(plan)).toEqual([reason]);
    const event = { type: 'CronJobSkipped', data: plan.facts[0]?.data } as const;
    const [skipped] = recorded('batch/cronjobs/shop/report', [event], { revision: 5 });
    const after = skipped && event.data && evolveWorkload('CronJob', broken, { ...skipped, data: event.data });
    expect(after?.kind === 'CronJob' && pass(after, 2).facts).toEqual([]);
  });

  describe('whose last job still runs', () => {
    const withPolicy = (concurrencyPolicy: 'Allow' | 'Forbid' | 'Replace'): CronJobState =>
      made({ spec: { concurrencyPolicy }, status: { lastScheduleTime: rfc3339(START + MINUTE) } });

    it('makes another beside it when that is allowed', () => {
      const cronJob = withPolicy('Allow');
      const plan = pass(cronJob, 2, [jobOf(cronJob, 1)]);
      expect(plan.create?.name).toBe(nameAt(2));
      expect(plan.status.active).toMatchObject([{ kind: 'Job', apiVersion: 'batch/v1', name: nameAt(1) }]);
    });

    it('makes none when that is forbidden, and makes up for it when it is over', () => {
      const cronJob = withPolicy('Forbid');
      const plan = pass(cronJob, 2, [jobOf(cronJob, 1)]);
      expect(plan).toMatchObject({ facts: [{ data: { reason: 'JobAlreadyActive' } }], again: START + 3 * MINUTE });
      expect(plan.create).toBeUndefined();
      expect(pass(cronJob, 2.5, [jobOf(cronJob, 1, 'Complete')]).create?.name).toBe(nameAt(2));
    });

    it('is not held up by a job that a client made from it', () => {
      const cronJob = withPolicy('Forbid');
      expect(pass(cronJob, 2, [jobOf(cronJob, 1, undefined, true)]).create?.name).toBe(nameAt(2));
    });

    it('puts another in its place', () => {
      const cronJob = withPolicy('Replace');
      const plan = pass(cronJob, 2, [jobOf(cronJob, 1)]);
      expect(names(plan.remove)).toEqual([nameAt(1)]);
      expect(plan.create?.name).toBe(nameAt(2));
      expect(plan.status.active).toBeUndefined();
    });
  });

  it('keeps the newest of its finished jobs, of each outcome as many as asked for', () => {
    const cronJob = made({
      spec: { successfulJobsHistoryLimit: 1, failedJobsHistoryLimit: 0, suspend: true },
    });
    const jobs = [3, 1, 2].map((minute) => jobOf(cronJob, minute, 'Complete'));
    const plan = pass(cronJob, 9, [...jobs, jobOf(cronJob, 4, 'Failed'), jobOf(cronJob, 5)]);
    expect(names(plan.remove).sort()).toEqual([1, 2, 4].map(nameAt));
    expect(plan.status.lastSuccessfulTime).toBe('2026-01-01T00:03:00Z');
  });

  it('leaves other jobs of its namespace alone', () => {
    const other = made({ meta: { uid: 'other' } });
    const jobs = [1, 2, 3, 4, 5].map((minute) => jobOf(other, minute, 'Complete'));
    expect(pass(made(), 0.5, jobs)).toMatchObject({ remove: [], status: {} });
  });
});
