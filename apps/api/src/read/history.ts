import type { ClusterState, EventLog, ObjectChange, Revision } from '#domain';
import { clusterStateAt } from '#eventlog';
import { movesOf } from './object-moves.js';
import type { CommandMoves } from './recent-changes.js';

/** Events per read of the log. */
const PAGE = 1_000;
/** Rebuilt states kept for the next page of a list. */
const KEPT_STATES = 2;
/** Replays under way at one time: each holds a whole state in memory. */
const REPLAYS_AT_ONCE = 2;

/** The past, by replay from the nearest snapshot: any revision, at any age. */
export class History {
  private readonly kept = new Map<Revision, ClusterState>();
  private running = 0;
  private readonly queue: (() => void)[] = [];

  constructor(private readonly log: EventLog) {}

  /**
   * The state at a revision, to be read only: it is shared with other readers. Nobody sees half of a command: a revision
   * inside one gives the state after it.
   */
  async at(revision: Revision): Promise<ClusterState> {
    const kept = this.kept.get(revision);
    if (kept) return kept;
    const state = await this.rebuild(revision);
    if (state.revision < revision) await this.advance(state, revision);
    this.kept.set(revision, state);
    const [oldest] = this.kept.keys();
    if (this.kept.size > KEPT_STATES && oldest !== undefined) this.kept.delete(oldest);
    return state;
  }

  /**
   * A state of the caller's own at a revision, to be carried on with {@link advance}. A revision inside a command gives the
   * state before it: what that command did is still to come.
   */
  async rebuild(revision: Revision): Promise<ClusterState> {
    await this.enter();
    try {
      return await clusterStateAt(this.log, revision);
    } finally {
      this.leave();
    }
  }

  /**
   * Applies the next page of events to a state, to the end of the command in which it falls, and tells what moved.
   * `reached` is false when the log had nothing more.
   */
  async advance(
    state: ClusterState,
    until: Revision,
  ): Promise<{ readonly commands: readonly CommandMoves[]; readonly reached: boolean }> {
    const commands: CommandMoves[] = [];
    let changes: ObjectChange[] = [];
    let first = state.revision + 1;
    let wanted = Math.min(PAGE, until - state.revision);
    while (wanted > 0) {
      const events = await this.log.readAfter(state.revision, wanted);
      for (const event of events) {
        changes.push(...state.apply(event));
        if (event.revision !== event.commandLast) continue;
        const moves = movesOf(changes);
        if (moves.length > 0) commands.push({ first, revision: event.revision, moves });
        changes = [];
        first = event.revision + 1;
      }
      const last = events.at(-1);
      if (!last) return { commands, reached: false };
      wanted = last.commandLast - last.revision;
    }
    return { commands, reached: true };
  }

  private async enter(): Promise<void> {
    if (this.running >= REPLAYS_AT_ONCE) await new Promise<void>((resolve) => this.queue.push(resolve));
    else this.running += 1;
  }

  /** A place passes straight to who waits longest, so that nobody overtakes. */
  private leave(): void {
    const next = this.queue.shift();
    if (next) next();
    else this.running -= 1;
  }
}
