import {
  FeedMoved,
  LogUnavailable,
  NoAnswer,
  type Clock,
  type EventFeed,
  type EventLog,
  type Millis,
  type Revision,
} from '#domain';
import { eventSubject } from '#bus';
import { LogFollower } from '#eventlog';

/** The lease that makes one relay the active one. */
const LEASE = 'relay';
/** DESIGN section 3: renewed each second, lost after four. Milliseconds. */
const RENEW_MS = 1_000;
const TTL_MS = 4_000;
/** Events read and published at a time. */
const BATCH = 500;
/** Without news the log is read this often. */
const POLL_MS = 1_000;
/** The stream itself is looked at this often: a wiped one is made anew. */
const LOOK_AGAIN_MS = 5_000;
const FIRST_BACKOFF_MS = 100;
const LAST_BACKOFF_MS = 2_000;

/** Tells nodes news of one kind, if it is its turn. */
export interface Publisher {
  activate(): void;
  deactivate(): void;
}

export interface RelayOptions {
  readonly log: EventLog;
  readonly feed: EventFeed;
  readonly clock: Clock;
  /** Speak while this relay is the active one. */
  readonly publishers: readonly Publisher[];
  /** Unique among the processes that share the log. */
  readonly holder: string;
  /** How many of the newest events a stream that is made anew begins with. */
  readonly windowEvents?: number;
  /** Told of what a person should look at. */
  readonly report?: (problem: string, cause?: unknown) => void;
}

interface Position {
  readonly base: Revision;
  readonly lastSequence: number;
}

/**
 * Publishes each event of the log into the stream EVENTS, in order and once. Any number of relays may run: the lease makes one
 * active, and each publish expects the sequence before it, so that even two that both think they are cannot interleave.
 */
export class Relay {
  private readonly windowEvents: number;
  private readonly report: (problem: string, cause?: unknown) => void;

  constructor(private readonly options: RelayOptions) {
    this.windowEvents = options.windowEvents ?? 100_000;
    this.report = options.report ?? (() => undefined);
  }

  /** Waits for its turn, and relays until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { log, clock, holder } = this.options;
    while (!signal.aborted) {
      const since = clock.now();
      if (await this.acquire()) await this.lead(since, signal);
      else await clock.sleep(RENEW_MS, signal);
    }
    await log.releaseLease(LEASE, holder).catch(() => undefined);
  }

  /** False when another holds it or the log does not answer. */
  private async acquire(): Promise<boolean> {
    const { log, holder } = this.options;
    try {
      return (await log.acquireLease(LEASE, holder, TTL_MS)) !== undefined;
    } catch (error) {
      if (error instanceof LogUnavailable) return false;
      throw error;
    }
  }

  private async lead(since: Millis, signal: AbortSignal): Promise<void> {
    const term = new AbortController();
    const end = (): void => term.abort();
    signal.addEventListener('abort', end);
    const renewal = this.renew(since, term);
    for (const publisher of this.options.publishers) publisher.activate();
    try {
      await this.relay(term.signal);
    } finally {
      for (const publisher of this.options.publishers) publisher.deactivate();
      term.abort();
      signal.removeEventListener('abort', end);
      await renewal;
    }
  }

  /** Keeps the lease; ends the term when it cannot be sure to hold it any more. Counts from before each renewal was asked for. */
  private async renew(since: Millis, term: AbortController): Promise<void> {
    const { clock } = this.options;
    let heldUntil = since + TTL_MS;
    while (!term.signal.aborted) {
      await clock.sleep(RENEW_MS, term.signal);
      if (term.signal.aborted) return;
      const asked = clock.now();
      if (await this.acquire()) heldUntil = asked + TTL_MS;
      else if (clock.now() >= heldUntil || (await this.isTaken())) term.abort();
    }
  }

  /** The log answers and says that another holds the lease. */
  private async isTaken(): Promise<boolean> {
    const { log, holder } = this.options;
    try {
      return (await log.acquireLease(LEASE, holder, TTL_MS)) === undefined;
    } catch (error) {
      if (error instanceof LogUnavailable) return false;
      throw error;
    }
  }

  private async relay(term: AbortSignal): Promise<void> {
    const { clock } = this.options;
    let backoffMs = FIRST_BACKOFF_MS;
    while (!term.aborted) {
      try {
        await this.relayFrom(await this.locate(), term, () => (backoffMs = FIRST_BACKOFF_MS));
      } catch (error) {
        if (!(error instanceof FeedMoved || error instanceof NoAnswer || error instanceof LogUnavailable)) throw error;
        await clock.sleep(backoffMs, term);
        backoffMs = Math.min(backoffMs * 2, LAST_BACKOFF_MS);
      }
    }
  }

  /** Publishes what comes after a position, until it is time to look at the stream again. Throws what publishing throws. */
  private async relayFrom({ base, lastSequence }: Position, term: AbortSignal, published: () => void): Promise<void> {
    const { log, feed, clock } = this.options;
    const until = new AbortController();
    const end = (): void => until.abort();
    const cancel = clock.after(LOOK_AGAIN_MS, end);
    term.addEventListener('abort', end);
    let sequence = lastSequence;
    const follower = new LogFollower(log, clock, {
      from: base + lastSequence,
      pageSize: BATCH,
      pollMs: POLL_MS,
      onEvents: async (events) => {
        await feed.publish(
          sequence,
          events.map((event) => ({ subject: eventSubject(event), event })),
        );
        sequence += events.length;
        published();
      },
    });
    try {
      if (!term.aborted) await follower.start(until.signal);
    } finally {
      cancel();
      term.removeEventListener('abort', end);
    }
  }

  /** Where the stream ends; a missing one is made anew, to begin with the newest events of the log. */
  private async locate(): Promise<Position> {
    const { log, feed } = this.options;
    const found = await feed.inspect();
    const head = await log.head();
    if (found) {
      const end = found.base + found.lastSequence;
      if (end <= head) return found;
      this.report(
        `the EVENTS stream ends at revision ${end}, beyond the log's head ${head}: it belongs to another log`,
      );
      throw new FeedMoved('the stream belongs to another log');
    }
    const base = Math.max(0, head - this.windowEvents);
    await feed.create(base);
    return { base, lastSequence: 0 };
  }
}
