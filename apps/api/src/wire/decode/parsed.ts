import type { Json } from '#domain';
import { badRequest } from '../wire-error.js';

/** A text as a tree of JSON values, with the paths of keys that were given more than once (the last one counts). */
export interface Parsed {
  readonly value: Json;
  readonly duplicateFields: readonly string[];
}

/** How deep lists and objects may nest. Kubernetes' own types need about 20; its JSON reader allows 10,000. */
export const maxDepth = 200;

/** How many repeated keys are named; the rest would only make the answer long. */
export const maxNamedFields = 100;

/** The path of a key below `parent`: `spec.containers[0].image`. */
export const keyPath = (parent: string, key: string): string => (parent === '' ? key : `${parent}.${key}`);
export const indexPath = (parent: string, index: number): string => `${parent}[${index}]`;

/** A path as it is shown to the client: long enough for any real one, and a bound on what a made-up one can do. */
export const shortened = (path: string): string => (path.length <= 500 ? path : `${path.slice(0, 500)}...`);

/** Sets an own property whatever the key is called: `__proto__` is a name like any other. */
export function setOwn(target: Record<string, Json>, key: string, value: Json): void {
  if (key === '__proto__') {
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  } else target[key] = value;
}

export const tooDeep = () => badRequest(`the object provided is nested deeper than ${maxDepth} levels`);
