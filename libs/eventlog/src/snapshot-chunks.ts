import { BrokenInvariant, type Json, type JsonObject } from '#domain';

/** Entries of one collection per chunk: a few MB of pods, well below the longest string of the engine. */
export const ENTRIES_PER_CHUNK = 4096;

/**
 * One piece of a snapshot. A large state is never one string: its top-level collections travel in slices, so that a million
 * pods neither exceed the longest string nor block the process while they are written.
 */
export type SnapshotChunk =
  | { readonly kind: 'whole'; readonly value: Json }
  | { readonly kind: 'empty-object' }
  | { readonly kind: 'value'; readonly key: string; readonly value: Json }
  | { readonly kind: 'items'; readonly key: string; readonly items: readonly Json[] }
  | { readonly kind: 'entries'; readonly key: string; readonly entries: readonly (readonly [string, Json])[] };

const isObject = (value: Json): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isArray = (value: Json): value is readonly Json[] => Array.isArray(value);

function definedEntries(object: JsonObject): [string, Json][] {
  const entries: [string, Json][] = [];
  for (const [key, value] of Object.entries(object)) if (value !== undefined) entries.push([key, value]);
  return entries;
}

function* slices<T>(all: readonly T[], size: number): Generator<readonly T[]> {
  for (let start = 0; start === 0 || start < all.length; start += size) yield all.slice(start, start + size);
}

/** Cuts a state into chunks, in order. The inverse is {@link ChunkJoiner}. */
export function* cutIntoChunks(state: Json, entriesPerChunk = ENTRIES_PER_CHUNK): Generator<SnapshotChunk> {
  if (!isObject(state)) {
    yield { kind: 'whole', value: state };
    return;
  }
  yield { kind: 'empty-object' };
  for (const [key, value] of definedEntries(state)) {
    if (isArray(value)) for (const items of slices(value, entriesPerChunk)) yield { kind: 'items', key, items };
    else if (isObject(value))
      for (const entries of slices(definedEntries(value), entriesPerChunk)) yield { kind: 'entries', key, entries };
    else yield { kind: 'value', key, value };
  }
}

/** An own property whatever its name: `__proto__` is a label that somebody may use. */
function define(target: Record<string, Json>, key: string, value: Json): void {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
}

/** Joins the chunks of a state, given in order. Throws `BrokenInvariant` when they are not from {@link cutIntoChunks}. */
export class ChunkJoiner {
  #whole: Json | undefined;
  readonly #object: Record<string, Json> = {};
  readonly #arrays = new Map<string, Json[]>();
  readonly #objects = new Map<string, Record<string, Json>>();

  add(chunk: SnapshotChunk): void {
    switch (chunk.kind) {
      case 'whole':
        this.#whole = chunk.value;
        break;
      case 'empty-object':
        this.#whole = this.#object;
        break;
      case 'value':
        define(this.#object, chunk.key, chunk.value);
        break;
      case 'items': {
        const items = this.#arrays.get(chunk.key) ?? this.#startArray(chunk.key);
        for (const item of chunk.items) items.push(item);
        break;
      }
      case 'entries': {
        const object = this.#objects.get(chunk.key) ?? this.#startObject(chunk.key);
        for (const [key, value] of chunk.entries) define(object, key, value);
        break;
      }
    }
  }

  /** The state, once every chunk was added. */
  state(): Json {
    if (this.#whole === undefined) throw new BrokenInvariant('a snapshot without its first chunk');
    return this.#whole;
  }

  #startArray(key: string): Json[] {
    const items: Json[] = [];
    this.#arrays.set(key, items);
    define(this.#object, key, items);
    return items;
  }

  #startObject(key: string): Record<string, Json> {
    const object: Record<string, Json> = {};
    this.#objects.set(key, object);
    define(this.#object, key, object);
    return object;
  }
}
