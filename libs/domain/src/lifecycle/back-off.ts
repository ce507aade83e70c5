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

/**
 * How long a pod's containers wait before they are begun again: `never`, or JSON with any of `initial`, `max` and `reset`, in
 * seconds; `reset`, the run after which counting begins anew, may be `"never"`. Set by who writes the pod.
 */
export const BACK_OFF_ANNOTATION = 'podledger.dev/backoff';

/** What {@link BACK_OFF_ANNOTATION} replaces: longest wait in whole seconds from 1 to 3600. Read where that is not given. */
export const MAX_RESTART_BACK_OFF_ANNOTATION = 'podledger.dev/max-restart-back-off-seconds';

/** The waiting of one pod's restarts. */
export interface RestartBackOff extends BackOff {
  /** A run of this many milliseconds is a success: counting failures begins anew. Infinity: it never does. */
  readonly resetMs: number;
}

/** Milliseconds to wait after the given number of failures in a row, from 1. */
export function backOffMs({ firstMs, maxMs }: BackOff, failures: number): number {
  return Math.min(maxMs, firstMs * 2 ** Math.min(failures - 1, 30));
}

/** Bounds of what may be set, in seconds. */
const LONGEST_SECONDS = 24 * 3600;

/** The restart back-off of a pod: the usual one, with what its annotations change. A value that is none is ignored. */
export function restartBackOff(annotations: Readonly<Record<string, string>>): RestartBackOff {
  const usual = { ...RESTART_BACK_OFF, resetMs: RESTART_RESET_MS };
  const text = annotations[BACK_OFF_ANNOTATION];
  if (text !== undefined) {
    const parsed = parseBackOff(text);
    return typeof parsed === 'string' ? usual : parsed;
  }
  const seconds = Number(annotations[MAX_RESTART_BACK_OFF_ANNOTATION]);
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > 3600) return usual;
  return { ...usual, maxMs: seconds * 1000 };
}

/** What is wrong with a value of {@link BACK_OFF_ANNOTATION}; `undefined` when nothing is. */
export function backOffProblem(text: string): string | undefined {
  const parsed = parseBackOff(text);
  return typeof parsed === 'string' ? parsed : undefined;
}

function parseBackOff(text: string): RestartBackOff | string {
  const form = 'must be never or JSON such as {"initial": 1, "max": 60, "reset": 600}';
  if (text === 'never' || text === '"never"') return { firstMs: 0, maxMs: 0, resetMs: RESTART_RESET_MS };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return form;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return form;
  const fields = new Map<string, unknown>(Object.entries(value));
  const unknown = [...fields.keys()].find((name) => !['initial', 'max', 'reset'].includes(name));
  if (unknown !== undefined) return `has no member "${unknown}": ${form}`;
  const reset = fields.get('reset');
  if (reset === 'never') fields.delete('reset');
  const seconds = { initial: RESTART_BACK_OFF.firstMs / 1000, max: 0, reset: RESTART_RESET_MS / 1000 };
  for (const [name, given] of fields) {
    if (typeof given !== 'number' || !(given > 0) || given > LONGEST_SECONDS)
      return `${name} must be a number of seconds above 0, at most ${LONGEST_SECONDS}`;
    if (name === 'initial' || name === 'max' || name === 'reset') seconds[name] = given;
  }
  const max = seconds.max || Math.max(RESTART_BACK_OFF.maxMs / 1000, seconds.initial);
  if (seconds.initial > max) return 'initial must not be above max';
  const resetMs = reset === 'never' ? Infinity : seconds.reset * 1000;
  return { firstMs: seconds.initial * 1000, maxMs: max * 1000, resetMs };
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
