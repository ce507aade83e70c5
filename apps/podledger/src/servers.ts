import { randomBytes } from 'node:crypto';
import { migrate, PostgresEventLog } from '#eventlog';
import { SystemClock, SystemIds } from '#system';
import type { BusAccess } from './assembly.js';
import type { Certificates } from './certificates.js';
import type { Home } from './home.js';
import { startNats } from './nats-child.js';
import type { Parts } from './parts.js';
import { startPostgres } from './postgres.js';

/** Servers of the user's own, instead of the embedded ones. */
export interface ForeignServers {
  /** Address of a PostgreSQL database, as a role that may create tables and roles in it. */
  readonly databaseUrl?: string;
  readonly bus?: BusAccess;
}

/** The servers a home runs on. */
export interface Servers {
  readonly databaseUrl: string;
  readonly cluster: string;
  readonly bus: BusAccess;
  /** The home's own NATS: its keys, and the port others reach it on. */
  readonly ownNats?: { readonly keysDirectory: string; readonly port: number };
  /** Processes that would outlive this one. */
  readonly pids: () => readonly { readonly pid: number; readonly signal: NodeJS.Signals }[];
}

const natsRank = 3;
const postgresRank = 4;

/** Brings up PostgreSQL and NATS side by side, and the log's schema. */
export async function startServers(
  home: Home,
  parts: Parts,
  foreign: ForeignServers,
  listen: { readonly host: string; readonly tls: Certificates | undefined },
  report: (text: string) => void,
): Promise<Servers> {
  const [database, nats] = await allStarted([startDatabase(home, parts, foreign.databaseUrl, report), startBus()]);
  return {
    ...database,
    ...nats,
    pids: () => [...database.pids(), ...nats.pids()],
  };

  async function startBus(): Promise<Pick<Servers, 'bus' | 'ownNats' | 'pids'>> {
    if (foreign.bus) return { bus: foreign.bus, pids: () => [] };
    const own = await parts.start('nats-server', natsRank, () =>
      startNats(home, listen.host, listen.tls, new Date(), report),
    );
    return {
      bus: own.access,
      ownNats: { keysDirectory: own.keysDirectory, port: own.port },
      pids: () => (own.pid === undefined ? [] : [{ pid: own.pid, signal: 'SIGKILL' }]),
    };
  }
}

async function startDatabase(
  home: Home,
  parts: Parts,
  databaseUrl: string | undefined,
  report: (text: string) => void,
): Promise<Pick<Servers, 'databaseUrl' | 'cluster' | 'pids'>> {
  if (databaseUrl !== undefined) return { ...(await migrated(databaseUrl, appRoleOf(home))), pids: () => [] };
  const own = await parts.start('PostgreSQL', postgresRank, () => startPostgres(home, report));
  const made = await migrated(own.ownerUrl, { appRole: own.appRole, appPassword: own.appPassword });
  // SIGQUIT: at once, but its own children and shared memory go with it.
  return { ...made, pids: () => (own.pid === undefined ? [] : [{ pid: own.pid, signal: 'SIGQUIT' }]) };
}

interface AppRole {
  readonly appRole: string;
  readonly appPassword: string;
}

/** Roles belong to a whole server, so on the user's own each home has a role under a name of its own. */
export function appRoleOf(home: Home): AppRole {
  const known = home.read('database-role.json');
  if (known !== undefined) return JSON.parse(known) as AppRole;
  const role = {
    appRole: `podledger_${randomBytes(6).toString('hex')}`,
    appPassword: randomBytes(24).toString('base64url'),
  };
  home.write('database-role.json', `${JSON.stringify(role)}\n`);
  return role;
}

/** Brings a database to the newest schema; the apps' address of it and the cluster's id. */
export async function migrated(ownerUrl: string, role: AppRole): Promise<{ databaseUrl: string; cluster: string }> {
  const { appUrl } = await migrate(ownerUrl, role);
  const log = new PostgresEventLog({ url: appUrl, clock: new SystemClock(), ids: new SystemIds() });
  try {
    return { databaseUrl: appUrl, cluster: await log.clusterId() };
  } finally {
    await log.close();
  }
}

/** As `Promise.all`, but an early failure waits for the others: nothing goes on behind the back of who stops it all. */
async function allStarted<A, B>(starts: [Promise<A>, Promise<B>]): Promise<[A, B]> {
  await Promise.allSettled(starts);
  return Promise.all(starts);
}
