import type { Json, JsonObject } from '#domain';
import { decodeObject, maxBodyBytes, textOf, type Decoded } from '../decode/decode-strict.js';
import { parseJson } from '../decode/parse-json.js';
import { typeOfKind, type GroupVersionKind } from '../schema/schema.js';
import { badRequest, WireError } from '../wire-error.js';
import { jsonPatch } from './json-patch.js';
import { mergePatch } from './merge-patch.js';
import { strategicMergePatch } from './strategic-merge-patch.js';

/** The patches that are made of a patch alone. Server-side apply also asks who owns what, and is not one of them. */
export type PlainPatchType = 'json' | 'merge' | 'strategic';

/** Parses a patch. Throws a `WireError`. */
export function parsePatch(body: Uint8Array | string): {
  readonly patch: Json;
  readonly duplicateFields: readonly string[];
} {
  const { value, duplicateFields } = parseJson(textOf(body));
  return { patch: value, duplicateFields };
}

/**
 * An object after a patch, of the kind's types again: unknown fields are left out and named. `current` is left as it
 * was. Throws a `WireError`: 400 for what is no patch or makes a value of the wrong type, 413 when the object grows too
 * large, 422 for a JSON patch that cannot be applied.
 */
export function applyPatch(
  type: PlainPatchType,
  gvk: GroupVersionKind,
  current: JsonObject,
  patch: Json,
): Omit<Decoded, 'duplicateFields'> {
  const after = patched(type, gvk, current, patch);
  if (JSON.stringify(after).length > maxBodyBytes) {
    throw new WireError('RequestEntityTooLarge', `the patched object is too large: limit is ${maxBodyBytes}`);
  }
  return decodeObject(gvk, after);
}

function patched(type: PlainPatchType, gvk: GroupVersionKind, current: JsonObject, patch: Json): Json {
  switch (type) {
    case 'json':
      return jsonPatch(current, patch);
    case 'merge':
      return mergePatch(current, patch);
    case 'strategic': {
      const id = typeOfKind(gvk);
      if (!id) throw badRequest(`no kind "${gvk.kind}" is registered`);
      return strategicMergePatch(id, current, patch);
    }
  }
}
