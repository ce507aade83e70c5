import type { Json, JsonObject } from '#domain';
import { isObject, textAt } from '../resources/wire-values.js';
import { badRequest } from '../status-error.js';
import {
  bodyTypeOf,
  decodeObject,
  decodeProtobuf,
  decodeStrict,
  fieldProblems,
  parseJson,
  strictDecodingError,
  textOf,
  type Decoded,
  type GroupVersionKind,
} from '../wire/index.js';
import type { WriteOptions } from './write-options.js';

/** A request's body as it arrived. */
export interface RawBody {
  readonly bytes: Uint8Array;
  readonly contentType?: string;
}

/** An object read from a body, with what is worth a `Warning` header. */
export interface ReadBody {
  readonly object: JsonObject;
  readonly warnings: readonly string[];
}

/** Reads a body as an object of a kind, in whichever form it was sent. Throws `WireError`. */
export function readObject(
  gvk: GroupVersionKind,
  body: RawBody,
  fieldValidation: WriteOptions['fieldValidation'],
): ReadBody {
  const type = bodyTypeOf(body.contentType);
  // Strict validation does not apply to protobuf: what a client does not know it cannot send.
  if (type === 'protobuf') return { object: decodeProtobuf(gvk, body.bytes), warnings: [] };
  const decoded = decodeStrict(gvk, body.bytes, type);
  return { object: decoded.object, warnings: judged(gvk, decoded, fieldValidation) };
}

/** The result of a patch as an object of the kind; unknown fields are judged like those of a body. */
export function readPatched(
  gvk: GroupVersionKind,
  patched: Json,
  duplicateFields: readonly string[],
  fieldValidation: WriteOptions['fieldValidation'],
): ReadBody {
  const { object, unknownFields } = decodeObject(gvk, patched);
  return { object, warnings: judged(gvk, { unknownFields, duplicateFields }, fieldValidation) };
}

/**
 * What is to be said of fields that the kind does not have, or that were given twice: a refusal, warnings, or nothing.
 * Throws a BadRequest `WireError` under Strict.
 */
function judged(
  gvk: GroupVersionKind,
  decoded: Pick<Decoded, 'unknownFields' | 'duplicateFields'>,
  fieldValidation: WriteOptions['fieldValidation'],
): readonly string[] {
  const problems = fieldProblems(decoded);
  if (fieldValidation === 'Strict' && problems.length > 0) throw strictDecodingError(gvk, problems);
  return fieldValidation === 'Warn' ? problems : [];
}

/**
 * Reads DeleteOptions, which clients send under the apiVersion of whatever they delete, or without a kind, or not at all.
 * Throws `WireError`.
 */
export function readDeleteOptions(body: RawBody): JsonObject {
  if (body.bytes.byteLength === 0) return {};
  const gvk: GroupVersionKind = { group: '', version: 'v1', kind: 'DeleteOptions' };
  const type = bodyTypeOf(body.contentType);
  if (type === 'protobuf') return decodeProtobuf(gvk, body.bytes);
  if (type === 'yaml') return decodeStrict(gvk, body.bytes, 'yaml').object;
  const { value } = parseJson(textOf(body.bytes));
  if (value === null) return {};
  if (!isObject(value)) throw badRequest('the body is not a DeleteOptions object');
  const { apiVersion: _, ...options } = value;
  const kind = textAt(options, 'kind');
  if (kind && kind !== 'DeleteOptions')
    throw badRequest(`the kind in the data (${kind.slice(0, 100)}) is not DeleteOptions`);
  return decodeObject(gvk, options).object;
}
