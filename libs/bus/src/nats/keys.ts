import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createAccount, createOperator, createUser, fromSeed, type KeyPair } from 'nkeys.js';

/**
 * The secrets of one cluster's own NATS, made at its first start. The operator signs accounts, the account PODLEDGER signs
 * users; a node's own key never comes here, only its public half. Whoever holds this holds the cluster.
 */
export interface NatsKeys {
  /** Seeds (`SO…`, `SA…`, `SU…`). */
  readonly operator: string;
  readonly systemAccount: string;
  readonly account: string;
  readonly systemUser: string;
  readonly controlPlaneUser: string;
  readonly joinUser: string;
  /** Public user keys that are cut off, for good: a node that comes back makes itself a new key. */
  readonly revoked: readonly string[];
}

const fileName = 'nats-keys.json';
const seedNames = ['operator', 'systemAccount', 'account', 'systemUser', 'controlPlaneUser', 'joinUser'] as const;

/** New keys for a new cluster. */
export function createNatsKeys(): NatsKeys {
  return {
    operator: seedOf(createOperator()),
    systemAccount: seedOf(createAccount()),
    account: seedOf(createAccount()),
    systemUser: seedOf(createUser()),
    controlPlaneUser: seedOf(createUser()),
    joinUser: seedOf(createUser()),
    revoked: [],
  };
}

/** A key pair made on a node. The seed stays there; only the public key travels. */
export function createNodeKey(): { readonly publicKey: string; readonly seed: string } {
  const pair = createUser();
  return { publicKey: pair.getPublicKey(), seed: seedOf(pair) };
}

/** The keys kept in a directory; made, with mode 0600, when it has none. Of processes that start together one makes them. */
export async function loadNatsKeys(dir: string): Promise<NatsKeys> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const path = join(dir, fileName);
  const kept = await readFile(path, 'utf8').catch(ignoring('ENOENT'));
  if (kept !== undefined) return parseKeys(kept, path);
  const draft = await writeBeside(path, createNatsKeys());
  // A hard link appears whole or not at all, and never over a file that is there.
  await link(draft, path).catch(ignoring('EEXIST'));
  await unlink(draft);
  return parseKeys(await readFile(path, 'utf8'), path);
}

/** Replaces the kept keys as one step: a crash leaves the old or the new ones. */
export async function saveNatsKeys(dir: string, keys: NatsKeys): Promise<void> {
  const path = join(dir, fileName);
  await rename(await writeBeside(path, keys), path);
}

/** The key pair of a seed. Throws when it is not one. */
export const pairOf = (seed: string): KeyPair => fromSeed(new TextEncoder().encode(seed));

export const publicKeyOf = (seed: string): string => pairOf(seed).getPublicKey();

const seedOf = (pair: KeyPair): string => new TextDecoder().decode(pair.getSeed());

async function writeBeside(path: string, keys: NatsKeys): Promise<string> {
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, `${JSON.stringify(keys, null, 2)}\n`, { mode: 0o600, flag: 'wx', flush: true });
  return draft;
}

const ignoring =
  (code: string) =>
  (error: NodeJS.ErrnoException): undefined => {
    if (error.code !== code) throw error;
  };

function parseKeys(text: string, path: string): NatsKeys {
  const keys: unknown = JSON.parse(text);
  if (!isKeys(keys)) throw new Error(`${path} does not hold the keys of a cluster`);
  for (const name of seedNames) pairOf(keys[name]);
  return keys;
}

function isKeys(value: unknown): value is NatsKeys {
  if (typeof value !== 'object' || value === null) return false;
  const keys = value as Partial<Record<keyof NatsKeys, unknown>>;
  return seedNames.every((name) => typeof keys[name] === 'string') && Array.isArray(keys.revoked);
}
