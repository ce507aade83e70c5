import type { JsonObject } from '#domain';
import { unsupportedMediaType } from '../status-error.js';
import { applyPatch, parsePatch, patchTypeOf, type GroupVersionKind, type PlainPatchType } from '../wire/index.js';
import { judged, type RawBody, type ReadBody } from './body-reader.js';
import type { WriteOptions } from './write-options.js';

const supported: readonly PlainPatchType[] = ['json', 'merge', 'strategic'];
const isSupported = (type: string): type is PlainPatchType => supported.some((one) => one === type);

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
  const type = patchTypeOf(body.contentType, supported);
  if (!isSupported(type)) throw unsupportedMediaType(`patches of type ${type} are not supported`);
  const { patch, duplicateFields } = parsePatch(body.bytes);
  return (before) => {
    const { object, unknownFields } = applyPatch(type, gvk, before, patch);
    return { object, warnings: judged(gvk, { unknownFields, duplicateFields }, fieldValidation) };
  };
}
