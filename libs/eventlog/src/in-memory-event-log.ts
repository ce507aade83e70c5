import type {
  AppendCommand,
  Appended,
  Clock,
  EventLog,
  Growth,
  IdSource,
  Lease,
  Recorded,
  Revision,
  Snapshot,
} from '#domain';
import type { EventCodec } from './event-codec.js';
import { LogState } from './log-state.js';

/**
 * Carries out one call to the log. The simulation puts its own here to delay a call, to fail it before `work` (nothing
 * happened), or after it (it happened and the answer was lost). The effect of a call is `work`, and nothing else.
 */
export type Schedule = <T>(label: string, work: () => T) => Promise<T>;

export interface InMemoryEventLogOptions {
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly schedule?: Schedule;
  readonly codec?: EventCodec;
  /** The log that this handle is on; a new one when absent. Handles that share a state are processes on one database. */
  readonly state?: LogState;
}

// Async, so that what `work` throws becomes a rejection.
const onMicrotasks: Schedule = async (_label, work) => work();

/** The log of the simulation and of unit tests: the same contract as the Postgres log, deterministic, on microtasks only. */
export class InMemoryEventLog implements EventLog {
  readonly state: LogState;
  readonly #schedule: Schedule;

  constructor({ clock, ids, schedule = onMicrotasks, codec, state }: InMemoryEventLogOptions) {
    this.state = state ?? new LogState(clock, ids, codec);
    this.#schedule = schedule;
  }

  append(command: AppendCommand): Promise<Appended> {
    return this.#schedule(`log.append ${command.commandId}`, () => this.state.append(command));
  }

  head(): Promise<Revision> {
    return this.#schedule('log.head', () => this.state.head());
  }

  readAfter(revision: Revision, limit: number): Promise<Recorded[]> {
    return this.#schedule(`log.readAfter ${revision}`, () => this.state.readAfter(revision, limit));
  }

  readStream(stream: string, afterVersion = 0): Promise<Recorded[]> {
    return this.#schedule(`log.readStream ${stream}`, () => this.state.readStream(stream, afterVersion));
  }

  onGrowth(grown: (news: Growth) => void): () => void {
    let listening = true;
    const unwatch = this.state.watch((events) => {
      const news = { head: events.at(-1)?.revision ?? 0, events };
      const tell = (): void => {
        if (listening) grown(news);
      };
      // In its own turn: whoever appends in the middle of something must not find what he reads changed by it. A hint may be
      // lost: when the schedule fails it, nobody hears of it and the reader's poll has to do.
      queueMicrotask(() => void this.#schedule('log.grown', tell).catch(() => undefined));
    });
    return () => {
      listening = false;
      unwatch();
    };
  }

  loadSnapshot(name: string, format: number, atMost = Number.MAX_SAFE_INTEGER): Promise<Snapshot | undefined> {
    return this.#schedule(`log.loadSnapshot ${name}`, () => this.state.loadSnapshot(name, format, atMost));
  }

  saveSnapshot(snapshot: Snapshot): Promise<void> {
    return this.#schedule(`log.saveSnapshot ${snapshot.name}`, () => this.state.saveSnapshot(snapshot));
  }

  acquireLease(name: string, holder: string, ttlMs: number): Promise<Lease | undefined> {
    return this.#schedule(`log.acquireLease ${name} ${holder}`, () => this.state.acquireLease(name, holder, ttlMs));
  }

  releaseLease(name: string, holder: string): Promise<void> {
    return this.#schedule(`log.releaseLease ${name} ${holder}`, () => this.state.releaseLease(name, holder));
  }

  clusterId(): Promise<string> {
    return this.#schedule('log.clusterId', () => this.state.clusterId);
  }
}
