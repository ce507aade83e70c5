import type { Millis } from '../event.js';
import type { PodState } from '../pod/pod.js';
import type { PlacementRecord } from './placement-record.js';

/** A refusal whose counts changed, but not its reasons, is recorded no sooner than this after the last: one minute. */
export const COUNTS_RECORDED_EVERY_MS = 60_000;

/** A refusal that did not change at all is repeated after this long, so that its Event object, which lives an hour, stays in view: half an hour. */
export const REFUSAL_REPEATED_EVERY_MS = 30 * 60_000;

/** Kubernetes' sentence: `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable.` Source: kube-scheduler, FitError. */
export function refusalMessage({ nodesConsidered, refused }: PlacementRecord): string {
  if (nodesConsidered === 0) return 'no nodes available to schedule pods';
  const counts = new Map<string, number>();
  for (const reasons of Object.values(refused)) {
    for (const [reason, count] of Object.entries(reasons)) counts.set(reason, (counts.get(reason) ?? 0) + count);
  }
  const reasons = [...counts].map(([reason, count]) => `${count} ${reason}`).sort();
  return `0/${nodesConsidered} nodes are available: ${reasons.join(', ')}.`;
}

/** The reasons without their counts. */
export function reasonsOf({ refused }: PlacementRecord): string {
  return Object.entries(refused)
    .flatMap(([filter, reasons]) => Object.keys(reasons).map((reason) => `${filter}: ${reason}`))
    .sort()
    .join('; ');
}

/**
 * When a refusal is to be recorded: at once when there is none on record or its reasons differ, later when only counts
 * differ or nothing does. A time not after `record.now` means now.
 */
export function refusalDueAt(previous: PodState['unschedulable'], message: string, record: PlacementRecord): Millis {
  if (!previous || reasonsOf(previous.record) !== reasonsOf(record)) return record.now;
  return previous.at + (previous.message === message ? REFUSAL_REPEATED_EVERY_MS : COUNTS_RECORDED_EVERY_MS);
}
