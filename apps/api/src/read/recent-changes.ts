import type { Kind, Revision, StoredObject } from '#domain';
import type { ClusterProjection } from '#eventlog';
import { movesOf, type ObjectMove } from './object-moves.js';

/** The moves of one whole command. `revision` is the command's last, `first` its first. */
export interface CommandMoves {
  readonly first: Revision;
  readonly revision: Revision;
  readonly moves: readonly ObjectMove[];
}

export interface RecentChangesOptions {
  /** How many moves are kept; older ones are read from the log again. */
  readonly capacity?: number;
}

/**
 * The newest moves, kept in memory: what watches are served from, and what turns the present back into the recent past. It
 * holds references to objects that the projection shares, so one move costs little more than what changed.
 */
export class RecentChanges {
  private entries: CommandMoves[] = [];
  private kept = 0;
  private lowest: Revision;
  private newest: Revision;
  private readonly capacity: number;
  private readonly waiting = new Set<() => void>();
  private readonly unsubscribe: () => void;

  /** To be made when the projection has started; from here on nothing is missed. */
  constructor(
    private readonly projection: ClusterProjection,
    { capacity = 8_192 }: RecentChangesOptions = {},
  ) {
    this.capacity = capacity;
    this.lowest = projection.revision;
    this.newest = projection.revision;
    this.unsubscribe = projection.onChanges((changes, revision) => {
      const moves = movesOf(changes);
      if (moves.length > 0) this.keep({ first: this.newest + 1, revision, moves });
      this.newest = revision;
      for (const wake of [...this.waiting]) wake();
    });
  }

  stop(): void {
    this.unsubscribe();
  }

  /** Every move after this revision is here. */
  get floor(): Revision {
    return this.lowest;
  }

  /** The newest revision that has been seen. */
  get revision(): Revision {
    return this.projection.revision;
  }

  covers(revision: Revision): boolean {
    return revision >= this.lowest;
  }

  /** Commands that ended after a revision, oldest first, at most `limit`. Only for revisions that are {@link covers | covered}. */
  after(revision: Revision, limit = Infinity): CommandMoves[] {
    let low = 0;
    let high = this.entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.entries[middle]?.revision ?? Infinity) > revision) high = middle;
      else low = middle + 1;
    }
    return this.entries.slice(low, limit === Infinity ? undefined : low + limit);
  }

  /**
   * The objects of a kind as they were at a covered revision: the present, with what came later taken back. A revision inside a
   * command shows what the whole command did, as {@link History.at} does.
   */
  listAt(revision: Revision, kind: Kind): StoredObject[] {
    const present = this.projection.state.list(kind);
    const later = this.begunAfter(revision);
    if (later.length === 0) return [...present];
    const before = new Map<string, StoredObject | undefined>();
    for (const { moves } of later)
      for (const move of moves)
        if (move.kind === kind && !before.has(move.stream)) before.set(move.stream, move.before);
    const undone = new Set([...before.keys()].map((stream) => this.projection.state.get(stream)));
    const untouched = [...present].filter((object) => !undone.has(object));
    return [...untouched, ...[...before.values()].filter((object) => object !== undefined)];
  }

  /** One object as it was at a covered revision. */
  getAt(revision: Revision, stream: string): StoredObject | undefined {
    for (const { moves } of this.begunAfter(revision))
      for (const move of moves) if (move.stream === stream) return move.before;
    return this.projection.state.get(stream);
  }

  /** Commands of which a revision shows nothing yet. */
  private begunAfter(revision: Revision): CommandMoves[] {
    return this.after(revision).filter(({ first }) => first > revision);
  }

  /** Resolves when the newest revision is beyond this one, or when the signal aborts. */
  async beyond(revision: Revision, signal: AbortSignal): Promise<void> {
    if (this.revision > revision || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        if (this.revision <= revision && !signal.aborted) return;
        this.waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.waiting.add(wake);
      signal.addEventListener('abort', wake);
    });
  }

  private keep(entry: CommandMoves): void {
    this.entries.push(entry);
    this.kept += entry.moves.length;
    if (this.kept <= this.capacity) return;
    // Dropped an eighth at a time: shifting an array for every event would cost more than the event.
    const target = this.capacity - (this.capacity >>> 3);
    let dropped = 0;
    while (this.kept > target && dropped < this.entries.length) {
      const oldest = this.entries[dropped];
      if (!oldest) break;
      this.kept -= oldest.moves.length;
      this.lowest = oldest.revision;
      dropped += 1;
    }
    this.entries = this.entries.slice(dropped);
  }
}
