import type { Json, JsonObject } from '#domain';
import { badRequest, unsupportedMediaType } from '../status-error.js';
import {
  jsonPatch,
  mergePatch,
  parseJson,
  patchTypeOf,
  strategicMergePatch,
  textOf,
  typeOfKind,
  type GroupVersionKind,
} from '../wire/index.js';
import { readPatched, type RawBody, type ReadBody } from './body-reader.js';
import type { WriteOptions } from './write-options.js';

/**
 * Reads a patch once, to be applied to the object as often as that changes underneath. Throws `WireError`, and 415 of other
 * patches, server-side apply among them.
 */
export function patchOf(
  gvk: GroupVersionKind,
  body: RawBody,
  fieldValidation: WriteOptions['fieldValidation'],
): (before: JsonObject) => ReadBody {
  if (/^\s*application\/apply-patch/i.test(body.contentType ?? ''))
    throw unsupportedMediaType('server-side apply is not supported yet: use client-side apply');
  const type = patchTypeOf(body.contentType, ['json', 'merge', 'strategic']);
  const { value: patch, duplicateFields } = parseJson(textOf(body.bytes));
  const patched = (before: JsonObject): Json => {
    if (type === 'json') return jsonPatch(before, patch);
    if (type === 'merge') return mergePatch(before, patch);
    const schema = typeOfKind(gvk);
    if (!schema) throw badRequest(`no kind "${gvk.kind}" is registered`);
    return strategicMergePatch(schema, before, patch);
  };
  return (before) => readPatched(gvk, patched(before), duplicateFields, fieldValidation);
}
