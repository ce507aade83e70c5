import type { Millis } from '../event.js';

/** Waiting that doubles with every failure in a row. */
export interface BackOff {
  readonly firstMs: number;
  readonly maxMs: number;
}

/** Restarts of containers (DESIGN section 4; Kubernetes: 10 s to 300 s). */
export const RESTART_BACK_OFF: BackOff = { firstMs: 1_000, maxMs: 60_000 };
/** Image pulls (DESIGN section 4; Kubernetes' own). */
export const PULL_BACK_OFF: BackOff = { firstMs: 10_000, maxMs: 300_000 };
/** Sandboxes and containers that could not be made (DESIGN section 4). */
export const CREATE_BACK_OFF: BackOff = { firstMs: 1_000, maxMs: 60_000 };

/** A run of this many milliseconds is a success: counting failures begins anew (Kubernetes: ten minutes). */
export const RESTART_RESET_MS = 10 * 60_000;

/** Longest wait between restarts of one pod, in whole seconds from 1 to 3600, set by who writes the pod. */
export const MAX_RESTART_BACK_OFF_ANNOTATION = 'podledger.dev/max-restart-back-off-seconds';

/** Milliseconds to wait after the given number of failures in a row, from 1. */
export function backOffMs({ firstMs, maxMs }: BackOff, failures: number): number {
  return Math.min(maxMs, firstMs * 2 ** Math.min(failures - 1, 30));
}

/** The restart back-off of a pod: the usual one, with the bound its annotation names. A value that is none is ignored. */
export function restartBackOff(annotations: Readonly<Record<string, string>>): BackOff {
  const seconds = Number(annotations[MAX_RESTART_BACK_OFF_ANNOTATION]);
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > 3600) return RESTART_BACK_OFF;
  return { firstMs: RESTART_BACK_OFF.firstMs, maxMs: seconds * 1000 };
}

/** Failures in a row of one thing. `retryAt` absent: it is not tried again until its cause changes. */
export interface Failure {
  readonly count: number;
  readonly at: Millis;
  readonly retryAt?: Millis;
}

/** One more failure, after those before it. */
export function failedAgain(rule: BackOff, before: Failure | undefined, now: Millis): Failure & { retryAt: Millis } {
  const count = (before?.count ?? 0) + 1;
  return { count, at: now, retryAt: now + backOffMs(rule, count) };
}

/** True while a failure forbids another try. */
export function isHeldBack(failure: Failure | undefined, now: Millis): failure is Failure {
  return failure !== undefined && (failure.retryAt === undefined || failure.retryAt > now);
}
