import { type EntitySchemaColumnOptions, EntitySchema } from 'typeorm';
import { parseInt8 } from '../event-codec.js';

/**
 * The tables of the log as TypeORM sees them: cold reads go through these, and a test holds them against what the migrations
 * made. Hot paths use SQL.
 */

const int8: EntitySchemaColumnOptions = {
  type: 'bigint',
  transformer: { from: parseInt8, to: (value: unknown) => value },
};
const text: EntitySchemaColumnOptions = { type: 'text', collation: 'C' };

/** The one row that hands out revisions. Whoever appends holds its lock until the commit is visible (ADR 0002). */
export interface LogHeadRow {
  readonly onlyRow: boolean;
  readonly lastRevision: number;
  readonly lastTimeMs: number;
  readonly schedulerEpoch: number;
  /** The first revision that no partition of `events` takes. */
  readonly partitionedTo: number;
  readonly clusterId: string;
}

export const LogHeadEntity = new EntitySchema<LogHeadRow>({
  name: 'log_head',
  columns: {
    onlyRow: { type: 'boolean', name: 'only_row', primary: true, default: true },
    lastRevision: { ...int8, name: 'last_revision' },
    lastTimeMs: { ...int8, name: 'last_time_ms' },
    schedulerEpoch: { ...int8, name: 'scheduler_epoch' },
    partitionedTo: { ...int8, name: 'partitioned_to' },
    clusterId: { type: 'uuid', name: 'cluster_id' },
  },
  checks: [{ name: 'log_head_only_row_check', expression: 'only_row' }],
});

/** An event, as `event-codec.ts` reads it: partitioned by revision, written by `append` only, never changed. */
export interface StoredEventRow {
  readonly revision: number;
  readonly streamId: string;
  readonly version: number;
  readonly type: string;
  readonly schemaVersion: number;
  readonly timeMs: number;
  readonly id: string;
  readonly commandId: string;
  readonly commandLast: number;
  readonly actorKind: string;
  readonly actorName: string;
  readonly requestId: string;
  readonly causationId: string | null;
  readonly correlationId: string;
  readonly data: object;
}

export const StoredEventEntity = new EntitySchema<StoredEventRow>({
  name: 'events',
  columns: {
    revision: { ...int8, primary: true },
    streamId: { ...text, name: 'stream_id' },
    version: int8,
    type: text,
    schemaVersion: { type: 'integer', name: 'schema_version' },
    timeMs: { ...int8, name: 'time_ms' },
    id: { type: 'uuid' },
    commandId: { ...text, name: 'command_id' },
    commandLast: { ...int8, name: 'command_last' },
    actorKind: { ...text, name: 'actor_kind' },
    actorName: { ...text, name: 'actor_name' },
    requestId: { ...text, name: 'request_id' },
    causationId: { ...text, name: 'causation_id', nullable: true },
    correlationId: { ...text, name: 'correlation_id' },
    // json, not jsonb: exact bytes, for hashing, and the faster of the two to load.
    data: { type: 'json' },
  },
  indices: [{ name: 'events_stream', columns: ['streamId', 'version'] }],
});

/** Where each stream stands: the uniqueness that a table partitioned by revision cannot promise. */
export interface StreamRow {
  readonly streamId: string;
  readonly version: number;
}

export const StreamEntity = new EntitySchema<StreamRow>({
  name: 'streams',
  columns: { streamId: { ...text, name: 'stream_id', primary: true }, version: int8 },
});

/** What a command id has written, kept for ever: a repeat returns it. */
export interface CommandRow {
  readonly commandId: string;
  readonly first: number;
  readonly last: number;
}

export const CommandEntity = new EntitySchema<CommandRow>({
  name: 'commands',
  columns: { commandId: { ...text, name: 'command_id', primary: true }, first: int8, last: int8 },
});

/** One chunk of a snapshot: brotli over the JSON of a `SnapshotChunk`. */
export interface SnapshotChunkRow {
  readonly name: string;
  readonly format: number;
  readonly revision: number;
  readonly chunk: number;
  readonly data: Buffer;
}

export const SnapshotChunkEntity = new EntitySchema<SnapshotChunkRow>({
  name: 'snapshots',
  columns: {
    name: { ...text, primary: true },
    format: { type: 'integer', primary: true },
    revision: { ...int8, primary: true },
    chunk: { type: 'integer', primary: true },
    data: { type: 'bytea' },
  },
});

/** Who holds what until when, by the database's clock. An empty holder: released. */
export interface LeaseRow {
  readonly name: string;
  readonly holder: string;
  readonly epoch: number;
  readonly expiresAt: Date;
}

export const LeaseEntity = new EntitySchema<LeaseRow>({
  name: 'leases',
  columns: {
    name: { ...text, primary: true },
    holder: text,
    epoch: int8,
    expiresAt: { type: 'timestamptz', name: 'expires_at' },
  },
});

/** The key of one secret, wrapped with the master key. */
export interface SecretKeyRow {
  readonly uid: string;
  readonly wrapped: Buffer;
  readonly masterKeyId: string;
  readonly madeAt: Date;
}

export const SecretKeyEntity = new EntitySchema<SecretKeyRow>({
  name: 'secret_keys',
  columns: {
    uid: { ...text, primary: true },
    wrapped: { type: 'bytea' },
    masterKeyId: { ...text, name: 'master_key_id' },
    madeAt: { type: 'timestamptz', name: 'made_at', default: () => 'clock_timestamp()' },
  },
});

/** The one row that says which master key this database's keys are wrapped with. */
export interface VaultRow {
  readonly onlyRow: boolean;
  readonly masterKeyId: string;
}

export const VaultEntity = new EntitySchema<VaultRow>({
  name: 'vault',
  columns: {
    onlyRow: { type: 'boolean', name: 'only_row', primary: true, default: true },
    masterKeyId: { ...text, name: 'master_key_id' },
  },
  checks: [{ name: 'vault_only_row_check', expression: 'only_row' }],
});

export const LOG_ENTITIES = [
  LogHeadEntity,
  StoredEventEntity,
  StreamEntity,
  CommandEntity,
  SnapshotChunkEntity,
  LeaseEntity,
  SecretKeyEntity,
  VaultEntity,
];
