import type { EventEnvelope } from '../event.js';
import { rfc3339 } from '../time.js';
import { type NewCondition, withCondition } from '../workload/conditions.js';
import {
  countIndexes,
  formatIndexes,
  indexesBelow,
  indexesOf,
  parseIndexes,
  uniteIndexes,
  type Indexes,
} from './indexes.js';
import type { CountedPod, JobFact, JobLedger, JobSpec, JobStatus, JobVerdict } from './job.js';

interface Kept {
  readonly spec: JobSpec;
  readonly status: JobStatus;
  readonly ledger: JobLedger;
}

/** A job's status and ledger after one of the facts that only jobs have. */
export function evolveJob(job: Kept, fact: JobFact, { time }: Pick<EventEnvelope, 'time'>): Omit<Kept, 'spec'> {
  const { status, ledger } = job;
  const turn = (...conditions: readonly NewCondition[]): JobStatus => ({
    ...status,
    conditions: conditions.reduce((all, next) => withCondition(all, next, time), status.conditions ?? []),
  });
  switch (fact.type) {
    case 'Started':
      return { ledger, status: { ...status, startTime: rfc3339(time) } };
    case 'Suspended':
      return {
        ledger,
        status: turn({ type: 'Suspended', status: 'True', reason: 'JobSuspended', message: 'Job suspended' }),
      };
    case 'Resumed': {
      const resumed = turn({ type: 'Suspended', status: 'False', reason: 'JobResumed', message: 'Job resumed' });
      // The deadline is about being active without a break.
      return { ledger, status: { ...resumed, startTime: rfc3339(time) } };
    }
    case 'PodsTracked': {
      const more = fact.data.pods.map(({ uid, ...pod }) => [uid, pod] as const);
      return { status, ledger: { ...ledger, tracked: { ...ledger.tracked, ...Object.fromEntries(more) } } };
    }
    case 'PodsCounted':
      return count(job, fact.data);
    case 'Decided':
      return { ledger, status: turn(conditionOfVerdict(fact.data, DECIDED[fact.data.outcome])) };
    case 'Finished': {
      const finished = turn(conditionOfVerdict(fact.data, fact.data.outcome));
      const { outcome } = fact.data;
      return { ledger, status: { ...finished, ...(outcome === 'Complete' && { completionTime: rfc3339(time) }) } };
    }
  }
}

/** The condition that tells what a job is going to be, before no pod is left. */
export const DECIDED = { Complete: 'SuccessCriteriaMet', Failed: 'FailureTarget' } as const;

const conditionOfVerdict = ({ reason, message }: JobVerdict, type: string): NewCondition => ({
  type,
  status: 'True',
  reason,
  message,
});

function count(
  { spec, status, ledger }: Kept,
  { pods, released = [] }: Extract<JobFact, { type: 'PodsCounted' }>['data'],
): Omit<Kept, 'spec'> {
  const done = new Set([...pods.map(({ uid }) => uid), ...released]);
  const tracked = Object.fromEntries(Object.entries(ledger.tracked).filter(([uid]) => !done.has(uid)));
  const failed = pods.filter((pod) => pod.as === 'Failed').length;
  const after = {
    ledger: { ...ledger, tracked, backOff: backOffAfter(ledger.backOff, pods) },
    status: { ...status, ...(failed > 0 && { failed: (status.failed ?? 0) + failed }) },
  };
  return spec.completionMode === 'Indexed' ? countIndexed(spec, after, pods) : countPlain(after, pods);
}

function countPlain({ status, ledger }: Omit<Kept, 'spec'>, pods: readonly CountedPod[]): Omit<Kept, 'spec'> {
  const succeeded = pods.filter((pod) => pod.as === 'Succeeded').length;
  return { ledger, status: { ...status, ...(succeeded > 0 && { succeeded: (status.succeeded ?? 0) + succeeded }) } };
}

/** An index that succeeded twice has succeeded once; one that is out of range by now does not count. */
function countIndexed(
  spec: JobSpec,
  { status, ledger }: Omit<Kept, 'spec'>,
  pods: readonly CountedPod[],
): Omit<Kept, 'spec'> {
  const succeeded = pods.flatMap(({ as, index }) => (as === 'Succeeded' && index !== undefined ? [index] : []));
  const completed = uniteIndexes(
    completedIndexesOf(status, spec),
    indexesBelow(indexesOf(succeeded), spec.completions ?? 0),
  );
  const { indexFailures, failedIndexes } = countFailures(spec, status, ledger, pods);
  return {
    ledger: { ...ledger, indexFailures },
    status: {
      ...status,
      ...(completed.length > 0 && { completedIndexes: formatIndexes(completed), succeeded: countIndexes(completed) }),
      ...(failedIndexes !== undefined && { failedIndexes }),
    },
  };
}

/** Indexes that have succeeded, of those that the job has now. */
export const completedIndexesOf = (
  { completedIndexes = '' }: Pick<JobStatus, 'completedIndexes'>,
  { completions = 0 }: Pick<JobSpec, 'completions'>,
): Indexes => indexesBelow(parseIndexes(completedIndexes) ?? [], completions);

function countFailures(
  { backoffLimitPerIndex: limit }: JobSpec,
  status: JobStatus,
  ledger: JobLedger,
  pods: readonly CountedPod[],
): { readonly indexFailures: JobLedger['indexFailures']; readonly failedIndexes?: string } {
  if (limit === undefined) return { indexFailures: ledger.indexFailures };
  const indexFailures = { ...ledger.indexFailures };
  const given = new Set<number>();
  for (const { as, index, at, failsIndex } of pods) {
    if (as === 'Succeeded' || index === undefined) continue;
    const { counted = 0, all = 0, lastAt = 0 } = indexFailures[index] ?? {};
    const failures = { counted: counted + (as === 'Failed' ? 1 : 0), all: all + 1, lastAt: Math.max(lastAt, at) };
    indexFailures[index] = failures;
    if (failsIndex || failures.counted > limit) given.add(index);
  }
  const failed = uniteIndexes(parseIndexes(status.failedIndexes ?? '') ?? [], indexesOf(given));
  return { indexFailures, failedIndexes: formatIndexes(failed) };
}

/** Failures since the last success, by the times at which pods ended; ignored ones delay the next try too. */
function backOffAfter(before: JobLedger['backOff'], pods: readonly CountedPod[]): JobLedger['backOff'] {
  return [...pods]
    .sort((a, b) => a.at - b.at)
    .reduce(
      ({ failures, lastAt }, { as, at }) =>
        as === 'Succeeded' ? { failures: 0, lastAt } : { failures: failures + 1, lastAt: Math.max(lastAt, at) },
      before,
    );
}
