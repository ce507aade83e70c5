import { Buffer } from 'node:buffer';
import type { Revision } from '#domain';
import { badRequest } from '../status-error.js';

/** Where the next page of a list begins: all pages are one snapshot, that of `revision`. */
export interface Continuation {
  readonly revision: Revision;
  /** Key of the last object of the page before; see {@link listKey}. */
  readonly after: string;
}

/** The order of lists: by namespace, then name. NUL sorts below every letter of a name. */
export const listKey = ({ namespace, name }: { readonly namespace: string; readonly name: string }): string =>
  `${namespace}\u0000${name}`;

/** Opaque to clients. */
export const encodeContinue = ({ revision, after }: Continuation): string =>
  Buffer.from(JSON.stringify({ v: 'podledger/1', rv: revision, start: after })).toString('base64url');

/** Throws 400 on anything {@link encodeContinue} did not make. */
export function decodeContinue(token: string): Continuation {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
  } catch {
    throw badRequest('continue key is not valid: it is not readable');
  }
  if (typeof parsed !== 'object' || parsed === null) throw badRequest('continue key is not valid: it is empty');
  const { v, rv, start } = parsed as { v?: unknown; rv?: unknown; start?: unknown };
  if (v !== 'podledger/1') throw badRequest('continue key is not valid: encoded with another version');
  if (typeof rv !== 'number' || !Number.isSafeInteger(rv) || rv < 1 || typeof start !== 'string')
    throw badRequest('continue key is not valid: incorrect encoded start resourceVersion');
  return { revision: rv, after: start };
}
