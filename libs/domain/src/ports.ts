import type { EventContext, EventEnvelope, Millis, NewEvent, Recorded, Revision } from './event.js';
import type { Json, JsonObject } from './json.js';

/**
 * The seams of the system. A port exists only where two real implementations do: the one of production and the one of the
 * simulation. Everything that waits goes through a port, so that one seed gives one trace.
 */

/** Time. Application classes take it from here only. */
export interface Clock {
  now(): Millis;
  /** Resolves after `ms`, or at once when the signal aborts (it never rejects). */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `run` once after `ms`; the returned function cancels. */
  after(ms: number, run: () => void): () => void;
}

/** Names nobody has used. */
export interface IdSource {
  uuid(): string;
  /** Uniform in [0, 1): jitter, and the letters of `generateName`. */
  random(): number;
}

/** Events for one stream, with the version the decider saw. `0`: the stream does not exist yet. */
export interface StreamWrite {
  readonly stream: string;
  readonly expectedVersion: number;
  readonly events: readonly NewEvent<string, unknown>[];
}

/**
 * One command: any number of writes, all or nothing, at consecutive revisions. `guards` are streams that must still be at
 * the given version though the command does not write them.
 */
export interface AppendCommand {
  /** The same id again returns the first append's revisions and writes nothing: that is how a lost COMMIT is repeated. At most 200 characters. */
  readonly commandId: string;
  readonly context: EventContext;
  readonly writes: readonly StreamWrite[];
  readonly guards?: readonly { readonly stream: string; readonly version: number }[];
  /** Present on the scheduler's commands: refused when a later scheduler has taken over. */
  readonly schedulerEpoch?: number;
}

export interface Appended {
  readonly first: Revision;
  readonly last: Revision;
  /** True when the command id was known and these are the revisions of its first append. */
  readonly duplicate: boolean;
}

/** A stream was not at the version the command was decided on. Decide again; never apply blindly. */
export class VersionConflict extends Error {
  constructor(
    readonly stream: string,
    readonly expected: number,
    readonly actual: number,
  ) {
    super(`${stream} is at version ${actual}, not ${expected}`);
    this.name = 'VersionConflict';
  }
}

/** A scheduler command carried an epoch that a later scheduler has outdated. The holder must stand down. */
export class StaleEpoch extends Error {
  constructor(
    readonly epoch: number,
    readonly current: number,
  ) {
    super(`scheduler epoch ${epoch} is over, the current one is ${current}`);
    this.name = 'StaleEpoch';
  }
}

/** The log cannot be reached, or its answer was lost: the outcome of an append is unknown and the same command may be repeated. */
export class LogUnavailable extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'LogUnavailable';
  }
}

/** A lease as held: `epoch` grows by one with every change of holder. */
export interface Lease {
  readonly name: string;
  readonly holder: string;
  readonly epoch: number;
}

/** A projection's state at a revision: a cache that shortens replay, never a source. */
export interface Snapshot {
  readonly name: string;
  /** Version of the snapshot's own format; a reader ignores those of another. */
  readonly format: number;
  readonly revision: Revision;
  readonly state: Json;
}

/** News that the log has grown: late, twice or not at all, and never a reason to skip what lies between. */
export interface Growth {
  /** The log holds at least the events up to here; absent: it may hold more than anybody knows. */
  readonly head?: Revision;
  /**
   * Whole commands at consecutive revisions, up to {@link head}: durable, and just as `readAfter` gives them. Who has all
   * that came before them need not read them.
   */
  readonly events?: readonly Recorded[];
}

