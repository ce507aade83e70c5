import type { Json, JsonObject } from '#domain';
import protobuf from 'protobufjs/minimal.js';
import { decodeObject, maxBodyBytes } from '../decode/decode-strict.js';
import { parseJson } from '../decode/parse-json.js';
import { maxDepth, setOwn, tooDeep } from '../decode/parsed.js';
import {
  apiVersionOf,
  schemaOf,
  typeOfKind,
  type GroupVersionKind,
  type ScalarName,
  type Shape,
} from '../schema/schema.js';
import type { TypeId } from '../schema/wire-type.js';
import { badRequest, WireError } from '../wire-error.js';
import { timeOfParts } from '../wire-times.js';
import { fieldsByNumber, type Numbered } from './field-numbers.js';

type Reader = InstanceType<typeof protobuf.Reader>;

/** The bytes every protobuf body of the API begins with: `k8s` and a zero. */
const magic = [0x6b, 0x38, 0x73, 0x00];

/** Protobuf's wire types that the API uses. */
const varint = 0;
const fixed64 = 1;
const delimited = 2;

/**
 * Reads a protobuf body as an object of a kind, in its JSON form: empty values that Go's encoder writes are left out.
 * Fields without a number in our tables are skipped, as protobuf asks. Throws a {@link WireError}.
 */
export function decodeProtobuf(gvk: GroupVersionKind, bytes: Uint8Array): JsonObject {
  if (bytes.byteLength > maxBodyBytes) {
    throw new WireError('RequestEntityTooLarge', `Request entity too large: limit is ${maxBodyBytes}`);
  }
  if (magic.some((byte, index) => bytes[index] !== byte)) {
    throw badRequest('the body is not Kubernetes protobuf: it does not begin with its four bytes');
  }
  const type = typeOfKind(gvk);
  if (!type) throw badRequest(`no kind "${gvk.kind}" is registered for version "${apiVersionOf(gvk)}"`);
  const envelope = readSafely(() => readEnvelope(bytes.subarray(magic.length)));
  // Options of a deletion travel under the version of whatever is deleted.
  const apiVersion = gvk.kind === 'DeleteOptions' ? apiVersionOf(gvk) : envelope.apiVersion;
  const object = readSafely(() => new MessageReader().message(type, envelope.raw, 0));
  return decodeObject(gvk, {
    ...object,
    ...(apiVersion ? { apiVersion } : {}),
    ...(envelope.kind ? { kind: envelope.kind } : {}),
  }).object;
}

/** Whatever the library throws of truncated or malformed bytes is the client's fault. */
function readSafely<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof WireError) throw error;
    const problem = error instanceof Error ? error.message.slice(0, 200) : 'malformed';
    throw new WireError('BadRequest', `the protobuf body cannot be read: ${problem}`, { cause: error });
  }
}

interface Envelope {
  readonly apiVersion: string;
  readonly kind: string;
  readonly raw: Uint8Array;
}

/** `runtime.Unknown`: typeMeta 1 {apiVersion 1, kind 2}, raw 2, contentEncoding 3, contentType 4. */
function readEnvelope(bytes: Uint8Array): Envelope {
  let envelope: Envelope = { apiVersion: '', kind: '', raw: new Uint8Array() };
  for (const entry of entries(bytes)) {
    if (entry.field === 1) envelope = { ...envelope, ...readTypeMeta(bytesOf(entry)) };
    else if (entry.field === 2) envelope = { ...envelope, raw: bytesOf(entry) };
    else if (entry.field === 3 && bytesOf(entry).length > 0)
      throw badRequest('encoded protobuf bodies are not understood');
    else if (entry.field > 3) skip(entry);
  }
  return envelope;
}

function readTypeMeta(bytes: Uint8Array): { apiVersion: string; kind: string } {
  const found = { apiVersion: '', kind: '' };
  for (const entry of entries(bytes)) {
    if (entry.field === 1) found.apiVersion = utf8(bytesOf(entry));
    else if (entry.field === 2) found.kind = utf8(bytesOf(entry));
    else skip(entry);
  }
  return found;
}

/** One field of a message; whoever takes it reads or skips its value. */
interface Entry {
  readonly field: number;
  readonly wireType: number;
  readonly reader: Reader;
}

/** The entries of a message. */
function* entries(bytes: Uint8Array): Generator<Entry> {
  const reader = protobuf.Reader.create(bytes);
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 === 0) throw badRequest('the protobuf body cannot be read: a field has the number 0');
    yield { field: tag >>> 3, wireType: tag & 7, reader };
  }
}

function bytesOf({ wireType, reader }: Entry): Uint8Array {
  if (wireType !== delimited) throw wrongWireType(wireType);
  return reader.bytes();
}

const skip = ({ wireType, reader }: Entry): void => void reader.skipType(wireType);

const wrongWireType = (wireType: number): WireError =>
  badRequest(`the protobuf body cannot be read: a field has the unexpected wire type ${wireType}`);

const strictUtf8 = new TextDecoder('utf-8', { fatal: true });
const utf8 = (bytes: Uint8Array): string => strictUtf8.decode(bytes);

class MessageReader {
  message(type: TypeId, bytes: Uint8Array, depth: number): JsonObject {
    const object: Record<string, Json> = {};
    this.fields(type, fieldsByNumber(type), bytes, object, depth);
    return object;
  }

  private fields(
    type: TypeId,
    numbers: ReadonlyMap<number, Numbered>,
    bytes: Uint8Array,
    into: Record<string, Json>,
    depth: number,
  ): void {
    if (depth > maxDepth) throw tooDeep();
    for (const entry of entries(bytes)) {
      const numbered = numbers.get(entry.field);
      if (!numbered) skip(entry);
      else if (numbered.is === 'part') this.fields(type, numbered.fields, bytesOf(entry), into, depth + 1);
      else this.field(type, numbered, entry, into, depth);
    }
  }

