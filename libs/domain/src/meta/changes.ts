import { invariant } from '../errors.js';
import type { Json, JsonObject } from '../json.js';
import type { Change } from './object-meta.js';

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Deep equality of JSON; an absent member equals an undefined one. */
export function sameJson(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item: Json, index) => sameJson(item, b[index] as Json));
  }
  if (!isObject(a) || !isObject(b)) return false;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every((key) => sameJson(a[key], b[key]));
}

/**
 * The smallest list of changes that turns `before` into `after`: maps are compared member by member, lists of one length
 * item by item, other lists are replaced. Applying them to `before` gives `after`.
 */
export function diffJson(before: Json | undefined, after: Json | undefined, path: readonly string[] = []): Change[] {
  if (sameJson(before, after)) return [];
  if (after === undefined) return [{ path }];
  if (isObject(before) && isObject(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
    return keys.flatMap((key) => diffJson(before[key], after[key], [...path, key]));
  }
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    return after.flatMap((item: Json, index) => diffJson(before[index] as Json, item, [...path, String(index)]));
  }
  return [{ path, to: after }];
}

/** Applies changes, sharing what did not change. Throws `BrokenInvariant` when a path leads through a plain value. */
export function applyChanges<T extends Json>(value: T, changes: readonly Change[]): T {
  return changes.reduce<Json>((current, { path, to }) => set(current, path, to), value) as T;
}

function set(value: Json | undefined, path: readonly string[], to: Json | undefined): Json {
  const [head, ...rest] = path;
  if (head === undefined) {
    invariant(to !== undefined, 'a change cannot remove the whole value');
    return to;
  }
  if (Array.isArray(value)) {
    const index = Number(head);
    invariant(Number.isInteger(index) && index >= 0 && index < value.length, `no list item ${head}`);
    return value.map((item: Json, at) => (at === index ? set(item, rest, to) : item));
  }
  invariant(value === undefined || isObject(value), `a change leads through a plain value at ${head}`);
  const { [head]: current, ...others } = value ?? {};
  if (rest.length === 0 && to === undefined) return others;
  // A member keeps its place, so that a changed object still reads as it was written.
  const changed = rest.length === 0 ? (to as Json) : set(current, rest, to);
  return value !== undefined && head in value ? { ...value, [head]: changed } : { ...others, [head]: changed };
}
