import type { Millis } from '../event.js';
import type { CronSchedule } from './cron-job.js';

/** From here on missed starts are told of as too many: a clock may be wrong. Source: kube-controller-manager. */
const TOO_MANY = 100;

/** What a schedule has come to by now. */
export interface Due {
  /** The newest time that has passed and has not been served; absent when none has. */
  readonly at?: Millis;
  /** About how many have passed, that one included. */
  readonly missed: number;
  readonly tooMany: boolean;
  /** The first time that is still to come. */
  readonly next?: Millis;
}

/**
 * Finds the newest unserved time of a schedule between two times without walking through all of them: a cron job may have
 * been away for years. `undefined` when the schedule never comes. Source: kube-controller-manager, `mostRecentScheduleTime`.
 */
export function dueBy(schedule: CronSchedule, since: Millis, now: Millis): Due | undefined {
  const first = schedule.next(since);
  if (first === undefined) return undefined;
  if (first > now) return { missed: 0, tooMany: false, next: first };
  const second = schedule.next(first);
  if (second === undefined || second > now) {
    return { at: first, missed: 1, tooMany: false, ...(second !== undefined && { next: second }) };
  }
  const distance = Math.max(second - first, 1_000);
  const missed = Math.floor((now - first) / distance) + 1;
  // Distances differ (weekdays, months): begin two of them before the newest, and further back when that was a gap.
  for (let back = 2; ; back *= 2) {
    const from = Math.max(since, first + (missed - back) * distance);
    const { at, next } = newestBetween(schedule, from, now);
    if (at !== undefined || from === since) {
      return {
        missed,
        tooMany: missed > TOO_MANY,
        ...(at !== undefined && { at }),
        ...(next !== undefined && { next }),
      };
    }
  }
}

function newestBetween(
  schedule: CronSchedule,
  from: Millis,
  now: Millis,
): { readonly at?: Millis; readonly next?: Millis } {
  let at: Millis | undefined;
  let next = schedule.next(from);
  while (next !== undefined && next <= now) {
    at = next;
    next = schedule.next(at);
  }
  return { ...(at !== undefined && { at }), ...(next !== undefined && { next }) };
}
