import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { loadNatsKeys, natsServerConfig } from '#bus';
import type { Apps, BusAccess, ExecutorConfig, Running } from './assembly.js';
import { certificates, readCertificates } from './certificates.js';
import { busFromEnvironment, dockerHost, foreignServers } from './environment.js';
import { Home } from './home.js';
import { controlPlaneAccess, defaultNodeName, localNodeAccess, type Membership } from './join.js';
import { adminToken, serverUrl, writeKubeconfig } from './kubeconfig.js';
import type { Service } from './lifecycle.js';
import { masterKey } from './master-key.js';
import { Parts } from './parts.js';
import { appRoleOf, migrated } from './servers.js';

/**
 * The apps each in a process of its own, on servers that somebody else runs. What they share (certificates, the token, the
 * keys of NATS) lies in a home that `setup` has filled.
 */

/** One app as a service. */
export function single(name: string, start: () => Promise<Running>, report: (text: string) => void): Service {
  const parts = new Parts(report);
  return {
    start: async () => {
      const part = await parts.start(name, 0, start);
      void Promise.resolve(part.ready).then(() => report(`${name} is Ready`));
    },
    stop: () => parts.stop(),
    abandon: () => undefined,
  };
}

export async function startApi(
  apps: Apps,
  home: Home,
  env: NodeJS.ProcessEnv,
  listen: { host: string; port: number },
): Promise<Running> {
  const bus = await controlPlaneBus(home, env);
  const natsKeysDirectory = hasKeys(home) ? home.file('nats') : undefined;
  return apps.startApi({
    databaseUrl: databaseUrl(env),
    bus,
    listen,
    tls: readCertificates(home),
    token: adminToken(home),
    masterKey: masterKey(home, env),
    ...(natsKeysDirectory && { natsKeysDirectory }),
  });
}

export async function startScheduler(apps: Apps, home: Home, env: NodeJS.ProcessEnv): Promise<Running> {
  const identity = `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`;
  return apps.startScheduler({ databaseUrl: databaseUrl(env), bus: await controlPlaneBus(home, env), identity });
}

/** A node: as what it joined as, else as the environment says. */
export async function startExecutor(
  apps: Apps,
  home: Home,
  env: NodeJS.ProcessEnv,
  nodeName: string | undefined,
): Promise<Running> {
  const joined = readMembership(home);
  const name = nodeName ?? env.NODE_NAME ?? joined?.nodeName ?? defaultNodeName();
  const config: ExecutorConfig = {
    bus: joined?.nodeName === name ? joined.bus : await nodeBus(home, env, name),
    nodeName: name,
    capacityShare: Number(env.PODLEDGER_CAPACITY_SHARE ?? 1),
    dockerHost: dockerHost(env),
    stateDirectory: home.directory('nodes', name),
  };
  return apps.startExecutor(config);
}

const membershipFile = 'membership.json';

export function keepMembership(home: Home, membership: Membership): void {
  home.write(membershipFile, `${JSON.stringify(membership)}\n`);
}

function readMembership(home: Home): Membership | undefined {
  const text = home.read(membershipFile);
  return text === undefined ? undefined : (JSON.parse(text) as Membership);
}

/**
 * Fills a home for processes that run apart: certificates with the further names, the token, the kubeconfig, the keys and
 * configuration of a nats-server, and a password for the database's owner. Doing it again changes nothing that is there.
 */
export async function setup(
  home: Home,
  options: { names: readonly string[]; port: number; natsHost: string; natsStore: string },
): Promise<void> {
  const now = new Date();
  const tls = await certificates(home, '127.0.0.1', now, options.names);
  writeKubeconfig(home, serverUrl('127.0.0.1', options.port), tls.ca, adminToken(home));
  masterKey(home, {});
  const keys = await loadNatsKeys(home.directory('nats'));
  const config = natsServerConfig({
    keys,
    host: options.natsHost,
    port: 4222,
    storeDir: options.natsStore,
    now: now.getTime(),
  });
  writeFileSync(home.file('nats', 'nats.conf'), config, { mode: 0o600 });
  if (home.read('postgres-password') === undefined)
    home.write('postgres-password', randomBytes(24).toString('base64url'));
}

/** Brings the database to the newest schema, as its owner, and leaves the apps' address of it in the home. */
export async function migrateDatabase(home: Home, ownerUrl: URL): Promise<void> {
  if (ownerUrl.password === '') ownerUrl.password = home.read('postgres-password') ?? '';
  const { databaseUrl: url, cluster } = await migrated(ownerUrl.href, appRoleOf(home));
  home.write('cluster-id', `${cluster}\n`);
  home.write('database-url', url);
}

function databaseUrl(env: NodeJS.ProcessEnv): string {
  const { databaseUrl: url } = foreignServers(env);
  if (!url)
    throw new Error('DATABASE_URL is not set: the address of the event log, as the role that "podledger migrate" made');
  return url;
}

async function controlPlaneBus(home: Home, env: NodeJS.ProcessEnv): Promise<BusAccess> {
  const bus = busOf(env);
  return bus.credentials || !hasKeys(home) ? bus : controlPlaneAccess(home.file('nats'), bus.url, bus.ca, new Date());
}

/**
 * A node that shares its machine, and so the home, with the control plane signs its own credentials; any other has its own
 * from joining, or is given them.
 */
async function nodeBus(home: Home, env: NodeJS.ProcessEnv, nodeName: string): Promise<BusAccess> {
  const bus = busOf(env);
  return bus.credentials || !hasKeys(home) ? bus : localNodeAccess(home.file('nats'), bus, nodeName, new Date());
}

function busOf(env: NodeJS.ProcessEnv): BusAccess {
  const bus = busFromEnvironment(env);
  if (!bus) throw new Error('NATS_URL is not set: the address of NATS, as nats://host:4222');
  return bus;
}

function hasKeys(home: Home): boolean {
  return existsSync(home.file('nats', 'nats-keys.json'));
}
