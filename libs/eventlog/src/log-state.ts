import {
  type AppendCommand,
  type Appended,
  type Clock,
  type IdSource,
  type Json,
  type Lease,
  type Recorded,
  type Revision,
  type Snapshot,
  StaleEpoch,
  VersionConflict,
} from '#domain';
import { checkCommand } from './command-checks.js';
import { EventCodec } from './event-codec.js';
import { snapshotsToKeep } from './snapshot-retention.js';

/** The lease whose epoch fences scheduler commands. */
export const SCHEDULER_LEASE = 'scheduler';

interface LeaseRow {
  holder: string | undefined;
  epoch: number;
  expiresAt: number;
}

/** Freezes JSON all the way down: one recorded event is handed to every reader, and none may change it for the others. */
function freeze<T extends Json | undefined>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) freeze(inner);
  }
  return value;
}

/**
 * What a log remembers and the rules by which it grows, in memory and without waiting: the model that the Postgres log must
 * match. Several {@link InMemoryEventLog}s may share one, as several processes share a database. It outlives them all.
 */
export class LogState {
  readonly clusterId: string;
  readonly #events: Recorded[] = [];
  readonly #streams = new Map<string, Recorded[]>();
  readonly #commands = new Map<string, Appended>();
  readonly #snapshots: { name: string; format: number; revision: Revision; json: string }[] = [];
  readonly #leases = new Map<string, LeaseRow>();
  readonly #watchers = new Set<(events: readonly Recorded[]) => void>();
  #schedulerEpoch = 0;
  #lastTime = 0;

  constructor(
    private readonly clock: Clock,
    private readonly ids: IdSource,
    private readonly codec = new EventCodec(),
  ) {
    this.clusterId = ids.uuid();
  }

  head(): Revision {
    return this.#events.length;
  }

  append(command: AppendCommand): Appended {
    checkCommand(command);
    const known = this.#commands.get(command.commandId);
    if (known) return { ...known, duplicate: true };
    if (command.schedulerEpoch !== undefined && command.schedulerEpoch < this.#schedulerEpoch)
      throw new StaleEpoch(command.schedulerEpoch, this.#schedulerEpoch);
    for (const { stream, version } of command.guards ?? []) this.#expect(stream, version);
    for (const { stream, expectedVersion } of command.writes) this.#expect(stream, expectedVersion);
    const recorded = this.#record(command);
    for (const event of recorded) {
      this.#events.push(event);
      const stream = this.#streams.get(event.stream);
      if (stream) stream.push(event);
      else this.#streams.set(event.stream, [event]);
    }
    const appended = { first: this.head() - recorded.length + 1, last: this.head(), duplicate: false };
    this.#commands.set(command.commandId, appended);
    for (const grown of [...this.#watchers]) grown(recorded);
    return appended;
  }

  readAfter(revision: Revision, limit: number): Recorded[] {
    return this.#events.slice(revision, revision + limit);
  }

  readStream(stream: string, afterVersion: number): Recorded[] {
    return (this.#streams.get(stream) ?? []).slice(afterVersion);
  }

  /** Calls `grown` after every append with its events, synchronously; the returned function ends that. */
  watch(grown: (events: readonly Recorded[]) => void): () => void {
    this.#watchers.add(grown);
    return () => this.#watchers.delete(grown);
  }

  loadSnapshot(name: string, format: number, atMost: Revision): Snapshot | undefined {
    const found = this.#snapshotsOf(name, format)
      .filter(({ revision }) => revision <= atMost)
      .sort((a, b) => b.revision - a.revision)[0];
    if (!found) return undefined;
    const state: Json = JSON.parse(found.json);
    return { name, format, revision: found.revision, state };
  }

  saveSnapshot({ name, format, revision, state }: Snapshot): void {
    // The same revision again is the same state.
    if (this.#snapshotsOf(name, format).some((other) => other.revision === revision)) return;
    this.#snapshots.push({ name, format, revision, json: JSON.stringify(state) });
    const kept = snapshotsToKeep(this.#snapshotsOf(name, format).map((snapshot) => snapshot.revision));
    this.#dropSnapshots((other) => other.name === name && other.format === format && !kept.has(other.revision));
  }

  acquireLease(name: string, holder: string, ttlMs: number): Lease | undefined {
    const now = this.clock.now();
    const lease = this.#leases.get(name) ?? { holder: undefined, epoch: 0, expiresAt: now };
    if (lease.holder !== undefined && lease.holder !== holder && lease.expiresAt > now) return undefined;
    const epoch = lease.holder === holder ? lease.epoch : lease.epoch + 1;
    this.#leases.set(name, { holder, epoch, expiresAt: now + ttlMs });
    if (name === SCHEDULER_LEASE) this.#schedulerEpoch = epoch;
    return { name, holder, epoch };
  }

  releaseLease(name: string, holder: string): void {
    const lease = this.#leases.get(name);
    if (lease?.holder === holder) lease.holder = undefined;
  }

  #expect(stream: string, version: number): void {
    const actual = this.#streams.get(stream)?.length ?? 0;
    if (actual !== version) throw new VersionConflict(stream, version, actual);
  }

  #record(command: AppendCommand): Recorded[] {
    this.#lastTime = Math.max(this.#lastTime, this.clock.now());
    const count = command.writes.reduce((sum, { events }) => sum + events.length, 0);
    const commandLast = this.head() + count;
    let revision = this.head();
    return command.writes.flatMap(({ stream, expectedVersion, events }) =>
      events.map((event, index) =>
        freeze({
          type: event.type,
          data: JSON.parse(this.codec.encodeData(event)),
          id: this.ids.uuid(),
          revision: ++revision,
          stream,
          version: expectedVersion + index + 1,
          time: this.#lastTime,
          schemaVersion: this.codec.schemaVersionOf(event.type),
          commandId: command.commandId,
          commandLast,
          ...command.context,
          actor: { ...command.context.actor },
        }),
      ),
    );
  }

  #snapshotsOf(name: string, format: number): { revision: Revision; json: string }[] {
    return this.#snapshots.filter((snapshot) => snapshot.name === name && snapshot.format === format);
  }

  #dropSnapshots(unwanted: (snapshot: { name: string; format: number; revision: Revision }) => boolean): void {
    const kept = this.#snapshots.filter((snapshot) => !unwanted(snapshot));
    this.#snapshots.splice(0, this.#snapshots.length, ...kept);
  }
}
