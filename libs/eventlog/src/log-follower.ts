import {
  type Clock,
  type EventLog,
  type Growth,
  invariant,
  LogUnavailable,
  type Recorded,
  type Revision,
} from '#domain';

export interface LogFollowerOptions {
  /** The revision after which reading starts: 0, or that of the snapshot a projection was loaded from. */
  readonly from: Revision;
  /**
   * Takes whole commands, in order, each event once; the next batch follows when it resolves. What it throws ends the
   * follower: a projection that failed half-way is started anew, not continued.
   */
  readonly onEvents: (batch: readonly Recorded[]) => Promise<void>;
  /** How long the follower trusts silence: a lost hint costs at most this many milliseconds. */
  readonly pollMs?: number;
  /** Events per read; a command larger than this is read whole all the same. */
  readonly pageSize?: number;
}

/** Whole commands; `full` when the read may have left some behind. */
interface Page {
  readonly events: readonly Recorded[];
  readonly full: boolean;
}

interface Waiter {
  readonly revision: Revision;
  readonly reached: () => void;
}

const FIRST_BACKOFF_MS = 100;
const LAST_BACKOFF_MS = 5_000;

/**
 * Follows the log from a revision on, without a gap: woken by hints, correct by reading. What this process has appended
 * itself comes with the hint and is taken as it is, when the follower has all that came before; everything else is read. It
 * holds the page that is being taken and the next one, and survives an unreachable log by trying again (100 ms doubling to 5 s).
 */
export class LogFollower {
  #position: Revision;
  /** What the log is known to hold; `Infinity` when it may hold more than anybody has said. */
  #known: Revision = Infinity;
  /** Present while the follower has taken everything and waits for news. */
  #wakeUp: (() => void) | undefined;
  /** The taking of events that came with a hint. */
  #handed: Promise<void> | undefined;
  readonly #waiters = new Set<Waiter>();
  readonly #onEvents: LogFollowerOptions['onEvents'];
  readonly #pollMs: number;
  readonly #pageSize: number;

  constructor(
    private readonly log: Pick<EventLog, 'readAfter' | 'onGrowth'>,
    private readonly clock: Clock,
    { from, onEvents, pollMs = 1_000, pageSize = 2_000 }: LogFollowerOptions,
  ) {
    this.#position = from;
    this.#onEvents = onEvents;
    this.#pollMs = pollMs;
    this.#pageSize = pageSize;
  }

  /** The revision of the last event that `onEvents` has finished with. */
  get position(): Revision {
    return this.#position;
  }

  /** Follows until the signal aborts, then resolves. Rejects with what `onEvents` threw. */
  async start(signal: AbortSignal): Promise<void> {
    const unsubscribe = this.log.onGrowth((news) => this.#hear(news));
    const onAbort = (): void => this.#wakeUp?.();
    signal.addEventListener('abort', onAbort);
    try {
      await this.#follow(signal);
    } finally {
      signal.removeEventListener('abort', onAbort);
      unsubscribe();
    }
  }

  /**
   * Resolves to true once {@link position} has reached the revision, to false after `timeoutMs`. It also makes the follower
   * look: who waits for a revision knows that the log has it.
   */
  waitFor(revision: Revision, timeoutMs: number): Promise<boolean> {
    if (this.#position >= revision) return Promise.resolve(true);
    return new Promise((resolve) => {
      const waiter = {
        revision,
        reached: () => {
          cancel();
          resolve(true);
        },
      };
      const cancel = this.clock.after(timeoutMs, () => {
        this.#waiters.delete(waiter);
        resolve(false);
      });
      this.#waiters.add(waiter);
      this.#hear({ head: revision });
    });
  }

  /** Takes what comes with the news when it is the next there is; otherwise remembers how far there is something to read. */
  #hear({ head = Infinity, events }: Growth): void {
    const first = events?.[0];
    if (events && this.#wakeUp && first?.revision === this.#position + 1) {
      this.#handed = this.#deliver(events);
      // Whoever awaits it next is told.
      this.#handed.catch(() => undefined);
      this.#wakeUp();
    } else if (head > this.#position) {
      this.#known = Math.max(this.#known, head);
      this.#wakeUp?.();
    }
  }

  async #follow(signal: AbortSignal): Promise<void> {
    let backoffMs = FIRST_BACKOFF_MS;
    let ahead: Promise<Page | undefined> | undefined;
    while (!signal.aborted) {
      const page = await (ahead ?? this.#readPage(this.#position));
      ahead = undefined;
      if (!page) {
        await this.clock.sleep(backoffMs, signal);
        backoffMs = Math.min(backoffMs * 2, LAST_BACKOFF_MS);
        continue;
      }
      backoffMs = FIRST_BACKOFF_MS;
      if (signal.aborted) return;
      // The log looks for the next page while this one is taken: in a long replay neither waits for the other.
      if (page.full) ahead = this.#readPage(this.#position + page.events.length);
      // Whoever awaits it next is told; nobody does when the delivery fails.
      ahead?.catch(() => undefined);
      if (page.events.length > 0) await this.#deliver(page.events);
      if (!ahead) await this.#idle(signal);
    }
  }

  /** The events after a revision, cut after the last whole command; `undefined` while the log is out of reach. */
  async #readPage(after: Revision): Promise<Page | undefined> {
    // A hint from here on may be about what this read misses.
    this.#known = 0;
    try {
      const page = await this.log.readAfter(after, this.#pageSize);
      const full = page.length >= this.#pageSize;
      const end = page.findLastIndex((event) => event.revision === event.commandLast) + 1;
      const [first] = page;
      if (!first || end > 0) return { events: end === page.length ? page : page.slice(0, end), full };
      return { events: await this.log.readAfter(after, first.commandLast - after), full };
    } catch (error) {
      if (error instanceof LogUnavailable) return undefined;
      throw error;
    }
  }

  async #deliver(page: readonly Recorded[]): Promise<void> {
    const gap = page.findIndex((event, index) => event.revision !== this.#position + 1 + index);
    invariant(gap < 0, `after revision ${this.#position + gap} the log gave ${page[gap]?.revision}`);
    await this.#onEvents(page);
    this.#position += page.length;
    for (const waiter of [...this.#waiters])
      if (waiter.revision <= this.#position) {
        this.#waiters.delete(waiter);
        waiter.reached();
      }
  }

  /** Waits until there is something to read: because somebody says so, or because nobody has said anything for long. */
  async #idle(signal: AbortSignal): Promise<void> {
    while (this.#known <= this.#position && !signal.aborted) {
      const polled = await this.#news();
      if (this.#handed) await this.#handed;
      this.#handed = undefined;
      if (polled) return;
    }
  }

  /** Resolves when woken; to true when it was the poll. */
  #news(): Promise<boolean> {
    return new Promise((resolve) => {
      const wake = (polled: boolean): void => {
        this.#wakeUp = undefined;
        cancel();
        resolve(polled);
      };
      const cancel = this.clock.after(this.#pollMs, () => wake(true));
      this.#wakeUp = () => wake(false);
    });
  }
}
