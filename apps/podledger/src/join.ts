import { existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { join } from 'node:path';
import {
  ask,
  joinCall,
  controlPlaneCreds,
  createNodeKey,
  credsFile,
  isNodeName,
  joinCreds,
  joinInboxPrefix,
  joinSubject,
  JoinTokens,
  loadNatsKeys,
  NatsBus,
  NodeKeyFiles,
  nodeUserJwt,
} from '#bus';
import { SystemClock } from '#system';
import { JoinTokenFiles } from '../../api/src/nodes/join-token-files.js';
import type { BusAccess } from './assembly.js';

/** Everything a machine needs to become a node, in one word that can be pasted: where NATS is and a token that works once. */
export interface Invitation {
  readonly url: string;
  /** PEM. Present when the connection is TLS. */
  readonly ca?: string;
  /** Credentials that may ask to join and nothing else. */
  readonly credentials?: string;
  readonly token: string;
}

/** What a node keeps once it has joined. */
export interface Membership {
  readonly nodeName: string;
  readonly cluster: string;
  readonly bus: BusAccess;
}

/** How long a join token is good for, in ms: as long as kubeadm's. */
export const joinTokenTtlMs = 24 * 60 * 60 * 1000;

const prefix = 'podledger-join-';
const answerWithinMs = 10_000;

export function encodeInvitation(invitation: Invitation): string {
  return prefix + deflateRawSync(JSON.stringify(invitation), { level: 9 }).toString('base64url');
}

/** Throws when the text is not one, or was cut. */
export function decodeInvitation(text: string): Invitation {
  try {
    if (!text.startsWith(prefix)) throw new Error('it does not begin with ' + prefix);
    const decoded = JSON.parse(
      inflateRawSync(Buffer.from(text.slice(prefix.length), 'base64url')).toString('utf8'),
    ) as Partial<Invitation>;
    const { url, token } = decoded;
    if (typeof url !== 'string' || typeof token !== 'string') throw new Error('it is not complete');
    return { ...decoded, url, token };
  } catch (cause) {
    throw new Error(
      `this is not a join token as "npm start" and "npm run join-command" print it: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
}

/** Where machines that join find this home's NATS; kept in the home for `join-command`. */
export interface JoinDoor {
  readonly url: string;
  /** PEM. Present when the connection is TLS. */
  readonly ca?: string;
}

export const joinDoorFile = 'join-door.json';

export async function invite(door: JoinDoor, keysDirectory: string, token: string, now: Date): Promise<Invitation> {
  const keys = await loadNatsKeys(keysDirectory);
  return { ...door, credentials: joinCreds(keys, now.getTime()), token };
}

/** An invitation to the cluster of a home. It is honoured while that runs. Throws when the home never had one. */
export async function inviteTo(homePath: string): Promise<string> {
  const path = join(homePath, joinDoorFile);
  if (!existsSync(path))
    throw new Error(`${homePath} has no NATS of its own that a machine could join: npm start makes one`);
  const door = JSON.parse(readFileSync(path, 'utf8')) as JoinDoor;
  const keysDirectory = join(homePath, 'nats');
  const tokens = new JoinTokens(new JoinTokenFiles(join(keysDirectory, 'join-tokens')), new SystemClock());
  return encodeInvitation(await invite(door, keysDirectory, await tokens.issue(joinTokenTtlMs), new Date()));
}

/** Becomes a node: the key is made here and only its public half leaves this machine. Throws `RemoteRefusal` on a used or expired token. */
export async function joinCluster(invitation: Invitation, nodeName: string): Promise<Membership> {
  const key = createNodeKey();
  const bus = await NatsBus.connect({
    url: invitation.url,
    name: `${nodeName} joins`,
    inboxPrefix: joinInboxPrefix,
    ...(invitation.credentials && { creds: invitation.credentials }),
    ...(invitation.ca && { ca: invitation.ca }),
    signal: AbortSignal.timeout(answerWithinMs),
  });
  try {
    const request = { token: invitation.token, node: nodeName, publicKey: key.publicKey };
    const { cluster, jwt } = await ask(bus, joinSubject, joinCall, request, answerWithinMs);
    const credentials = jwt === undefined ? invitation.credentials : credsFile(jwt, key.seed);
    return {
      nodeName,
      cluster,
      bus: { url: invitation.url, ...(credentials && { credentials }), ...(invitation.ca && { ca: invitation.ca }) },
    };
  } finally {
    await bus.close();
  }
}

/** Credentials for a node of this very process, signed with the home's own keys; a new key at each start. */
export async function localNodeAccess(
  keysDirectory: string,
  control: BusAccess,
  nodeName: string,
  now: Date,
): Promise<BusAccess> {
  const keys = await loadNatsKeys(keysDirectory);
  const key = createNodeKey();
  const jwt = nodeUserJwt(keys, nodeName, key.publicKey, now.getTime());
  await new NodeKeyFiles(keysDirectory).remember(nodeName, key.publicKey, { only: true });
  return { ...control, credentials: credsFile(jwt, key.seed) };
}

/** The control plane's credentials for a home's own NATS. */
export async function controlPlaneAccess(
  keysDirectory: string,
  url: string,
  ca: string | undefined,
  now: Date,
): Promise<BusAccess> {
  const keys = await loadNatsKeys(keysDirectory);
  return { url, credentials: controlPlaneCreds(keys, now.getTime()), ...(ca && { ca }) };
}

/** This machine's name in the form a node may have. Throws when it has none such. */
export function defaultNodeName(): string {
  const name = hostname()
    .toLowerCase()
    .replace(/[^a-z0-9.-]+/g, '-')
    .replace(/^[-.]+|[-.]+$/g, '');
  if (!isNodeName(name))
    throw new Error(`the host name ${hostname()} cannot be a node name: give one with --node-name`);
  return name;
}
