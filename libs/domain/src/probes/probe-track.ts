import type { Millis } from '../event.js';
import type { Probe } from '../pod/handlers.js';
import type { CheckOutcome } from './check.js';

export type ProbeKind = 'startup' | 'readiness' | 'liveness';

/** What one probe has shown of one run of its container. */
export interface ProbeTrack {
  readonly kind: ProbeKind;
  /** Checks may begin from then on. */
  readonly from: Millis;
  /** When the newest check began. */
  readonly begunAt?: Millis;
  readonly checking: boolean;
  /** The newest result, and how many came in a row. */
  readonly newest?: 'success' | 'failure';
  readonly inRow: number;
  /** What counts, once enough results came in a row. */
  readonly passes: boolean;
  /** Nothing more is to be found out: a startup probe has passed, or the container is to be killed. */
  readonly over: boolean;
  /** When a failure was told last, and how many have not been told since. */
  readonly toldAt?: Millis;
  readonly untold: number;
}

/** Kubernetes' defaults, for specs that were stored without. In seconds, and in results in a row. */
const DEFAULTS = { period: 10, timeout: 1, success: 1, failure: 3 };

export const periodMs = ({ periodSeconds }: Probe): number => (periodSeconds || DEFAULTS.period) * 1000;
export const timeoutMs = ({ timeoutSeconds }: Probe): number => (timeoutSeconds || DEFAULTS.timeout) * 1000;

/** How often an unchanged failure is told again, at most. */
const REPEAT_MS = 60_000;

/**
 * A probe before its first check. A container counts as alive, and as neither started nor ready, until a probe says
 * otherwise (kubelet's rule); `passes` is what was known of it before, when an earlier agent of the node looked after it.
 */
export function newTrack(kind: ProbeKind, from: Millis, passes = kind === 'liveness'): ProbeTrack {
  return { kind, from, checking: false, inRow: 0, passes, over: kind === 'startup' && passes, untold: 0 };
}

/** When the next check is due; `undefined` while one is under way, or when none will be. */
export function nextCheckAt(probe: Probe, track: ProbeTrack, startedAt: Millis): Millis | undefined {
  if (track.over || track.checking) return undefined;
  const earliest = Math.max(track.from, startedAt + (probe.initialDelaySeconds ?? 0) * 1000);
  return track.begunAt === undefined ? earliest : Math.max(earliest, track.begunAt + periodMs(probe));
}

export const checkBegun = (track: ProbeTrack, now: Millis): ProbeTrack => ({ ...track, begunAt: now, checking: true });

/** A check came to its end; `told` is the failure to be told of, if it is to be told. */
export function checkEnded(
  probe: Probe,
  before: ProbeTrack,
  { result, message }: CheckOutcome,
  now: Millis,
): { readonly track: ProbeTrack; readonly told?: { readonly message: string; readonly count: number } } {
  const track = { ...before, checking: false };
  if (result === 'unknown') return { track };
  const inRow = track.newest === result ? track.inRow + 1 : 1;
  const needed =
    result === 'success' ? probe.successThreshold || DEFAULTS.success : probe.failureThreshold || DEFAULTS.failure;
  const passes = inRow >= needed ? result === 'success' : track.passes;
  // A readiness probe goes on for ever; the others end with their verdict, which a kill or the other probes follow.
  const verdict = inRow >= needed && (result === 'failure' ? track.kind !== 'readiness' : track.kind === 'startup');
  const next: ProbeTrack = { ...track, newest: result, inRow, passes, over: verdict };
  if (result === 'success') return { track: next };
  const count = track.untold + 1;
  const isNews = verdict || passes !== track.passes;
  const isDue = track.toldAt === undefined || now - track.toldAt >= REPEAT_MS;
  if (!isNews && !isDue) return { track: { ...next, untold: count } };
  return { track: { ...next, toldAt: now, untold: 0 }, told: { message, count } };
}

/** The verdict that has the container killed. */
export const condemns = (track: ProbeTrack | undefined): boolean =>
  track !== undefined && track.over && track.newest === 'failure';
