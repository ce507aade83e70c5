import type { Millis } from '../event.js';
import { jobDefaults } from '../job/defaults.js';
import { recordedVerdict } from '../job/verdict.js';
import type { JsonObject } from '../json.js';
import { parseRfc3339, rfc3339 } from '../time.js';
import { isControlledBy } from '../workload/rules.js';
import type { CronJobState, JobState } from '../workload/workload.js';
import type { CronJobFact, CronJobStatus, JobReference, ReadSchedule, Skip } from './cron-job.js';
import { dueBy } from './due.js';

/** Annotation of a job that a cron job made: when it was due, RFC 3339. */
export const SCHEDULED_AT = 'batch.kubernetes.io/cronjob-scheduled-timestamp';

/** A job to make. */
export interface DueJob {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: JsonObject;
}

/** What it takes to make a cron job true. All of it is one command. */
export interface CronJobPlan {
  readonly create?: DueJob;
  /** Jobs to delete: replaced ones, and those beyond the limits of the history. */
  readonly remove: readonly JobState[];
  readonly facts: readonly CronJobFact[];
  readonly status: CronJobStatus;
  /** When to look again though nothing changes. */
  readonly again?: Millis;
}

/**
 * Decides whether a cron job's time has come, and what that means beside the jobs it has. Pure: `jobs` are those of its
 * namespace (at least its own), `read` knows calendars. Source: kube-controller-manager, `syncCronJob`.
 */
export function reconcileCronJob(
  cronJob: CronJobState,
  { jobs, now, read }: { readonly jobs: readonly JobState[]; readonly now: Millis; readonly read: ReadSchedule },
): CronJobPlan {
  const own = jobs.filter((job) => isControlledBy(job, cronJob));
  const status = statusOf(cronJob, own);
  const idle = { remove: beyondHistory(cronJob, own), facts: [], status };
  if (cronJob.meta.deletion) return { ...idle, remove: [] };
  if (cronJob.spec.suspend) return idle;
  const parsed = read(cronJob.spec.schedule, cronJob.spec.timeZone);
  if (!('schedule' in parsed)) {
    const reason = parsed.of === 'schedule' ? 'UnparseableSchedule' : 'UnknownTimeZone';
    return { ...idle, facts: tellSkip(cronJob, { reason, message: parsed.problem }) };
  }
  const since = parseRfc3339(cronJob.status.lastScheduleTime ?? '') ?? cronJob.meta.createdAt;
  const { startingDeadlineSeconds: deadline } = cronJob.spec;
  const earliest = deadline === undefined ? since : Math.max(since, now - deadline * 1000);
  const due = dueBy(parsed.schedule, earliest, now);
  const again = due?.next === undefined ? {} : { again: due.next };
  if (due?.at === undefined) {
    const late = earliest > since ? dueBy(parsed.schedule, since, now)?.at : undefined;
    if (late === undefined) return { ...idle, ...again };
    const message = `Missed scheduled time to start a job: ${rfc3339(late)}`;
    return { ...idle, ...again, facts: tellSkip(cronJob, { reason: 'MissSchedule', message, scheduledAt: late }) };
  }
  const { at } = due;
  const create = dueJob(cronJob, at);
  if (own.some(({ meta }) => meta.name === create.name)) return { ...idle, ...again };
  const running = own.filter(isRunning);
  if (cronJob.spec.concurrencyPolicy === 'Forbid' && running.length > 0) {
    const message = 'Not starting job because prior execution is running and concurrency policy is Forbid';
    return { ...idle, ...again, facts: tellSkip(cronJob, { reason: 'JobAlreadyActive', message, scheduledAt: at }) };
  }
  const replaced = cronJob.spec.concurrencyPolicy === 'Replace' ? running.filter(({ meta }) => !meta.deletion) : [];
  const message = 'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew';
  return {
    ...again,
    create,
    remove: [...replaced, ...idle.remove],
    facts: due.tooMany ? tellSkip(cronJob, { reason: 'TooManyMissedTimes', message, scheduledAt: at }) : [],
    status: { ...withoutActive(status, replaced), lastScheduleTime: rfc3339(at) },
  };
}

/** A skip is told when it is another than the one told last. */
function tellSkip({ ledger: { skip } }: CronJobState, next: Skip): readonly CronJobFact[] {
  const same = skip?.reason === next.reason && skip.message === next.message && skip.scheduledAt === next.scheduledAt;
  return same ? [] : [{ type: 'Skipped', data: next }];
}

const finishedAt = (job: JobState): Millis | undefined => recordedVerdict(job)?.finishedAt;

/** A job that this cron job made by its schedule, and that is not over. Those that clients made from it are their own. */
const isRunning = (job: JobState): boolean =>
  job.meta.annotations[SCHEDULED_AT] !== undefined && finishedAt(job) === undefined;

function statusOf({ status }: CronJobState, own: readonly JobState[]): CronJobStatus {
  const { active: _, ...rest } = status;
  const active = own.filter(isRunning).map(referenceTo);
  const successes = own.flatMap((job) =>
    recordedVerdict(job)?.verdict.outcome === 'Complete' && job.status.completionTime !== undefined
      ? [parseRfc3339(job.status.completionTime) ?? 0]
      : [],
  );
  const newest = Math.max(parseRfc3339(status.lastSuccessfulTime ?? '') ?? 0, ...successes);
  return {
    ...rest,
    ...(active.length > 0 && { active }),
    ...(newest > 0 && { lastSuccessfulTime: rfc3339(newest) }),
  };
}

const referenceTo = ({ meta }: JobState): JobReference => ({
  kind: 'Job',
  apiVersion: 'batch/v1',
  namespace: meta.namespace,
  name: meta.name,
  uid: meta.uid,
});

function withoutActive({ active = [], ...rest }: CronJobStatus, gone: readonly JobState[]): CronJobStatus {
  const uids = new Set(gone.map(({ meta }) => meta.uid));
  const left = active.filter(({ uid }) => !uids.has(uid));
  return { ...rest, ...(left.length > 0 && { active: left }) };
}

/** Finished jobs that are more than are to be kept, the oldest first. */
function beyondHistory({ spec }: CronJobState, own: readonly JobState[]): readonly JobState[] {
  const startedAt = ({ status, meta }: JobState): Millis => parseRfc3339(status.startTime ?? '') ?? meta.createdAt;
  const oldest = [...own]
    .filter(({ meta }) => !meta.deletion)
    .sort((a, b) => startedAt(a) - startedAt(b) || (a.meta.name < b.meta.name ? -1 : 1));
  const finished = (outcome: 'Complete' | 'Failed'): readonly JobState[] =>
    oldest.filter((job) => finishedAt(job) !== undefined && recordedVerdict(job)?.verdict.outcome === outcome);
  const beyond = (jobs: readonly JobState[], limit: number): readonly JobState[] =>
    jobs.slice(0, Math.max(0, jobs.length - limit));
  return [
    ...beyond(finished('Complete'), spec.successfulJobsHistoryLimit),
    ...beyond(finished('Failed'), spec.failedJobsHistoryLimit),
  ];
}

/** The job for a time: its name says which, in minutes, so that no time is served twice. */
function dueJob({ meta, spec }: CronJobState, at: Millis): DueJob {
  const { metadata, spec: jobSpec } = spec.jobTemplate;
  return {
    name: `${meta.name}-${Math.floor(at / 60_000)}`,
    labels: metadata?.labels ?? {},
    annotations: { ...metadata?.annotations, [SCHEDULED_AT]: rfc3339(at) },
    spec: jobDefaults(jobSpec),
  };
}
