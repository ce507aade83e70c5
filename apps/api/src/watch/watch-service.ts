import type { Clock, IdSource, Revision, StoredObject } from '#domain';
import type { ClusterProjection } from '#eventlog';
import type { History } from '../read/history.js';
import { listKey } from '../read/continue-token.js';
import type { CommandMoves, RecentChanges } from '../read/recent-changes.js';
import { untilLatest, untilReached } from '../read/revisions.js';
import type { ResourceDefinition } from '../resources/resource.js';
import type { SecretKeys } from '../secrets/secret-keys.js';
import { isSelected, watchEventsOf, type Selection, type WatchEvent } from './watch-event.js';

/** Bookmarks are sent about this often, in milliseconds. */
const BOOKMARK_EVERY_MS = 60_000;
/** A watch without `timeoutSeconds` ends after 30 to 60 minutes, at random, so that clients do not all come back at once. */
const DEFAULT_TIMEOUT_MS = 30 * 60_000;
/** Commands handed over at one time: how much of a watch is in memory beyond what all watches share. */
const COMMANDS_AT_ONCE = 64;

export interface WatchRequest {
  readonly selection: Selection;
  /** Only what comes after this revision. Absent: what exists comes first, as ADDED. */
  readonly after?: Revision;
  /** The state that comes first must be at least as new as this; absent: the newest. `0`: any. */
  readonly atLeast?: Revision;
  /** False: nothing that exists is sent, though no revision is given. */
  readonly initialEvents: boolean;
  /** After what exists, a bookmark that says so. */
  readonly markInitialEventsEnd: boolean;
  readonly bookmarks: boolean;
  readonly timeoutMs?: number;
  /** Whose objects they are, where the log keeps those encrypted: they are shown as clients see them. */
  readonly definition?: ResourceDefinition;
}

/**
 * Watches: every change after a revision, once, in order, command by command. Each watch pulls from what all of them share, so
 * a slow reader costs no memory: when it falls behind that, it is served from the log until it has caught up.
 */
export class WatchService {
  constructor(
    private readonly projection: ClusterProjection,
    private readonly recent: RecentChanges,
    private readonly history: History,
    private readonly clock: Clock,
    private readonly ids: IdSource,
    private readonly keys: SecretKeys,
  ) {}

  /**
   * Waits until the watch can begin (504 for a revision that does not come), then gives its events, batch by batch, until the
   * timeout or the signal ends it.
   */
  async open(request: WatchRequest, signal: AbortSignal): Promise<AsyncGenerator<readonly WatchEvent[], void, void>> {
    if (request.after !== undefined) await untilReached(this.projection, request.after);
    else if (request.atLeast === undefined) await untilLatest(this.projection);
    else await untilReached(this.projection, request.atLeast);
    const events = this.events(request, signal);
    return request.definition?.reveal ? this.revealed(request.definition, events) : events;
  }

  private async *revealed(
    definition: ResourceDefinition,
    batches: AsyncIterable<readonly WatchEvent[]>,
  ): AsyncGenerator<readonly WatchEvent[], void, void> {
    for await (const batch of batches) {
      const objects = batch.flatMap((event) => (event.type === 'BOOKMARK' ? [] : [event.object]));
      const shown = await this.keys.reveal(definition, objects);
      const byObject = new Map(objects.map((object, index) => [object, shown[index] ?? object]));
      yield batch.map((event) =>
        event.type === 'BOOKMARK' ? event : { ...event, object: byObject.get(event.object) ?? event.object },
      );
    }
  }

  private async *events(request: WatchRequest, signal: AbortSignal): AsyncGenerator<readonly WatchEvent[], void, void> {
    const { selection, bookmarks } = request;
    const ending = new AbortController();
    const end = (): void => ending.abort();
    signal.addEventListener('abort', end);
    const timeoutMs = request.timeoutMs ?? DEFAULT_TIMEOUT_MS * (1 + this.ids.random());
    const cancelTimeout = this.clock.after(timeoutMs, end);
    const bookmark = (revision: Revision, initialEventsEnd = false): WatchEvent[] =>
      bookmarks ? [{ type: 'BOOKMARK', revision, initialEventsEnd }] : [];
    try {
      let cursor = request.after ?? this.recent.revision;
      if (request.after === undefined && request.initialEvents) {
        const existing = this.existing(selection);
        for (let at = 0; at < existing.length; at += COMMANDS_AT_ONCE)
          yield existing.slice(at, at + COMMANDS_AT_ONCE).map((object) => ({ type: 'ADDED', object }));
        if (request.markInitialEventsEnd) yield bookmark(cursor, true);
      }
      let bookmarkAt = this.clock.now() + BOOKMARK_EVERY_MS;
      while (!ending.signal.aborted) {
        if (!this.recent.covers(cursor)) {
          for await (const commands of this.fromLog(cursor)) {
            yield eventsOf(selection, commands, cursor);
            cursor = commands.at(-1)?.revision ?? cursor;
            if (ending.signal.aborted) break;
          }
          continue;
        }
        const head = this.recent.revision;
        const commands = this.recent.after(cursor, COMMANDS_AT_ONCE);
        const events = eventsOf(selection, commands, cursor);
        cursor = commands.length < COMMANDS_AT_ONCE ? Math.max(cursor, head) : (commands.at(-1)?.revision ?? cursor);
        if (events.length > 0) yield events;
        if (bookmarks && this.clock.now() >= bookmarkAt) {
          bookmarkAt = this.clock.now() + BOOKMARK_EVERY_MS;
          yield bookmark(cursor);
        }
        if (this.recent.revision === cursor)
          await this.pause(cursor, bookmarks ? bookmarkAt : undefined, ending.signal);
      }
      // A client that is gone needs no bookmark; one whose time is up goes on from here.
      if (!signal.aborted) yield bookmark(cursor);
    } finally {
      cancelTimeout();
      ending.abort();
      signal.removeEventListener('abort', end);
    }
  }

  /** Taken in one go, at the revision that the watch then goes on from. */
  private existing(selection: Selection): StoredObject[] {
    const objects = [...this.projection.state.list(selection.kind, selection.namespace)];
    return objects
      .filter((object) => isSelected(selection, object))
      .map((object) => ({ key: listKey(object.meta), object }))
      .sort((a, b) => (a.key < b.key ? -1 : 1))
      .map(({ object }) => object);
  }

  /** Moves after a revision that memory does not reach back to, up to where it does. */
  private async *fromLog(after: Revision): AsyncGenerator<readonly CommandMoves[], void, void> {
    const state = await this.history.rebuild(after);
    while (!this.recent.covers(state.revision)) {
      const { commands, reached } = await this.history.advance(state, this.recent.floor);
      yield [...commands, { first: state.revision, revision: state.revision, moves: [] }];
      if (!reached) return;
    }
  }

  private async pause(cursor: Revision, until: number | undefined, ending: AbortSignal): Promise<void> {
    const woken = new AbortController();
    const wake = (): void => woken.abort();
    ending.addEventListener('abort', wake);
    const cancel = until === undefined ? undefined : this.clock.after(Math.max(1, until - this.clock.now()), wake);
    await this.recent.beyond(cursor, woken.signal);
    cancel?.();
    ending.removeEventListener('abort', wake);
    wake();
  }
}

/** A client may resume inside a command (one object of it seen, another not): what it has seen is not sent again. */
function eventsOf(selection: Selection, commands: readonly CommandMoves[], after: Revision): WatchEvent[] {
  return commands.flatMap(({ moves }) =>
    moves.filter(({ revision }) => revision > after).flatMap((move) => watchEventsOf(selection, move)),
  );
}
