import {
  type AppendCommand,
  type Appended,
  BrokenInvariant,
  type IdSource,
  type Recorded,
  StaleEpoch,
  VersionConflict,
} from '#domain';
import type { Outcome } from '../coalescer.js';
import { type EventCodec, parseInt8 } from '../event-codec.js';

/** A command on its way: payloads are encoded while the batch before is under way. */
export interface EncodedCommand {
  readonly command: AppendCommand;
  /** One line of JSON per event, in the order of the writes. */
  readonly payloads: readonly string[];
  /** The id of each event. A repeat after a lost answer carries the same. */
  readonly eventIds: readonly string[];
  /** About how much of a batch it takes. */
  readonly bytes: number;
}

/** Ids, names and lengths beside the payload, estimated: the bound of a batch needs no more. */
const BYTES_PER_EVENT = 200;

export function encodeCommand(command: AppendCommand, codec: EventCodec, ids: Pick<IdSource, 'uuid'>): EncodedCommand {
  const payloads = command.writes.flatMap(({ events }) => events.map((event) => codec.encodeData(event)));
  const bytes = payloads.reduce((sum, payload) => sum + payload.length + BYTES_PER_EVENT, 0);
  return { command, payloads, eventIds: payloads.map(() => ids.uuid()), bytes };
}

/** Numbers as an array literal, which costs less than what the driver makes of a JavaScript array. */
const intArray = (values: readonly (number | null)[]): string =>
  `{${values.map((value) => (value === null ? 'null' : value)).join(',')}}`;

/** Numbers names from 1 in the order of their first appearance. */
class Numbering {
  readonly #numbers = new Map<string, number>();

  of(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    this.#numbers.set(name, this.#numbers.size + 1);
    return this.#numbers.size;
  }

  get names(): string[] {
    return [...this.#numbers.keys()];
  }
}

/** Where each name stands first in the list, from 1. */
function firstPlaces(names: readonly string[]): number[] {
  const places = new Map<string, number>();
  return names.map((name, index) => {
    const place = places.get(name) ?? index + 1;
    places.set(name, place);
    return place;
  });
}

/** The parameters of the `append` function (migration 0002): the batch flattened, streams named once and then by number. */
export function batchParameters(batch: readonly EncodedCommand[], codec: EventCodec): unknown[] {
  const streams = new Numbering();
  const checkCommands: number[] = [];
  const checkStreams: number[] = [];
  const checkVersions: number[] = [];
  const eventCommands: number[] = [];
  const eventStreams: number[] = [];
  const eventTypes: string[] = [];
  const eventSchemaVersions: number[] = [];
  batch.forEach(({ command }, index) => {
    const expect = (stream: string, version: number): void => {
      checkCommands.push(index + 1);
      checkStreams.push(streams.of(stream));
      checkVersions.push(version);
    };
    for (const { stream, version } of command.guards ?? []) expect(stream, version);
    for (const { stream, expectedVersion, events } of command.writes) {
      expect(stream, expectedVersion);
      for (const { type } of events) {
        eventCommands.push(index + 1);
        eventStreams.push(streams.of(stream));
        eventTypes.push(type);
        eventSchemaVersions.push(codec.schemaVersionOf(type));
      }
    }
  });
  const commands = batch.map(({ command }) => command);
  const commandIds = commands.map(({ commandId }) => commandId);
  const contexts = commands.map(({ context }) => context);
  return [
    streams.names,
    commandIds,
    intArray(firstPlaces(commandIds)),
    intArray(commands.map(({ schedulerEpoch }) => schedulerEpoch ?? null)),
    contexts.map(({ actor }) => actor.kind),
    contexts.map(({ actor }) => actor.name),
    contexts.map(({ requestId }) => requestId),
    contexts.map(({ causationId }) => causationId ?? null),
    contexts.map(({ correlationId }) => correlationId),
    intArray(checkCommands),
    intArray(checkStreams),
    intArray(checkVersions),
    intArray(eventCommands),
    intArray(eventStreams),
    eventTypes,
    intArray(eventSchemaVersions),
    `{${batch.map(({ eventIds }) => eventIds.join(',')).join(',')}}`,
    batch.flatMap(({ payloads }) => payloads).join('\n'),
  ];
}

/** A verdict of the `append` function, every column as text. */
export type VerdictRow = [
  outcome: string,
  first: string | null,
  last: string | null,
  stream: string | null,
  expected: string | null,
  actual: string | null,
  timeMs: string | null,
];

function given(text: string | null): string {
  if (text === null) throw new BrokenInvariant('a verdict of the append function lacks a column');
  return text;
}

export function outcomeOf(row: VerdictRow, command: AppendCommand): Outcome<Appended> {
  const [outcome, first, last, stream, expected, actual] = row;
  switch (outcome) {
    case 'ok':
    case 'duplicate':
      return {
        value: { first: parseInt8(given(first)), last: parseInt8(given(last)), duplicate: outcome === 'duplicate' },
      };
    case 'conflict':
      return { error: new VersionConflict(given(stream), parseInt8(given(expected)), parseInt8(given(actual))) };
    case 'stale':
      return { error: new StaleEpoch(command.schedulerEpoch ?? 0, parseInt8(given(actual))) };
    default:
      throw new BrokenInvariant(`no such verdict: ${outcome}`);
  }
}

/**
 * The events of a command that the verdict has accepted just now, as reading them back would give them: their data is parsed
 * from the JSON that was stored. None of a command that was refused, or known before.
 */
export function recordedBy(row: VerdictRow, encoded: EncodedCommand, codec: EventCodec): Recorded[] {
  const [outcome, first, last, , , , timeMs] = row;
  if (outcome !== 'ok') return [];
  const { commandId, context, writes } = encoded.command;
  const commandLast = parseInt8(given(last));
  const time = parseInt8(given(timeMs));
  const actor = { kind: context.actor.kind, name: context.actor.name };
  const { requestId, causationId, correlationId } = context;
  let revision = parseInt8(given(first));
  let index = 0;
  return writes.flatMap(({ stream, expectedVersion, events }) =>
    events.map(({ type }, nth) => {
      const event: Recorded = {
        type,
        data: codec.parseData(given(encoded.payloads[index] ?? null)),
        id: given(encoded.eventIds[index] ?? null),
        revision,
        stream,
        version: expectedVersion + nth + 1,
        time,
        schemaVersion: codec.schemaVersionOf(type),
        commandId,
        commandLast,
        actor,
        requestId,
        correlationId,
        ...(causationId !== undefined && { causationId }),
      };
      index += 1;
      revision += 1;
      return event;
    }),
  );
}
