import type { Json, JsonObject } from '#domain';
import { isJsonList, isJsonObject, member, setOwn } from '../patch/json-members.js';

/**
 * A set of fields, as Kubernetes' FieldsV1 writes it: a tree whose keys are `f:<name>` for a member, `k:<keys as JSON>` for
 * an element of a keyed list, `v:<value as JSON>` for an element of a set, and `.` for the thing itself.
 */
export type FieldSet = JsonObject;

export const self = '.';

const childOf = (set: FieldSet, key: string): FieldSet => {
  const child = member(set, key);
  return isJsonObject(child) ? child : {};
};

export const isEmptySet = (set: FieldSet): boolean => Object.keys(set).length === 0;

/** Fields that are in one set or the other. */
export function union(a: FieldSet, b: FieldSet): FieldSet {
  const result: Record<string, Json> = {};
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    setOwn(result, key, union(childOf(a, key), childOf(b, key)));
  }
  return result;
}

/** Fields that are in `set` and, as leaves, not in `gone`. */
export function difference(set: FieldSet, gone: FieldSet): FieldSet {
  const result: Record<string, Json> = {};
  for (const key of Object.keys(set)) {
    const [child, other] = [childOf(set, key), childOf(gone, key)];
    if (!Object.hasOwn(gone, key)) setOwn(result, key, child);
    else if (!isEmptySet(child)) {
      const rest = isEmptySet(other) ? {} : difference(child, other);
      if (!isEmptySet(rest)) setOwn(result, key, rest);
    } else if (!isEmptySet(other)) setOwn(result, key, child);
  }
  return result;
}

/** Fields of `set` that a value still has. */
export function present(set: FieldSet, value: Json | undefined): FieldSet {
  const result: Record<string, Json> = {};
  const step = isJsonList(value) ? listStep(value) : (key: string) => memberStep(value, key);
  for (const key of Object.keys(set)) {
    const found = key === self ? value : step(key);
    if (found === undefined || found === null) continue;
    const child = childOf(set, key);
    const rest = present(child, found);
    // What was owned for its members alone is not owned when none of them is left.
    if (isEmptySet(child) || !isEmptySet(rest)) setOwn(result, key, rest);
  }
  return result;
}

const memberStep = (value: Json | undefined, key: string): Json | undefined =>
  isJsonObject(value) && key.startsWith('f:') ? member(value, key.slice(2)) : undefined;

/** Kinds of keys that the elements of one list are told apart by: one, but clients may write anything. */
const maxKeyKinds = 4;

/** Finds elements of a list by `v:` and `k:`, indexed once: lists can be as long as a body allows. */
function listStep(list: readonly Json[]): (key: string) => Json | undefined {
  const indexes = new Map<string, ReadonlyMap<string, Json>>();
  const index = (kind: string, nameOf: (element: Json) => string): ReadonlyMap<string, Json> | undefined => {
    let known = indexes.get(kind);
    if (!known && indexes.size < maxKeyKinds) {
      known = new Map([...list].reverse().map((element) => [nameOf(element), element]));
      indexes.set(kind, known);
    }
    return known;
  };
  return (key) => {
    const rest = key.slice(2);
    if (key.startsWith('v:')) return index('', (element) => JSON.stringify(element))?.get(rest);
    const wanted = key.startsWith('k:') ? parsedKeys(rest) : undefined;
    if (!wanted) return undefined;
    const names = Object.keys(wanted).sort();
    return index(JSON.stringify(names), (element) => valuesOf(element, names))?.get(valuesOf(wanted, names));
  };
}

function parsedKeys(text: string): JsonObject | undefined {
  try {
    const keys = JSON.parse(text) as Json;
    return isJsonObject(keys) ? keys : undefined;
  } catch {
    // Clients may write anything into managedFields; what is no key names nothing.
    return undefined;
  }
}

/** The values of an element's keys. A key that an element leaves out stands for its default: only ports have one. */
const valuesOf = (element: Json, names: readonly string[]): string =>
  JSON.stringify(
    names.map((name) => (isJsonObject(element) ? (member(element, name) ?? defaults[name] ?? null) : null)),
  );

const defaults: Readonly<Record<string, Json>> = { protocol: 'TCP' };
