import { type ClusterState, eventStream, EXPIRY_INTERVAL_MS, expireEvents, type Millis } from '#domain';
import type { Controller } from './reconcile-loop.js';
import { footingOf } from './term.js';
import type { Workplace } from './workplace.js';

const ALL = 'all';

/** Takes Event objects out of the live view an hour after they were last seen. */
export class EventExpiry implements Controller {
  readonly name = 'event expiry';
  #lastAt: Millis | undefined;

  constructor(private readonly workplace: Workplace) {}

  all(): Iterable<string> {
    return [ALL];
  }

  /** Time alone makes events old. */
  concerned(): Iterable<string> {
    return [];
  }

  async reconcile(): Promise<Millis> {
    const { projection, clock, term } = this.workplace;
    const { state } = projection;
    const now = clock.now();
    const { through, nextAt } = expireEvents(state.events(), now, this.#lastAt);
    if (through !== undefined) {
      const stream = eventStream('', '');
      await term.execute({
        footing: footingOf(state, [stream]),
        decide: (current: ClusterState) =>
          [...current.events()].some(({ lastSeenAt }) => lastSeenAt <= through)
            ? [{ stream, events: [{ type: 'EventsExpired', data: { through } }] }]
            : [],
      });
      this.#lastAt = now;
    }
    return Math.max(nextAt ?? 0, now + EXPIRY_INTERVAL_MS);
  }
}
