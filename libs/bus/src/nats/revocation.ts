import type { JsonObject, Millis } from '#domain';
import { decodeMessage } from '../codec.js';
import { podledgerAccountJwt, systemCreds, type JetStreamLimits } from './credentials.js';
import { decodeJwt } from './jwt.js';
import { loadNatsKeys, publicKeyOf, saveNatsKeys, type NatsKeys } from './keys.js';
import { connectNats, type NatsLink } from './nats-link.js';

export interface RevocationOptions {
  /** Where the keys are kept. */
  readonly dir: string;
  readonly url: string;
  readonly ca?: string;
  readonly limits?: JetStreamLimits;
  readonly now: Millis;
  readonly signal?: AbortSignal;
}

const timeoutMs = 5_000;

/**
 * Cuts users off by their public keys, for good: the server drops their connections and refuses every token of theirs.
 * Kept beside the keys first, so that a server that starts anew knows it too. Doing it again changes nothing.
 * Throws when the server does not take it; then it is not known to be in force and must be repeated.
 */
export async function revokeNodeUsers(options: RevocationOptions, publicKeys: readonly string[]): Promise<void> {
  const kept = await loadNatsKeys(options.dir);
  const link = await connectNats({
    url: options.url,
    name: 'podledger revocation',
    creds: systemCreds(kept, options.now),
    ...(options.ca === undefined ? {} : { ca: options.ca }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  try {
    // Another API replica may have revoked others; the server knows of those.
    const revoked = new Set([...kept.revoked, ...(await revokedOnServer(link, kept)), ...publicKeys]);
    const keys = { ...kept, revoked: [...revoked] };
    await saveNatsKeys(options.dir, keys);
    await push(link, podledgerAccountJwt(keys, options.now, options.limits));
  } finally {
    await link.close();
  }
}

async function revokedOnServer(link: NatsLink, keys: NatsKeys): Promise<readonly string[]> {
  const subject = `$SYS.REQ.ACCOUNT.${publicKeyOf(keys.account)}.CLAIMS.LOOKUP`;
  const reply = await link.untilLost(() => link.connection.request(subject, '', { timeout: timeoutMs }));
  const revocations = decodeJwt(reply.string()).nats['revocations'];
  return typeof revocations === 'object' && revocations !== null ? Object.keys(revocations) : [];
}

async function push(link: NatsLink, jwt: string): Promise<void> {
  const request = link.connection.request('$SYS.REQ.CLAIMS.UPDATE', jwt, { timeout: timeoutMs });
  const answer: JsonObject = decodeMessage((await request).data);
  if (answer['error'] !== undefined)
    throw new Error(`NATS refuses the account's claims: ${JSON.stringify(answer['error'])}`);
}
