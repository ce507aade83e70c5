import type { Json } from '#domain';
import fastJsonPatch, { type Operation } from 'fast-json-patch';
import { WireError, badRequest } from '../wire-error.js';
import { isJsonList, isJsonObject } from './json-members.js';

/** Operations one patch may have, as in Kubernetes. */
const maxOperations = 10_000;

/**
 * Characters of JSON that one patch may have copied: the library copies the whole document for each `copy` and `move`, and
 * a few of the former double it each.
 */
const maxCopied = 32 * 1024 * 1024;

/**
 * JSON patch (RFC 6902). Throws a `WireError`: BadRequest when the patch is not one, Invalid (422) when it cannot be
 * applied: a failed `test`, a path that is not there. `current` is left as it was.
 */
export function jsonPatch(current: Json, patch: Json): Json {
  const operations = operationsOf(patch);
  let document: Json = structuredClone(current);
  let copied = 0;
  operations.forEach((operation, index) => {
    try {
      if (operation.op === 'copy' || operation.op === 'move') copied += JSON.stringify(document).length;
      if (copied > maxCopied) throw new WireError('Invalid', 'the patch copies more than it may');
      // Validated, in place on our own copy, and with changes of prototypes banned.
      document = fastJsonPatch.applyOperation(document, operation, true, true, true, index).newDocument;
    } catch (error) {
      if (error instanceof WireError) throw error;
      throw new WireError(
        'Invalid',
        `the server rejected our request due to an error in our request: ${reasonOf(error, operation)}`,
        {
          cause: error,
        },
      );
    }
  });
  return document;
}

function operationsOf(patch: Json): readonly Operation[] {
  if (!isJsonList(patch)) throw badRequest('json: cannot unmarshal the patch into a list of JSON patch operations');
  if (patch.length > maxOperations) {
    throw new WireError(
      'RequestEntityTooLarge',
      `The allowed maximum operations in a JSON patch is ${maxOperations}, got ${patch.length}`,
    );
  }
  return patch.map((operation, index) => {
    if (!isOperation(operation)) throw badRequest(`operation ${index} of the JSON patch is not one of RFC 6902`);
    return operation;
  });
}

const names: ReadonlySet<unknown> = new Set(['add', 'remove', 'replace', 'move', 'copy', 'test']);

function isOperation(value: Json): value is Json & Operation {
  if (!isJsonObject(value) || !names.has(value['op']) || typeof value['path'] !== 'string') return false;
  if (value['op'] === 'move' || value['op'] === 'copy') return typeof value['from'] === 'string';
  return value['op'] === 'remove' || value['value'] !== undefined;
}

/** The library's messages repeat the whole document; the client needs the operation and what was wrong. */
function reasonOf(error: unknown, { op, path }: Operation): string {
  const problem = error instanceof Error ? (error.message.split('\n')[0] ?? '') : 'it cannot be applied';
  return `${op} operation at ${JSON.stringify(path.slice(0, 500))}: ${problem}`;
}
