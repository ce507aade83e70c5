import type { KubernetesEventState } from '../cluster/kubernetes-event.js';
import { EVENT_TTL_MS } from '../cluster/kubernetes-events.js';
import type { Millis } from '../event.js';

/** Expiry is logged at most this often: five minutes. One event then speaks for many Event objects. */
export const EXPIRY_INTERVAL_MS = 5 * 60_000;

/** When Event objects leave the live view. */
export interface EventExpiry {
  /** Everything last seen at or before this goes now; absent when nothing does. */
  readonly through?: Millis;
  /** When to look again; absent when there are no Event objects. */
  readonly nextAt?: Millis;
}

/** Decides on the expiry of Event objects one hour after they were last seen. `lastExpiryAt`: when one was logged last, if known. */
export function expireEvents(events: Iterable<KubernetesEventState>, now: Millis, lastExpiryAt?: Millis): EventExpiry {
  let oldest = Infinity;
  for (const { lastSeenAt } of events) oldest = Math.min(oldest, lastSeenAt);
  if (oldest === Infinity) return {};
  const soonest = lastExpiryAt === undefined ? now : lastExpiryAt + EXPIRY_INTERVAL_MS;
  const dueAt = Math.max(oldest + EVENT_TTL_MS, soonest);
  if (dueAt > now) return { nextAt: dueAt };
  return { through: now - EVENT_TTL_MS, nextAt: now + EXPIRY_INTERVAL_MS };
}
