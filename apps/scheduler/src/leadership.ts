import { setMaxListeners } from 'node:events';
import { type Clock, type EventLog, type Lease, LogUnavailable, type Millis } from '#domain';
import { SCHEDULER_LEASE } from '#eventlog';

export interface LeadershipOptions {
  readonly log: Pick<EventLog, 'acquireLease' | 'releaseLease'>;
  readonly clock: Clock;
  /** Unique among the schedulers of the cluster, and among the runs of one. */
  readonly holder: string;
  /** Acts as the one active scheduler until the signal aborts, and resolves when nothing of it is left. */
  readonly lead: (term: Tenure) => Promise<void>;
}

/** An active scheduler's hold on the lease. */
export interface Tenure {
  readonly epoch: number;
  /** Aborts at the end of the tenure. */
  readonly signal: AbortSignal;
  /** Ends it: somebody found out that it is over. */
  readonly depose: () => void;
}

/** How long a lease lasts without renewal, and how often it is renewed (DESIGN section 3). */
const TTL_MS = 4_000;
const RENEW_MS = 1_000;

/** A standby asks this often: with the lease's 4 s, it takes over within 5 s of the leader's last renewal. */
const STANDBY_MS = 500;

/**
 * Decides who of several schedulers is active, by a lease in the log. Its clock is the log's; ours only says when we can no
 * longer be sure. What fences a leader that does not know that it was one is the epoch, checked by the log.
 */
export class Leadership {
  constructor(private readonly options: LeadershipOptions) {}

  /** Stands by, leads, stands down and stands by again until the signal aborts; then gives the lease back. */
  async run(signal: AbortSignal): Promise<void> {
    const { log, clock, holder } = this.options;
    while (!signal.aborted) {
      const askedAt = clock.now();
      const lease = await this.#ask();
      if (lease && lease !== 'unavailable' && !signal.aborted) await this.#tenure(lease, askedAt, signal);
      else await clock.sleep(STANDBY_MS, signal);
    }
    await log.releaseLease(SCHEDULER_LEASE, holder).catch(() => undefined); // It runs out by itself.
  }

  async #tenure(lease: Lease, askedAt: Millis, signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    // Every command under way may listen for the end of the term.
    setMaxListeners(0, over.signal);
    const end = (): void => over.abort();
    signal.addEventListener('abort', end, { once: true });
    const results = await Promise.allSettled([
      this.#hold(lease, askedAt + TTL_MS, over).finally(end),
      this.options.lead({ epoch: lease.epoch, signal: over.signal, depose: end }).finally(end),
    ]);
    signal.removeEventListener('abort', end);
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  /** Renews until the lease is another's, or until nobody can say that it is not. */
  async #hold({ epoch }: Lease, until: Millis, over: AbortController): Promise<void> {
    const { clock } = this.options;
    let sureUntil = until;
    while (!over.signal.aborted) {
      await clock.sleep(RENEW_MS, over.signal);
      // A process that was paused finds itself here late: from then on it is not sure.
      const askedAt = clock.now();
      if (over.signal.aborted || askedAt >= sureUntil) return;
      const lease = await this.#within(sureUntil - askedAt, this.#ask(), over.signal);
      if (lease === 'unavailable') continue;
      if (lease === undefined || lease === 'late' || lease.epoch !== epoch) return;
      sureUntil = askedAt + TTL_MS;
    }
  }

  /** `undefined`: another holds the lease. */
  async #ask(): Promise<Lease | 'unavailable' | undefined> {
    try {
      return await this.options.log.acquireLease(SCHEDULER_LEASE, this.options.holder, TTL_MS);
    } catch (error) {
      if (error instanceof LogUnavailable) return 'unavailable';
      throw error;
    }
  }

  #within<T>(ms: number, answer: Promise<T>, signal: AbortSignal): Promise<T | 'late'> {
    return new Promise((resolve, reject) => {
      const late = (): void => settle(() => resolve('late'));
      const cancel = this.options.clock.after(ms, late);
      const settle = (settled: () => void): void => {
        cancel();
        signal.removeEventListener('abort', late);
        settled();
      };
      signal.addEventListener('abort', late, { once: true });
      answer.then(
        (value) => settle(() => resolve(value)),
        (error: unknown) => settle(() => reject(error)),
      );
    });
  }
}
