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
  for (const key of Object.keys(set)) {
    const found = step(value, key);
    if (found === undefined) continue;
    const child = childOf(set, key);
    const rest = present(child, found);
    // What was owned for its members alone is not owned when none of them is left.
    if (isEmptySet(child) || !isEmptySet(rest)) setOwn(result, key, rest);
  }
  return result;
}

/** What a key of the tree stands for in a value; `undefined` when the value does not have it. */
function step(value: Json | undefined, key: string): Json | undefined {
  if (value === undefined || value === null) return undefined;
  if (key === self) return value;
  const rest = key.slice(2);
  if (key.startsWith('f:')) return isJsonObject(value) ? member(value, rest) : undefined;
  if (!isJsonList(value)) return undefined;
  if (key.startsWith('v:')) return value.find((element) => JSON.stringify(element) === rest);
  return key.startsWith('k:') ? elementOf(value, rest) : undefined;
}

function elementOf(list: readonly Json[], keys: string): Json | undefined {
  let wanted: unknown;
  try {
    wanted = JSON.parse(keys);
  } catch {
    // Clients may write anything into managedFields; what is no key names nothing.
    return undefined;
  }
  if (typeof wanted !== 'object' || wanted === null) return undefined;
  const pairs = Object.entries(wanted);
  return list.find(
    (element) =>
      isJsonObject(element) && pairs.every(([name, value]) => (member(element, name) ?? defaults[name]) === value),
  );
}

/** A key that an element leaves out stands for its default: only ports have one. */
const defaults: Readonly<Record<string, Json>> = { protocol: 'TCP' };
