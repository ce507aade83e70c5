import type { Millis } from '../event.js';
import type { PodState } from '../pod/pod.js';
import { parseRfc3339 } from '../time.js';
import { conditionOf } from '../workload/conditions.js';
import type { JobState } from '../workload/workload.js';
import { isIndexed, type PodEnd } from './ends.js';
import { completedIndexesOf, DECIDED } from './evolve.js';
import { commonIndexes, countIndexes, parseIndexes } from './indexes.js';
import type { JobStatus, JobVerdict } from './job.js';

/** What a verdict rests on: the counts with all that is known by now, and the pods that go on. */
export interface Evidence {
  readonly status: JobStatus;
  /** Ends that are being counted. */
  readonly ends: readonly PodEnd[];
  /** Pods that have neither ended nor been told to. */
  readonly active: readonly PodState[];
  readonly now: Millis;
}

/** The verdict a job has recorded: `Decided` while pods are left, `Finished` after it. */
export function recordedVerdict({ status: { conditions } }: Pick<JobState, 'status'>):
  | {
      readonly verdict: JobVerdict;
      readonly finishedAt?: Millis;
    }
  | undefined {
  for (const outcome of ['Complete', 'Failed'] as const) {
    const finished = conditionOf(conditions, outcome);
    const decided = conditionOf(conditions, DECIDED[outcome]);
    const turned = [finished, decided].find((condition) => condition?.status === 'True');
    if (!turned) continue;
    const { reason = '', message = '', lastTransitionTime = '' } = turned;
    const finishedAt = turned === finished ? (parseRfc3339(lastTransitionTime) ?? 0) : undefined;
    return {
      verdict: { outcome, reason: reason as JobVerdict['reason'], message },
      ...(finishedAt !== undefined && { finishedAt }),
    };
  }
  return undefined;
}

/** Whether a job is over, and why; `undefined` while it goes on. Source: kube-controller-manager, `syncJob`. */
export function verdictOn(job: JobState, evidence: Evidence): JobVerdict | undefined {
  return (
    recordedVerdict(job)?.verdict ??
    failedByPolicy(evidence) ??
    indexedVerdict(job, evidence) ??
    plainVerdict(job, evidence)
  );
}

const failed = (reason: JobVerdict['reason'], message: string): JobVerdict => ({ outcome: 'Failed', reason, message });
const complete = (reason: JobVerdict['reason'], message: string): JobVerdict => ({
  outcome: 'Complete',
  reason,
  message,
});

function failedByPolicy({ ends }: Evidence): JobVerdict | undefined {
  const fatal = ends.find(({ matched }) => matched?.action === 'FailJob');
  return fatal?.matched && failed('PodFailurePolicy', fatal.matched.message);
}

function indexedVerdict(job: JobState, { status }: Evidence): JobVerdict | undefined {
  if (!isIndexed(job)) return undefined;
  const { completions = 0, maxFailedIndexes, successPolicy } = job.spec;
  const completed = completedIndexesOf(status, job.spec);
  const failures = countIndexes(parseIndexes(status.failedIndexes ?? '') ?? []);
  if (maxFailedIndexes !== undefined && failures > maxFailedIndexes) {
    return failed('MaxFailedIndexesExceeded', 'Job has exceeded the specified maximal number of failed indexes');
  }
  if (failures > 0 && failures + countIndexes(completed) >= completions) {
    return failed('FailedIndexes', 'Job has failed indexes');
  }
  for (const [at, { succeededIndexes, succeededCount }] of (successPolicy?.rules ?? []).entries()) {
    const asked = succeededIndexes === undefined ? undefined : (parseIndexes(succeededIndexes) ?? []);
    const met = countIndexes(asked ? commonIndexes(completed, asked) : completed);
    const needed = succeededCount ?? countIndexes(asked ?? []);
    if (met >= needed) return complete('SuccessPolicy', `Matched rules at index ${at}`);
  }
  return undefined;
}

function plainVerdict(job: JobState, { status, active, now }: Evidence): JobVerdict | undefined {
  const { backoffLimit, completions } = job.spec;
  const restarts = restartsOnFailure(job, active);
  const tooManyRestarts = restarts > 0 && restarts >= backoffLimit;
  if ((status.failed ?? 0) > backoffLimit || tooManyRestarts) {
    return failed('BackoffLimitExceeded', 'Job has reached the specified backoff limit');
  }
  const deadline = deadlineOf(job);
  if (deadline !== undefined && deadline <= now) {
    return failed('DeadlineExceeded', 'Job was active longer than specified deadline');
  }
  const succeeded = isIndexed(job) ? countIndexes(completedIndexesOf(status, job.spec)) : (status.succeeded ?? 0);
  const reached = completions === undefined ? succeeded > 0 && active.length === 0 : succeeded >= completions;
  return reached ? complete('CompletionsReached', 'Reached expected number of succeeded pods') : undefined;
}

/** When a job fails for being active too long; `undefined` without a limit, and while it has not started or is suspended. */
export function deadlineOf({ spec, status }: Pick<JobState, 'spec' | 'status'>): Millis | undefined {
  if (spec.activeDeadlineSeconds === undefined || spec.suspend || status.startTime === undefined) return undefined;
  return (parseRfc3339(status.startTime) ?? 0) + spec.activeDeadlineSeconds * 1000;
}

/**
 * Restarts of pods that go on, which under OnFailure count like failed pods. Of pods with shared fate those of the main
 * container and of init containers: helpers are restarted with it, or alone, and neither is a failure of the job.
 */
function restartsOnFailure({ spec }: JobState, pods: readonly PodState[]): number {
  if (spec.template.spec.restartPolicy !== 'OnFailure') return 0;
  return pods.reduce((sum, pod) => {
    const helpers = new Set(pod.sharedFate ? pod.spec.containers.map(({ name }) => name) : []);
    helpers.delete(pod.mainContainer);
    const counting = Object.values(pod.containers).filter(({ name }) => !helpers.has(name));
    return sum + counting.reduce((restarts, { attempt }) => restarts + attempt, 0);
  }, 0);
}
