import {
  CLUSTER_STATE_FORMAT,
  type Clock,
  ClusterState,
  type EventLog,
  LogUnavailable,
  type ObjectChange,
  type Recorded,
  type Revision,
  type Unsubscribe,
} from '#domain';
import { LogFollower } from './log-follower.js';

/** Name of the snapshots of {@link ClusterState}. */
export const CLUSTER_SNAPSHOT = 'cluster';

export interface ClusterProjectionOptions {
  readonly log: EventLog;
  readonly clock: Clock;
  /** Save a snapshot whenever this many events have come since the last; absent: save none. */
  readonly snapshotEvery?: number;
}

/** Called once per command, in order, after the state has moved. What it throws ends the projection. */
export type ChangesListener = (changes: readonly ObjectChange[], revision: Revision) => void;

/** How long a read waits for this replica to catch up with the log's head before the log counts as out of reach. */
const CATCH_UP_MS = 10_000;

/** One process's view of the cluster, kept up to date from the log. */
export class ClusterProjection {
  #state = ClusterState.empty();
  #follower: LogFollower | undefined;
  #snapshotAt: Revision = 0;
  #saving = false;
  readonly #listeners = new Set<ChangesListener>();

  constructor(private readonly options: ClusterProjectionOptions) {}

  /** The newest state. Between two awaits of the reader it does not move. */
  get state(): ClusterState {
    return this.#state;
  }

  get revision(): Revision {
    return this.#state.revision;
  }

  /**
   * Loads the newest snapshot, reads on from it, and resolves once it has what the log held when it started. `ended`
   * settles when the signal aborts; it rejects when the log cannot be projected, and then the process should stop.
   */
  async start(signal: AbortSignal): Promise<{ readonly ended: Promise<void> }> {
    const { log, clock } = this.options;
    const snapshot = await log.loadSnapshot(CLUSTER_SNAPSHOT, CLUSTER_STATE_FORMAT);
    if (snapshot) this.#state = ClusterState.fromSnapshot(snapshot.state);
    this.#snapshotAt = this.#state.revision;
    const follower = new LogFollower(log, clock, {
      from: this.#state.revision,
      onEvents: (batch) => {
        this.#apply(batch);
        return Promise.resolve();
      },
    });
    this.#follower = follower;
    const ended = follower.start(signal);
    const head = await log.head();
    // Whoever awaits `ended` learns of a failure; while starting, this does.
    await Promise.race([this.#reached(follower, head, signal), ended]);
    return { ended };
  }

  /** Resolves to true once this replica has the revision, to false after `timeoutMs`. */
  waitFor(revision: Revision, timeoutMs: number): Promise<boolean> {
    if (this.revision >= revision) return Promise.resolve(true);
    return this.#follower ? this.#follower.waitFor(revision, timeoutMs) : Promise.resolve(false);
  }

  /** Brings this replica up to the log's head and returns that head. Throws `LogUnavailable` when it cannot in time. */
  async catchUp(timeoutMs = CATCH_UP_MS): Promise<Revision> {
    const head = await this.options.log.head();
    if (await this.waitFor(head, timeoutMs)) return head;
    throw new LogUnavailable(`still at revision ${this.revision} of ${head} after ${timeoutMs} ms`);
  }

  onChanges(listener: ChangesListener): Unsubscribe {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async #reached(follower: LogFollower, head: Revision, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !(await follower.waitFor(head, CATCH_UP_MS)));
  }

  #apply(batch: readonly Recorded[]): void {
    let changes: ObjectChange[] = [];
    for (const event of batch) {
      changes.push(...this.#state.apply(event));
      if (event.revision !== event.commandLast) continue;
      for (const listener of [...this.#listeners]) listener(changes, event.revision);
      changes = [];
    }
    this.#saveSnapshot();
  }

  /** A snapshot is a cache: a failure to save one costs a longer replay some day, and nothing else. */
  #saveSnapshot(): void {
    const { log, snapshotEvery } = this.options;
    const revision = this.#state.revision;
    if (snapshotEvery === undefined || this.#saving || revision - this.#snapshotAt < snapshotEvery) return;
    this.#saving = true;
    this.#snapshotAt = revision;
    const state = this.#state.toSnapshot();
    void log
      .saveSnapshot({ name: CLUSTER_SNAPSHOT, format: CLUSTER_STATE_FORMAT, revision, state })
      .catch(() => undefined)
      .finally(() => {
        this.#saving = false;
      });
  }
}

/**
 * The cluster as it was at a revision: the nearest snapshot at or below it, and replay from there. A revision inside a
 * command shows the state before that command, as no reader ever saw half of one.
 */
export async function clusterStateAt(log: EventLog, revision: Revision): Promise<ClusterState> {
  const snapshot = await log.loadSnapshot(CLUSTER_SNAPSHOT, CLUSTER_STATE_FORMAT, revision);
  const state = snapshot ? ClusterState.fromSnapshot(snapshot.state) : ClusterState.empty();
  while (state.revision < revision) {
    const page = await log.readAfter(state.revision, Math.min(1_000, revision - state.revision));
    if (page.length === 0) break;
    for (const event of page) {
      if (event.commandLast > revision) return state;
      state.apply(event);
    }
  }
  return state;
}
