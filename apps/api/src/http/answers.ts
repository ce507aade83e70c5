import type { FastifyReply } from 'fastify';
import { stringify } from 'yaml';
import type { JsonObject } from '#domain';

/** How an answer is written. */
export type Encoding = 'json' | 'yaml';

/** Longest warning that is sent, and how many of them: headers are not the place for more. */
const longestWarning = 1_000;
const mostWarnings = 32;

/** `299 - "text"`, in what a header may hold. */
export function warningHeader(text: string): string {
  const plain = text
    .slice(0, longestWarning)
    .replace(/[^\x20-\x7e]/g, '?')
    .replace(/["\\]/g, '\\$&');
  return `299 - "${plain}"`;
}

/** Sends one JSON document, or YAML where that was asked for. */
export async function sendObject(
  reply: FastifyReply,
  code: number,
  object: JsonObject,
  { encoding = 'json', warnings = [] }: { readonly encoding?: Encoding; readonly warnings?: readonly string[] } = {},
): Promise<void> {
  if (warnings.length > 0) reply.header('Warning', warnings.slice(0, mostWarnings).map(warningHeader));
  reply.header('Cache-Control', 'no-cache, private');
  reply.code(code);
  if (encoding === 'yaml')
    await reply.type('application/yaml').send(stringify(object, { aliasDuplicateObjects: false }));
  else await reply.type('application/json').send(JSON.stringify(object));
}
