import type { Json, JsonObject } from '#domain';
import { quantityNanos, quantityPattern } from '../quantity.js';
import { schemaOf, type ScalarName, type Shape } from '../schema/schema.js';
import type { TypeId } from '../schema/wire-type.js';
import { badRequest } from '../wire-error.js';
import { normalMicroTime, normalTime } from '../wire-times.js';
import { goTypeName } from './go-type-name.js';
import { indexPath, keyPath, maxDepth, maxNamedFields, setOwn, shortened, tooDeep } from './parsed.js';

/** An object of the schema's types, without the fields that the schema does not know. */
export interface DecodedValue {
  readonly object: JsonObject;
  /** Paths such as `spec.containers[0].imagePolicy`, at most {@link maxNamedFields}. */
  readonly unknownFields: readonly string[];
}

/**
 * Reads a JSON value as a type of the schema. Unknown fields are left out and named; `null` is absence. Throws a
 * BadRequest `WireError` with Kubernetes' message when a value has the wrong JSON type.
 */
export function decodeValue(type: TypeId, value: Json): DecodedValue {
  const decoder = new Decoder();
  const object = decoder.type(type, value, '', 0);
  return { object, unknownFields: decoder.unknown };
}

/** Values one object may hold. Real ones have some hundreds; this bounds what every later step may cost. */
const maxValues = 50_000;

type Scalar = (value: Exclude<Json, null>, path: string) => Json | undefined;

const int = (value: Json, least: number, most: number): Json | undefined =>
  typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most ? value : undefined;

const text =
  (normal: (text: string) => string | undefined, problem: (text: string) => string): Scalar =>
  (value, path) => {
    if (typeof value !== 'string') return undefined;
    const result = normal(value);
    if (result === undefined) throw badRequest(`${shortened(path)}: ${problem(value.slice(0, 100))}`);
    return result;
  };

const time = (normal: (text: string) => string | undefined, layout: string): Scalar => {
  const read = text(normal, (sent) => `parsing time ${JSON.stringify(sent)} as "${layout}": cannot parse it`);
  // Go's zero time is written as an empty string by some clients, and means none.
  return (value, path) => (value === '' ? null : read(value, path));
};

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** What each scalar makes of a value: the value to keep, `null` for absence, `undefined` for the wrong JSON type. */
const scalars: Readonly<Record<ScalarName, Scalar>> = {
  string: (value) => (typeof value === 'string' ? value : undefined),
  boolean: (value) => (typeof value === 'boolean' ? value : undefined),
  int32: (value) => int(value, -(2 ** 31), 2 ** 31 - 1),
  int64: (value) => int(value, -(2 ** 63), 2 ** 63),
  double: (value) => (typeof value === 'number' ? value : undefined),
  bytes: text(
    (sent) => (base64.test(sent) ? sent : undefined),
    () => 'illegal base64 data',
  ),
  time: time(normalTime, '2006-01-02T15:04:05Z07:00'),
  microtime: time(normalMicroTime, '2006-01-02T15:04:05.000000Z07:00'),
  quantity: (value, path) => {
    const sent = typeof value === 'number' ? String(value) : typeof value === 'string' ? value : undefined;
    if (sent !== undefined && quantityNanos(sent.trim()) === undefined)
      throw badRequest(`${shortened(path)}: ${quantityPattern}`);
    return sent?.trim();
  },
  intOrString: (value) => (typeof value === 'string' ? value : int(value, -(2 ** 31), 2 ** 31 - 1)),
  json: (value) => value,
};

class Decoder {
  readonly unknown: string[] = [];
  private values = 0;

  type(id: TypeId, value: Json | undefined, path: string, depth: number): JsonObject {
    if (depth > maxDepth) throw tooDeep();
    if (!isObject(value)) throw wrongType(value, { is: 'type', type: id }, id, path);
    const { fields } = schemaOf(id);
    const object: Record<string, Json> = {};
    for (const [key, member] of Object.entries(value)) {
      const fieldPath = keyPath(path, key);
      const field = fields.get(key);
      if (!field) this.note(fieldPath);
      else if (member != null) this.assign(object, key, this.shape(field.shape, member, id, fieldPath, depth + 1));
    }
    return object;
  }

  private shape(shape: Shape, value: Exclude<Json, null>, owner: TypeId, path: string, depth: number): Json {
    this.values += 1;
    if (this.values > maxValues) throw badRequest(`the object provided has more than ${maxValues} values`);
    switch (shape.is) {
      case 'type':
        return isObject(value) ? this.type(shape.type, value, path, depth) : fail(value, shape, owner, path);
      case 'list':
        return Array.isArray(value) ? this.list(shape.of, value, owner, path, depth) : fail(value, shape, owner, path);
      case 'map':
        return isObject(value) ? this.map(shape.of, value, owner, path, depth) : fail(value, shape, owner, path);
      case 'scalar': {
        const read = scalars[shape.scalar](value, path);
        return read === undefined ? fail(value, shape, owner, path) : read;
      }
    }
  }

  private list(of: Shape, values: readonly Json[], owner: TypeId, path: string, depth: number): Json {
    return values.map((item, index) => {
      const at = indexPath(path, index);
      return item === null ? zeroOf(of) : this.shape(of, item, owner, at, depth + 1);
    });
  }

  private map(of: Shape, values: JsonObject, owner: TypeId, path: string, depth: number): Json {
    const object: Record<string, Json> = {};
    for (const [key, member] of Object.entries(values)) {
      const at = `${path}[${key}]`;
      setOwn(object, key, member == null ? zeroOf(of) : this.shape(of, member, owner, at, depth + 1));
    }
    return object;
  }

  private assign(object: Record<string, Json>, key: string, value: Json): void {
    if (value !== null) object[key] = value;
  }

  private note(path: string): void {
    if (this.unknown.length < maxNamedFields) this.unknown.push(shortened(path));
  }
}

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What Go makes of a `null` inside a list or map, where absence has no place. */
function zeroOf(shape: Shape): Json {
  switch (shape.is) {
    case 'list':
      return [];
    case 'map':
    case 'type':
      return {};
    case 'scalar':
      return zeroOfScalar(shape.scalar);
  }
}

function zeroOfScalar(scalar: ScalarName): Json {
  switch (scalar) {
    case 'boolean':
      return false;
    case 'int32':
    case 'int64':
    case 'double':
    case 'intOrString':
      return 0;
    case 'quantity':
      return '0';
    case 'string':
    case 'bytes':
      return '';
    case 'time':
    case 'microtime':
    case 'json':
      return null;
  }
}

function fail(value: Json, shape: Shape, owner: TypeId, path: string): never {
  throw wrongType(value, shape, owner, path);
}

function wrongType(value: Json | undefined, shape: Shape, owner: TypeId, path: string): Error {
  const sent =
    typeof value === 'number'
      ? `number ${value}`
      : value === null
        ? 'null'
        : Array.isArray(value)
          ? 'array'
          : typeof value;
  const named = typeof value === 'boolean' ? 'bool' : typeof value === 'number' && !isNumeric(shape) ? 'number' : sent;
  const struct = owner.split('.').at(-1) ?? owner;
  const where = path === '' ? `Go value` : `Go struct field ${struct}.${shortened(path)}`;
  return badRequest(`json: cannot unmarshal ${named} into ${where} of type ${goTypeName(shape)}`);
}

const isNumeric = (shape: Shape): boolean =>
  shape.is === 'scalar' && ['int32', 'int64', 'double'].includes(shape.scalar);
