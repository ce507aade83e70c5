import type { Kind, Revision, StoredObject } from '#domain';
import type { WatchEvent } from '../../apps/api/src/watch/watch-event.js';
import type { EventLoop } from './event-loop.js';
import type { LoggedCommand } from './oracle.js';
import type { Random } from './random.js';
import type { ApiReplica } from './replicas.js';
import { errorText, type SimProcess } from './sim-process.js';
import type { Verdicts } from './verdicts.js';

/** What one command did to one object. */
interface Move {
  readonly before?: StoredObject;
  readonly after?: StoredObject;
  readonly revision: Revision;
}

/** What a watch of everything would show: made from the log's own state, command by command. */
export class Chronicle {
  readonly moves = new Map<Kind, Move[]>();

  record({ changes }: LoggedCommand): void {
    const byStream = new Map<string, { kind: Kind; before?: StoredObject; after?: StoredObject; revision: Revision }>();
    for (const { kind, stream, before, after, event } of changes) {
      const key = `${kind} ${stream}`;
      const earlier = byStream.get(key);
      const first = earlier ? earlier.before : before;
      byStream.set(key, { kind, revision: event.revision, ...(first && { before: first }), ...(after && { after }) });
    }
    const moves = [...byStream.values()]
      .filter(({ before, after }) => before?.meta.resourceVersion !== after?.meta.resourceVersion)
      .map((move) => ({ ...move, revision: move.after?.meta.resourceVersion ?? move.revision }))
      .sort((a, b) => a.revision - b.revision);
    for (const move of moves) {
      const known = this.moves.get(move.kind);
      if (known) known.push(move);
      else this.moves.set(move.kind, [move]);
    }
  }

  movesOf(kind: Kind): Move[] {
    return this.moves.get(kind) ?? [];
  }
}

export interface WatcherOptions {
  readonly name: string;
  readonly loop: EventLoop;
  readonly random: Random;
  readonly replicas: readonly ApiReplica[];
  readonly chronicle: Chronicle;
  readonly verdicts: Verdicts;
  readonly kind: Kind;
  /** Only objects with this label `tier`. */
  readonly tier?: string;
  /** What was seen before: everything after it is to be shown. */
  readonly after: Revision;
}

const INVARIANT = 'a watch shows each change once, in order';

/** A client that watches, and watches on from where it was whenever its watch ends. */
export class Watcher {
  private cursor: Revision;
  /** Events taken so far. */
  private taken = 0;
  private readonly expected: string[] = [];
  private expectedFrom = 0;

  constructor(private readonly options: WatcherOptions) {
    this.cursor = options.after;
  }

  open(): void {
    const { loop, random, replicas, name } = this.options;
    const replica = random.pick(replicas);
    const { process } = replica;
    loop.schedule(random.spread(1, 500), `${name} watches ${replica.name}`, () => {
      if (!process || process.state === 'dead') return this.open();
      let isOpen = true;
      const ended = (why: string): void => {
        if (!isOpen) return;
        isOpen = false;
        loop.note(`${name}: the watch ended: ${why}`);
        this.open();
      };
      process.onEnd(() => ended('the replica died'));
      process.later(0, `${name} watches after ${this.cursor}`, () => {
        this.consume(replica, process).then(
          () => process.later(0, 'watch over', () => ended('timeout')),
          (error: unknown) => process.later(0, 'watch failed', () => ended(errorText(error))),
        );
      });
    });
  }

  /** What is still to be seen. */
  get missing(): string | undefined {
    this.lookAhead();
    const next = this.expected[this.taken];
    return next && `${this.options.name} (after ${this.options.after}, at ${this.cursor}) has not seen ${next}`;
  }

  private async consume(replica: ApiReplica, process: SimProcess): Promise<void> {
    const { core } = replica;
    const { kind, tier, random, after } = this.options;
    if (!core || replica.process !== process) return;
    const matches = ({ meta }: StoredObject): boolean => tier === undefined || meta.labels['tier'] === tier;
    const request = {
      selection: { kind, matches },
      after: this.cursor,
      initialEvents: false,
      markInitialEventsEnd: false,
      bookmarks: after % 2 === 0,
      timeoutMs: random.integer(5_000, 60_000),
    };
    const batches = await core.watches.open(request, new AbortController().signal);
    for await (const batch of batches) for (const event of batch) this.take(event);
  }

  private take(event: WatchEvent): void {
    if (event.type === 'BOOKMARK') {
      this.cursor = Math.max(this.cursor, event.revision);
      return;
    }
    const seen = lineOf(event.type, event.object, event.object.meta.resourceVersion);
    if (this.expected[this.taken] === undefined) this.lookAhead();
    const expected = this.expected[this.taken];
    this.options.verdicts.check(
      expected === seen,
      INVARIANT,
      () => `${this.options.name}, watching after ${this.options.after}, was shown ${seen}; next was ${expected}`,
    );
    this.taken += 1;
    this.cursor = event.object.meta.resourceVersion;
  }

  private lookAhead(): void {
    const { chronicle, kind, tier, after } = this.options;
    const moves = chronicle.movesOf(kind);
    const matches = (object: StoredObject | undefined): object is StoredObject =>
      object !== undefined && (tier === undefined || object.meta.labels['tier'] === tier);
    for (const { before, after: now, revision } of moves.slice(this.expectedFrom)) {
      if (revision <= after) continue;
      const was = matches(before) ? before : undefined;
      const is = matches(now) ? now : undefined;
      const isSame = was !== undefined && is !== undefined && was.meta.uid === is.meta.uid;
      if (isSame) this.expected.push(lineOf('MODIFIED', is, revision));
      else {
        if (was) this.expected.push(lineOf('DELETED', was, revision));
        if (is) this.expected.push(lineOf('ADDED', is, revision));
      }
    }
    this.expectedFrom = moves.length;
  }
}

const lineOf = (type: string, { meta }: StoredObject, revision: Revision): string =>
  `${type} ${meta.namespace}/${meta.name} ${meta.uid} at ${revision}`;
