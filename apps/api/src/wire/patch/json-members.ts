import type { Json, JsonObject } from '#domain';
import { setOwn } from '../decode/parsed.js';

export { setOwn };

export const isJsonObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const isJsonList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);

/** An own member; nothing is read from a prototype. */
export const member = (object: JsonObject, key: string): Json | undefined =>
  Object.hasOwn(object, key) ? object[key] : undefined;

export function without(object: JsonObject, key: string): JsonObject {
  const { [key]: _gone, ...rest } = object;
  return rest;
}

/** A copy of the members that `keep` admits. */
export function ownMembers(object: JsonObject, keep: (key: string) => boolean): Record<string, Json> {
  const copy: Record<string, Json> = {};
  for (const [key, value] of Object.entries(object)) if (value !== undefined && keep(key)) setOwn(copy, key, value);
  return copy;
}
