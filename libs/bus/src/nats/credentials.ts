import { fromPublic } from 'nkeys.js';
import { DomainError, type JsonObject, type Millis } from '#domain';
import {
  assignSubject,
  configChangedSubject,
  doSubject,
  joinInboxPrefix,
  joinSubject,
  logsSubject,
  nodeInboxPrefix,
  nodeRequests,
  nodeRequestSubject,
  streamSubject,
} from '../subjects.js';
import { encodeJwt } from './jwt.js';
import { pairOf, publicKeyOf, type NatsKeys } from './keys.js';

/** How long after a request a node may still answer it, in milliseconds. */
const answerWindowMs = 120_000;
/** A join request is a token, a name and a public key. */
const joinPayloadBytes = 16 * 1024;

/** Tokens of a revoked key are void up to this second, the end of the year 9999: whichever clock signs another. */
const forEver = 253_402_300_799;

/** What one account may keep on JetStream, in bytes. */
export interface JetStreamLimits {
  readonly diskBytes: number;
  readonly memoryBytes: number;
}

export const defaultJetStreamLimits: JetStreamLimits = { diskBytes: 4 * 1024 ** 3, memoryBytes: 64 * 1024 ** 2 };

/** The operator's token, signed by itself: the root that the server's configuration names. */
export function operatorJwt(keys: NatsKeys, now: Millis): string {
  const operator = pairOf(keys.operator);
  const nats = { type: 'operator', version: 2, system_account: publicKeyOf(keys.systemAccount) };
  return encodeJwt({ name: 'podledger', sub: operator.getPublicKey(), nats }, operator, seconds(now));
}

/** The account that talks to the server itself: pushes of account claims go through it, nothing else. */
export function systemAccountJwt(keys: NatsKeys, now: Millis): string {
  return accountJwt(keys, keys.systemAccount, 'SYS', {}, [], now);
}

/** The account everything of ours lives in, with its JetStream limits and the users that are cut off. */
export function podledgerAccountJwt(keys: NatsKeys, now: Millis, limits = defaultJetStreamLimits): string {
  const jetStream = { mem_storage: limits.memoryBytes, disk_storage: limits.diskBytes, streams: -1, consumer: -1 };
  return accountJwt(keys, keys.account, 'PODLEDGER', jetStream, keys.revoked, now);
}

/** Creds file of the control plane: all subjects. The only user that may speak on `events.>` or reach JetStream. */
export function controlPlaneCreds(keys: NatsKeys, now: Millis): string {
  const user = publicKeyOf(keys.controlPlaneUser);
  return credsFile(userJwt(keys.account, 'control-plane', user, {}, now), keys.controlPlaneUser);
}

/** Creds file of the system user, who may update account claims on the server. */
export function systemCreds(keys: NatsKeys, now: Millis): string {
  const user = publicKeyOf(keys.systemUser);
  return credsFile(userJwt(keys.systemAccount, 'system', user, {}, now), keys.systemUser);
}

/**
 * Creds file for machines that join: one subject, small messages. It travels in the join command and is not secret enough
 * to be worth more; the one-time token is what lets a machine in. All joining machines share an inbox prefix, so the reply
 * holds nothing but what is useless without the node's own key.
 */
export function joinCreds(keys: NatsKeys, now: Millis): string {
  const permissions = {
    pub: { allow: [joinSubject] },
    sub: { allow: [`${joinInboxPrefix}.>`] },
    payload: joinPayloadBytes,
    subs: 8,
  };
  return credsFile(userJwt(keys.account, 'join', publicKeyOf(keys.joinUser), permissions, now), keys.joinUser);
}

/**
 * A token for a key pair that was made on the node: it may ask on its own subjects, hear its own assignments, answer what
 * it was asked, and nothing else. Throws `DomainError` (Invalid) on a bad node name or public key.
 */
export function nodeUserJwt(keys: NatsKeys, node: string, publicKey: string, now: Millis): string {
  if (!isUserKey(publicKey)) throw new DomainError('Invalid', 'not the public key of a NATS user');
  const permissions = {
    pub: { allow: [...nodeRequests.map((request) => nodeRequestSubject(node, request)), streamSubject(node, '>')] },
    sub: {
      allow: [
        assignSubject(node),
        configChangedSubject(node),
        logsSubject(node),
        doSubject(node, '>'),
        `${nodeInboxPrefix(node)}.>`,
      ],
    },
    resp: { max: 1, ttl: answerWindowMs * 1_000_000 },
  };
  return userJwt(keys.account, `node:${node}`, publicKey, permissions, now);
}

/** Token and seed in the form NATS clients read. */
export function credsFile(jwt: string, seed: string): string {
  return [
    '-----BEGIN NATS USER JWT-----',
    jwt,
    '------END NATS USER JWT------',
    '',
    '************************* IMPORTANT *************************',
    'NKEY Seed printed below can be used to sign and prove identity.',
    'NKEYs are sensitive and should be treated as secrets.',
    '',
    '-----BEGIN USER NKEY SEED-----',
    seed,
    '------END USER NKEY SEED------',
    '',
  ].join('\n');
}

/** A moment as NATS tokens count it. */
const seconds = (now: Millis): number => Math.floor(now / 1000);

const unlimited = -1;

function accountJwt(
  keys: NatsKeys,
  accountSeed: string,
  name: string,
  jetStream: JsonObject,
  revoked: readonly string[],
  now: Millis,
): string {
  const limits = {
    subs: unlimited,
    data: unlimited,
    payload: unlimited,
    imports: unlimited,
    exports: unlimited,
    wildcards: true,
    conn: unlimited,
    leaf: 0,
    ...jetStream,
  };
  const revocations = Object.fromEntries(revoked.map((publicKey) => [publicKey, forEver]));
  const nats = { type: 'account', version: 2, limits, revocations };
  return encodeJwt({ name, sub: publicKeyOf(accountSeed), nats }, pairOf(keys.operator), seconds(now));
}

function userJwt(accountSeed: string, name: string, publicKey: string, permissions: JsonObject, now: Millis): string {
  const nats = { type: 'user', version: 2, subs: unlimited, data: unlimited, payload: unlimited, ...permissions };
  return encodeJwt({ name, sub: publicKey, nats }, pairOf(accountSeed), seconds(now));
}

function isUserKey(publicKey: string): boolean {
  try {
    return publicKey.startsWith('U') && fromPublic(publicKey).getPublicKey() === publicKey;
  } catch {
    return false;
  }
}
