import type { Json, JsonObject } from '#domain';
import { apiVersionOf, typeOfKind, type GroupVersionKind } from '../schema/schema.js';
import { badRequest, WireError } from '../wire-error.js';
import { decodeValue } from './decode-value.js';
import { shortened } from './parsed.js';
import { parseJson } from './parse-json.js';
import { parseYaml } from './parse-yaml.js';

/** An object as a client sent it: of the right types, and with what the schema does not know left out and named. */
export interface Decoded {
  readonly object: JsonObject;
  /** Paths of fields that the kind does not have: `spec.containers[0].imagePolicy`. */
  readonly unknownFields: readonly string[];
  /** Paths of keys given more than once; the last one counts. */
  readonly duplicateFields: readonly string[];
}

export type BodyFormat = 'json' | 'yaml';

/** The largest body that is read. Kubernetes accepts 3 MiB. Bytes. */
export const maxBodyBytes = 3 * 1024 * 1024;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads a body as an object of a kind. `apiVersion` and `kind` may be missing, and then are filled in; when they name
 * another kind the body is refused. Throws a {@link WireError}: BadRequest for what cannot be read or has wrong JSON
 * types, RequestEntityTooLarge above {@link maxBodyBytes}.
 */
export function decodeStrict(gvk: GroupVersionKind, body: Uint8Array | string, format: BodyFormat = 'json'): Decoded {
  const text = textOf(body);
  const { value, duplicateFields } = within(gvk, () => (format === 'json' ? parseJson(text) : parseYaml(text)));
  const { object, unknownFields } = decodeObject(gvk, value);
  return { object, unknownFields, duplicateFields };
}

/** The same for a JSON value that has been parsed: the result of a patch, or a decoded protobuf message. */
export function decodeObject(gvk: GroupVersionKind, value: Json): Omit<Decoded, 'duplicateFields'> {
  const type = typeOfKind(gvk);
  if (!type) throw badRequest(`no kind "${gvk.kind}" is registered for version "${apiVersionOf(gvk)}"`);
  const apiVersion = apiVersionOf(gvk);
  const sent = namedKind(value);
  if (sent.apiVersion && sent.apiVersion !== apiVersion) {
    throw badRequest(
      `the API version in the data (${shortened(sent.apiVersion)}) does not match the expected API version (${apiVersion})`,
    );
  }
  if (sent.kind && sent.kind !== gvk.kind) {
    throw badRequest(`the kind in the data (${shortened(sent.kind)}) does not match the expected kind (${gvk.kind})`);
  }
  const { object, unknownFields } = within(gvk, () => decodeValue(type, value));
  return { object: { ...object, apiVersion, kind: gvk.kind }, unknownFields };
}

/** What the body says it is, if it says so. */
function namedKind(value: Json): { apiVersion?: string; kind?: string } {
  if (typeof value !== 'object' || value === null || !('kind' in value || 'apiVersion' in value)) return {};
  const { apiVersion, kind } = value;
  return {
    ...(typeof apiVersion === 'string' ? { apiVersion } : {}),
    ...(typeof kind === 'string' ? { kind } : {}),
  };
}

/** A body as text. Throws a {@link WireError} when it is too large or no UTF-8. */
export function textOf(body: Uint8Array | string): string {
  const length = typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength;
  if (length > maxBodyBytes) {
    throw new WireError('RequestEntityTooLarge', `Request entity too large: limit is ${maxBodyBytes}`);
  }
  if (typeof body === 'string') return body;
  try {
    return utf8.decode(body);
  } catch (error) {
    throw new WireError('BadRequest', 'the object provided is unrecognized: the body is not UTF-8', { cause: error });
  }
}

/** Says of which kind the unreadable body was to be. */
function within<T>(gvk: GroupVersionKind, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw new WireError(error.reason, `${cannotBeHandled(gvk)}: ${error.message}`, { cause: error });
  }
}

const cannotBeHandled = ({ group, version, kind }: GroupVersionKind): string =>
  `${kind} in version ${JSON.stringify(apiVersionOf({ group, version }))} cannot be handled as a ${kind}`;

/** One text per unknown or duplicate field, as `Warning` headers carry them under `fieldValidation=Warn`. */
export function fieldProblems(decoded: Pick<Decoded, 'unknownFields' | 'duplicateFields'>): string[] {
  return [
    ...decoded.unknownFields.map((path) => `unknown field ${JSON.stringify(path)}`),
    ...decoded.duplicateFields.map((path) => `duplicate field ${JSON.stringify(path)}`),
  ];
}

/** The refusal of those fields under `fieldValidation=Strict`. */
export function strictDecodingError(gvk: GroupVersionKind, problems: readonly string[]): WireError {
  return badRequest(`${cannotBeHandled(gvk)}: strict decoding error: ${problems.join(', ')}`);
}
