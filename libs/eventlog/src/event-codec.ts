import { type Actor, BrokenInvariant, invariant, type JsonObject, type NewEvent, type Recorded } from '#domain';

/** Lifts the data of one event type from schema version `from` to `from + 1`. Pure; events in the log are never rewritten. */
export interface Upcaster {
  readonly type: string;
  readonly from: number;
  up(data: JsonObject): JsonObject;
}

/**
 * An event as the database answers it: every column as text, in the order of {@link EVENT_COLUMNS}. Nothing but the codec
 * looks inside.
 */
export type EventRow = [
  revision: string,
  stream: string,
  version: string,
  type: string,
  schemaVersion: string,
  timeMs: string,
  id: string,
  commandId: string,
  commandLast: string,
  actorKind: string,
  actorName: string,
  requestId: string,
  causationId: string | null,
  correlationId: string,
  data: string,
];

/** The columns of an {@link EventRow}, as a select list. */
export const EVENT_COLUMNS =
  'revision, stream_id, version, type, schema_version, time_ms, id, command_id, command_last,' +
  ' actor_kind, actor_name, request_id, causation_id, correlation_id, data';

/** Reads an int8 as the database writes it. Throws `BrokenInvariant` beyond 2^53, where a number would no longer be exact. */
export function parseInt8(text: string): number {
  const value = Number(text);
  invariant(Number.isSafeInteger(value), `not an exact integer: ${text}`);
  return value;
}

function parseActorKind(text: string): Actor['kind'] {
  if (text === 'user' || text === 'system' || text === 'node') return text;
  throw new BrokenInvariant(`no such kind of actor: ${text}`);
}

const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Turns events into rows and rows into events, in the newest schema version of their type. */
export class EventCodec {
  /** Per type, the step from version `n` at index `n - 1`. */
  readonly #steps = new Map<string, readonly Upcaster[]>();

  /** Throws `BrokenInvariant` unless the upcasters of every type form one chain from version 1. */
  constructor(upcasters: readonly Upcaster[] = []) {
    for (const type of new Set(upcasters.map((upcaster) => upcaster.type))) {
      const steps = upcasters.filter((upcaster) => upcaster.type === type).sort((a, b) => a.from - b.from);
      steps.forEach((step, index) =>
        invariant(step.from === index + 1, `upcasters of ${type} leave version ${index + 1} behind or lift it twice`),
      );
      this.#steps.set(type, steps);
    }
  }

  /** The schema version that new events of a type are written in, from 1. */
  schemaVersionOf(type: string): number {
    return (this.#steps.get(type)?.length ?? 0) + 1;
  }

  /** The payload as stored: one line of JSON. Throws `BrokenInvariant` when the data is no object. */
  encodeData(event: NewEvent<string, unknown>): string {
    invariant(isJsonObject(event.data), `the data of ${event.type} is no JSON object`);
    return JSON.stringify(event.data);
  }

  /** The inverse of {@link encodeData}. Throws `BrokenInvariant` when it is no object. */
  parseData(payload: string): JsonObject {
    const data: unknown = JSON.parse(payload);
    invariant(isJsonObject(data), 'the data of an event is no JSON object');
    return data;
  }

  /** Data of an older schema version in the newest one. Throws `BrokenInvariant` when it is newer than this program. */
  upcast(type: string, schemaVersion: number, data: JsonObject): JsonObject {
    const newest = this.schemaVersionOf(type);
    invariant(
      schemaVersion >= 1 && schemaVersion <= newest,
      `${type} has schema version ${schemaVersion}; this program knows 1 to ${newest}`,
    );
    const steps = this.#steps.get(type) ?? [];
    return steps.slice(schemaVersion - 1).reduce((lifted, step) => step.up(lifted), data);
  }

  /** The event of a row. Throws `BrokenInvariant` on a row that this program cannot have written. */
  decode(row: EventRow): Recorded {
    const type = row[3];
    const schemaVersion = Number(row[4]);
    const newest = this.schemaVersionOf(type);
    const stored = this.parseData(row[14]);
    // One flat literal: replay makes millions of these, and merging objects was measured at several times the cost.
    const event: { -readonly [Key in keyof Recorded]: Recorded[Key] } = {
      type,
      data: schemaVersion === newest ? stored : this.upcast(type, schemaVersion, stored),
      id: row[6],
      revision: parseInt8(row[0]),
      stream: row[1],
      version: parseInt8(row[2]),
      time: parseInt8(row[5]),
      schemaVersion: newest,
      commandId: row[7],
      commandLast: parseInt8(row[8]),
      actor: { kind: parseActorKind(row[9]), name: row[10] },
      requestId: row[11],
      correlationId: row[13],
    };
    if (row[12] !== null) event.causationId = row[12];
    return event;
  }
}