  private field(
    type: TypeId,
    { name, pointer }: Extract<Numbered, { is: 'field' }>,
    entry: Entry,
    into: Record<string, Json>,
    depth: number,
  ): void {
    const shape = schemaOf(type).fields.get(name)?.shape;
    if (!shape) return skip(entry);
    switch (shape.is) {
      case 'list': {
        const list = (into[name] ??= []) as Json[];
        list.push(...this.elements(shape.of, entry, depth));
        return;
      }
      case 'map': {
        const map = (into[name] ??= {}) as Record<string, Json>;
        const { key, value } = this.mapEntry(shape.of, bytesOf(entry), depth);
        return setOwn(map, key, value);
      }
      case 'type':
        into[name] = this.message(shape.type, bytesOf(entry), depth + 1);
        return;
      case 'scalar': {
        const value = this.scalar(shape.scalar, entry);
        const zero = shape.scalar !== 'intOrString' && (value === '' || value === 0 || value === false);
        if (value === null || (zero && !pointer)) delete into[name];
        else into[name] = value;
        return;
      }
    }
  }

  /** One element, or several of a packed list of numbers. */
  private elements(of: Shape, entry: Entry, depth: number): Json[] {
    if (of.is === 'type') return [this.message(of.type, bytesOf(entry), depth + 1)];
    if (of.is !== 'scalar') throw badRequest('the protobuf body cannot be read: a list holds lists');
    const packed =
      entry.wireType === delimited && (of.scalar === 'int32' || of.scalar === 'int64' || of.scalar === 'boolean');
    if (!packed) return [this.scalar(of.scalar, entry)];
    const reader = protobuf.Reader.create(bytesOf(entry));
    const values: Json[] = [];
    while (reader.pos < reader.len) values.push(this.scalar(of.scalar, { field: 0, wireType: varint, reader }));
    return values;
  }

  private mapEntry(of: Shape, bytes: Uint8Array, depth: number): { key: string; value: Json } {
    let key = '';
    let value: Json = of.is === 'scalar' ? (of.scalar === 'quantity' ? '0' : '') : of.is === 'list' ? [] : {};
    for (const entry of entries(bytes)) {
      if (entry.field === 1) key = utf8(bytesOf(entry));
      else if (entry.field !== 2) skip(entry);
      else if (of.is === 'type') value = this.message(of.type, bytesOf(entry), depth + 1);
      else if (of.is === 'scalar') value = this.scalar(of.scalar, entry);
      else throw badRequest('the protobuf body cannot be read: a map holds lists');
    }
    return { key, value };
  }

  private scalar(scalar: ScalarName, entry: Entry): Json {
    switch (scalar) {
      case 'boolean':
        return varintOf(entry).bool();
      case 'int32':
        return varintOf(entry).int32();
      case 'int64':
        return Number(varintOf(entry).int64());
      case 'double':
        if (entry.wireType !== fixed64) throw wrongWireType(entry.wireType);
        return entry.reader.double();
      case 'string':
        return utf8(bytesOf(entry));
      case 'bytes':
        return Buffer.from(bytesOf(entry)).toString('base64');
      case 'quantity':
        return readQuantity(bytesOf(entry));
      case 'intOrString':
        return readIntOrString(bytesOf(entry));
      case 'time':
      case 'microtime':
        return readTime(bytesOf(entry), scalar === 'microtime');
      case 'json':
        return readFieldsV1(bytesOf(entry));
    }
  }
}

/** The reader, standing at a varint. */
function varintOf({ wireType, reader }: Entry): Reader {
  if (wireType !== varint) throw wrongWireType(wireType);
  return reader;
}

/** Quantity {string 1}. */
function readQuantity(bytes: Uint8Array): string {
  let text = '0';
  for (const entry of entries(bytes)) {
    if (entry.field === 1) text = utf8(bytesOf(entry)) || '0';
    else skip(entry);
  }
  return text;
}

/** IntOrString {type 1 (0 a number, 1 a text), intVal 2, strVal 3}. */
function readIntOrString(bytes: Uint8Array): Json {
  let isText = false;
  let number = 0;
  let text = '';
  for (const entry of entries(bytes)) {
    if (entry.field === 1) isText = varintOf(entry).int32() === 1;
    else if (entry.field === 2) number = varintOf(entry).int32();
    else if (entry.field === 3) text = utf8(bytesOf(entry));
    else skip(entry);
  }
  return isText ? text : number;
}

/** The years 1 to 9999, which RFC 3339 can write. Seconds since the Unix epoch. */
const firstSecond = -62_135_596_800;
const lastSecond = 253_402_300_799;

/** Time {seconds 1, nanos 2}; without any of them it is Go's zero time, which means none. */
function readTime(bytes: Uint8Array, micro: boolean): Json {
  if (bytes.length === 0) return null;
  let seconds = 0;
  let nanos = 0;
  for (const entry of entries(bytes)) {
    if (entry.field === 1) seconds = Number(varintOf(entry).int64());
    else if (entry.field === 2) nanos = varintOf(entry).int32();
    else skip(entry);
  }
  if (seconds < firstSecond || seconds > lastSecond || nanos < 0 || nanos > 999_999_999) {
    throw badRequest('the protobuf body cannot be read: a time is out of range');
  }
  return timeOfParts(seconds, nanos, micro);
}

/** FieldsV1 {raw 1}: JSON in bytes. */
function readFieldsV1(bytes: Uint8Array): Json {
  let raw = '{}';
  for (const entry of entries(bytes)) {
    if (entry.field === 1) raw = utf8(bytesOf(entry));
    else skip(entry);
  }
  return parseJson(raw).value;
}
