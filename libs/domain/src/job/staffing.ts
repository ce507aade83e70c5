import type { Millis } from '../event.js';
import type { PodState } from '../pod/pod.js';
import { leastUseful } from '../replica-set/reconcile.js';
import type { JobState } from '../workload/workload.js';
import { nextTryAt } from './back-off.js';
import { completionIndexOf, isIndexed } from './ends.js';
import { completedIndexesOf } from './evolve.js';
import { countIndexes, freeIndexes, indexesOf, parseIndexes, uniteIndexes, type Indexes } from './indexes.js';

/** Pods made or told to go in one pass, which is one command; the next pass goes on. */
export const MAX_JOB_PODS_PER_PASS = 50;

/** A pod to make: with its completion index and how often that has failed, or neither. */
export interface Opening {
  readonly index?: number;
  readonly failures?: number;
}

/** Who works for a job from now on. Either pods are made or pods are told to go, never both in one pass. */
export interface Staffing {
  readonly open: readonly Opening[];
  readonly dismiss: readonly PodState[];
  /** When to look again though nothing changes. */
  readonly again?: Millis;
}

/** Compares the pods of a job that goes on with what it asks for. Source: kube-controller-manager, `manageJob`. */
export function staff(
  job: JobState,
  {
    active,
    terminating,
    now,
  }: {
    readonly active: readonly PodState[];
    readonly terminating: readonly PodState[];
    readonly now: Millis;
  },
): Staffing {
  const surplus = job.spec.suspend ? active : surplusOf(job, active);
  if (surplus.length > 0) {
    const more = surplus.length > MAX_JOB_PODS_PER_PASS;
    return { open: [], dismiss: surplus.slice(0, MAX_JOB_PODS_PER_PASS), ...(more && { again: now }) };
  }
  if (job.spec.suspend) return { open: [], dismiss: [] };
  // Of pods that are going, those count as places that are still taken that are only replaced once they have failed.
  const leaving = job.spec.podReplacementPolicy === 'Failed' ? terminating : [];
  const missing = wantedPods(job, active.length) - active.length - leaving.length;
  if (missing <= 0) return { open: [], dismiss: [] };
  const most = Math.min(missing, MAX_JOB_PODS_PER_PASS);
  const again = missing > most ? now : undefined;
  if (job.spec.backoffLimitPerIndex === undefined) {
    const at = nextTryAt(job.ledger.backOff);
    if (at > now) return { open: [], dismiss: [], again: at };
  }
  if (!isIndexed(job)) {
    return { open: Array.from({ length: most }, () => ({})), dismiss: [], ...(again !== undefined && { again }) };
  }
  return openIndexes(job, { taken: [...active, ...leaving], most, again, now });
}

/** How many pods are to work at a time. */
function wantedPods({ spec, status }: JobState, active: number): number {
  const { parallelism, completions } = spec;
  if (completions === undefined) return (status.succeeded ?? 0) > 0 ? active : parallelism;
  const succeeded =
    spec.completionMode === 'Indexed' ? countIndexes(completedIndexesOf(status, spec)) : (status.succeeded ?? 0);
  return Math.min(Math.max(completions - succeeded, 0), parallelism);
}

/** Pods that are too many: of an index that another pod has, or that the job does not have, and then the least useful. */
function surplusOf(job: JobState, active: readonly PodState[]): PodState[] {
  const tooMany = active.length - wantedPods(job, active.length);
  const order = leastUseful(active);
  const extra = isIndexed(job) ? duplicates(order, job.spec.completions ?? 0) : [];
  if (extra.length >= tooMany) return extra;
  const left = order.filter((pod) => !extra.includes(pod));
  return [...extra, ...left.slice(0, tooMany - extra.length)];
}

/** Of pods in order of usefulness, those whose index a more useful one has, or that have none of the job's. */
function duplicates(order: readonly PodState[], completions: number): PodState[] {
  const seen = new Set<number>();
  return [...order].reverse().filter((pod) => {
    const index = completionIndexOf(pod);
    if (index === undefined || index >= completions || seen.has(index)) return true;
    seen.add(index);
    return false;
  });
}

function openIndexes(
  { spec, status, ledger }: JobState,
  {
    taken,
    most,
    again,
    now,
  }: {
    readonly taken: readonly PodState[];
    readonly most: number;
    readonly again: Millis | undefined;
    readonly now: Millis;
  },
): Staffing {
  const given = parseIndexes(status.failedIndexes ?? '') ?? [];
  const done = uniteIndexes(completedIndexesOf(status, spec), given);
  const busy = uniteIndexes(done, indexesOf(taken.flatMap((pod) => completionIndexOf(pod) ?? [])));
  const waiting = spec.backoffLimitPerIndex === undefined ? [] : waitingIndexes(ledger.indexFailures, busy, now);
  const closed = uniteIndexes(busy, indexesOf(waiting.map(({ index }) => index)));
  const open = freeIndexes(closed, spec.completions ?? 0, most).map((index) => {
    const failures = spec.backoffLimitPerIndex === undefined ? undefined : (ledger.indexFailures[index]?.counted ?? 0);
    return { index, ...(failures !== undefined && { failures }) };
  });
  const wake = Math.min(again ?? Infinity, ...waiting.map(({ at }) => at));
  return { open, dismiss: [], ...(wake !== Infinity && { again: wake }) };
}

/** Indexes that have failed and wait for their next try. */
function waitingIndexes(
  failures: JobState['ledger']['indexFailures'],
  busy: Indexes,
  now: Millis,
): { readonly index: number; readonly at: Millis }[] {
  const isBusy = (index: number): boolean => busy.some(([first, last]) => first <= index && index <= last);
  return Object.entries(failures).flatMap(([key, { all, lastAt }]) => {
    const index = Number(key);
    const at = nextTryAt({ failures: all, lastAt });
    return at > now && !isBusy(index) ? [{ index, at }] : [];
  });
}