/** The truth. Every implementation passes `test/contract/event-log.contract.ts`. */
export interface EventLog {
  /** Durable when it resolves. Throws {@link VersionConflict}, {@link StaleEpoch} or {@link LogUnavailable}. */
  append(command: AppendCommand): Promise<Appended>;
  /** The newest revision; `0` of an empty log. Throws {@link LogUnavailable}, as every read does. */
  head(): Promise<Revision>;
  /** Up to `limit` events after a revision, in order, without a gap. Fewer than `limit` means the head was reached. */
  readAfter(revision: Revision, limit: number): Promise<Recorded[]>;
  /** All events of a stream after a version, in order. */
  readStream(stream: string, afterVersion?: number): Promise<Recorded[]>;
  /**
   * Calls `grown` when the log may have grown: a hint, perhaps missing, perhaps twice. Readers read, and poll besides. What
   * this handle appends itself is told before `append` resolves, with the events.
   */
  onGrowth(grown: (news: Growth) => void): () => void;
  /** The newest snapshot of that name and format at or below `atMost`. */
  loadSnapshot(name: string, format: number, atMost?: Revision): Promise<Snapshot | undefined>;
  saveSnapshot(snapshot: Snapshot): Promise<void>;
  /**
   * Takes or renews a lease by the log's own clock; `undefined` while another holds it. Taking over raises the epoch;
   * for the lease `scheduler` also the epoch that {@link AppendCommand.schedulerEpoch} is checked against.
   */
  acquireLease(name: string, holder: string, ttlMs: number): Promise<Lease | undefined>;
  releaseLease(name: string, holder: string): Promise<void>;
  /** The id of this cluster: random, made with the log. */
  clusterId(): Promise<string>;
}

/**
 * Keys of secrets, outside the log: destroying one makes what it encrypted unreadable, however often that was copied. Every
 * implementation passes `test/contract/secret-vault.contract.ts`. All throw {@link LogUnavailable}.
 */
export interface SecretVault {
  /** The key (32 bytes) of a uid, made when it has none; durable when it resolves. */
  obtain(uid: string): Promise<Uint8Array>;
  /** The keys of those uids that have one. */
  keysOf(uids: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>>;
  /** Destroys keys for good; uids that have none are passed over. */
  destroy(uids: readonly string[]): Promise<void>;
  /** Uids whose key was made so long ago or longer, in milliseconds of the vault's own clock. */
  olderThan(ageMs: number): Promise<string[]>;
}

/** No answer came in time, or nobody listens. The request may or may not have been carried out. */
export class NoAnswer extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'NoAnswer';
  }
}

/** The other side refused a request and says why. */
export class RemoteRefusal extends Error {
  constructor(
    readonly reason: string,
    message: string,
  ) {
    super(message);
    this.name = 'RemoteRefusal';
  }
}

/** Ends a subscription; messages under way are still handled. */
export type Unsubscribe = () => void;

/** The news: at most once, unordered between subjects, never the truth. */
export interface MessageBus {
  /** Fire and forget; dropped while disconnected. */
  publish(subject: string, message: JsonObject): void;
  /** Subject tokens may be `*` and, last, `>`. */
  subscribe(subject: string, handle: (message: JsonObject, subject: string) => void): Unsubscribe;
  /** Throws {@link NoAnswer} after `timeoutMs` or when nobody listens, {@link RemoteRefusal} when the handler threw. */
  request(subject: string, message: JsonObject, timeoutMs: number): Promise<JsonObject>;
  /** Answers requests; of several with the same `queue` one answers each. What the handler throws reaches the requester as {@link RemoteRefusal}. */
  respond(
    subject: string,
    queue: string | undefined,
    handle: (message: JsonObject, subject: string) => Promise<JsonObject>,
  ): Unsubscribe;
  readonly connected: boolean;
  /** Called on every change of {@link connected}. */
  onConnection(changed: (connected: boolean) => void): Unsubscribe;
}

/** Another writer, or a wipe, moved the EVENTS stream: look at it again. */
export class FeedMoved extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'FeedMoved';
  }
}

/** The EVENTS stream: a contiguous window of the log. Revision = sequence + base. */
export interface EventFeed {
  /** Where the stream ends, or `undefined` when there is none. Throws {@link NoAnswer}. */
  inspect(): Promise<{ readonly base: Revision; readonly lastSequence: number } | undefined>;
  /** Makes the stream with its base in the description. */
  create(base: Revision): Promise<void>;
  /** Publishes in order, each expecting the sequence before it. Throws {@link FeedMoved} or {@link NoAnswer}; a prefix may then be in. */
  publish(
    afterSequence: number,
    messages: readonly { readonly subject: string; readonly event: EventEnvelope & NewEvent<string, unknown> }[],
  ): Promise<void>;
}
