import type { Json } from '#domain';
import { isJsonObject, member, ownMembers, setOwn } from './json-members.js';

/** JSON merge patch (RFC 7386): members merge, `null` removes, everything else replaces. */
export function mergePatch(current: Json, patch: Json): Json {
  if (!isJsonObject(patch)) return patch;
  const result = isJsonObject(current) ? ownMembers(current, () => true) : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === undefined) continue;
    if (value === null) delete result[key];
    else setOwn(result, key, mergePatch(member(result, key) ?? null, value));
  }
  return result;
}
