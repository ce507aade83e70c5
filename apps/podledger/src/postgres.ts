import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import type { Home } from './home.js';
import { freePort, isFree } from './ports.js';
import { installation, type Account, type Installation } from './postgres-account.js';
import { endProcess } from './process-table.js';
import { SupervisedChild } from './supervised-child.js';

/** The embedded database of a home. */
export interface EmbeddedPostgres {
  /** Address of the role that owns the tables: for migrations, never for running apps. */
  readonly ownerUrl: string;
  /** Name and password for the role the apps use; {@link appUrl} connects as it once it exists. */
  readonly appRole: string;
  readonly appPassword: string;
  readonly appUrl: string;
  readonly pid: number | undefined;
  stop(): Promise<void>;
}

/** Kept in the home as `postgres.json`. */
interface Settings {
  readonly dataRoot: string;
  readonly port: number;
  readonly superuserPassword: string;
  readonly ownerPassword: string;
  readonly appPassword: string;
  /** True once the data directory was complete: from then on its absence is a loss, not a first start. */
  readonly initialised: boolean;
}

const host = '127.0.0.1';
const database = 'podledger';
const superuser = 'postgres';
const ownerRole = 'podledger_owner';
const appRole = 'podledger_app';

/** Fast shutdown first (sessions end, all is written); immediate if that hangs: then the next start recovers from the WAL. */
const stopSignals = [
  { signal: 'SIGINT', withinMs: 30_000 },
  { signal: 'SIGQUIT', withinMs: 5_000 },
  { signal: 'SIGKILL', withinMs: 5_000 },
] as const;
/** Long, because recovery of a large WAL after a crash is part of a start. */
const readyWithinMs = 120_000;

/** Durable as the defaults are (fsync and synchronous_commit on), but small: one writer, few sessions, no replication. */
const serverSettings: Readonly<Record<string, string>> = {
  listen_addresses: host,
  unix_socket_directories: '',
  max_connections: '60',
  shared_buffers: '32MB',
  huge_pages: 'off',
  work_mem: '8MB',
  maintenance_work_mem: '32MB',
  jit: 'off',
  io_method: 'sync', // The default keeps three worker processes.
  max_parallel_workers: '2',
  max_parallel_workers_per_gather: '0',
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_logical_replication_workers: '0',
  min_wal_size: '64MB',
  max_wal_size: '1GB',
  checkpoint_timeout: '15min',
  autovacuum_max_workers: '1',
  password_encryption: 'scram-sha-256',
  log_timezone: 'UTC',
  timezone: 'UTC',
  log_min_messages: 'warning',
  log_line_prefix: '%m [%p] ',
};

/**
 * Starts the home's database, made at the first start, and restarts it should it die. A server that outlived a killed
 * start of this home is stopped first: it would hold the data directory, and nobody would be its parent.
 */
export async function startPostgres(home: Home, report: (text: string) => void): Promise<EmbeddedPostgres> {
  const known = readSettings(home);
  const place = installation(home, known?.dataRoot);
  const data = join(place.dataRoot, 'data');
  await endSurvivor(data);
  const port = known && (await isFree(host, known.port)) ? known.port : await freePort(host);
  const settings: Settings = known ? { ...known, port } : { ...newSettings(place, port) };
  if (!existsSync(join(data, 'PG_VERSION'))) {
    if (settings.initialised) throw new Error(`the database of this home is gone: there is nothing in ${data}`);
    writeSettings(home, settings);
    initialise(place, data, settings);
  }
  writeSettings(home, { ...settings, initialised: true });
  const child = await SupervisedChild.start(
    {
      name: 'PostgreSQL',
      program: join(place.binaries, 'postgres'),
      args: [
        '-D',
        data,
        '-p',
        String(port),
        ...Object.entries(serverSettings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
      ],
      env: environment(),
      ...(place.account && { account: place.account }),
      logFile: join(home.directory('logs'), 'postgres.log'),
      isReady: () => answers(url(superuser, settings.superuserPassword, port, 'postgres')),
      readyWithinMs,
      stopSignals,
    },
    report,
  );
  try {
    await makeDatabase(settings);
  } catch (error) {
    await child.stop();
    throw error;
  }
  return {
    ownerUrl: url(ownerRole, settings.ownerPassword, port, database),
    appRole,
    appPassword: settings.appPassword,
    appUrl: url(appRole, settings.appPassword, port, database),
    get pid() {
      return child.pid;
    },
    stop: () => child.stop(),
  };
}

/** Stops the server of a data directory that nobody looks after any more. */
async function endSurvivor(data: string): Promise<void> {
  const noted = join(data, 'postmaster.pid');
  if (!existsSync(noted)) return;
  const pid = Number(readFileSync(noted, 'utf8').split('\n')[0]);
  if (Number.isSafeInteger(pid) && pid > 1) await endProcess(pid, (args) => args.includes(data), stopSignals);
}

function initialise(place: Installation, data: string, settings: Settings): void {
  const partial = `${data}.partial`; // Renamed when complete: a start that is killed midway leaves nothing half-made behind.
  const passwordFile = join(place.dataRoot, 'initdb-password');
  rmSync(partial, { recursive: true, force: true });
  writeFileSync(passwordFile, `${settings.superuserPassword}\n`, { mode: 0o600 });
  give(place.account, passwordFile);
  const args = [
    `--pgdata=${partial}`,
    `--username=${superuser}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--no-locale',
    '--no-instructions',
  ];
  const made = spawnSync(join(place.binaries, 'initdb'), args, {
    ...place.account,
    cwd: '/',
    env: environment(),
    encoding: 'utf8',
  });
  rmSync(passwordFile, { force: true });
  if (made.status !== 0)
    throw new Error(`PostgreSQL's data directory could not be made: ${made.error?.message ?? made.stderr}`);
  renameSync(partial, data);
}

function give(account: Account | undefined, path: string): void {
  chmodSync(path, 0o600);
  if (account) chownSync(path, account.uid, account.gid);
}

/** None of the caller's own settings (PGHOST, PGDATA, locale) reach the server. */
function environment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' };
}

async function answers(address: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: address, connectionTimeoutMillis: 2000 });
  client.on('error', () => undefined); // A server still starting may cut the connection; the answer is "not yet" either way.
  try {
    await client.connect();
    await client.query('SELECT 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** The owner may make roles, since migrations make the app's; the passwords are base64url, so they need no quoting. */
async function makeDatabase(settings: Settings): Promise<void> {
  const client = new pg.Client({
    connectionString: url(superuser, settings.superuserPassword, settings.port, 'postgres'),
  });
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [database]);
    if (rowCount) return;
    await client.query(`DROP ROLE IF EXISTS ${ownerRole}`);
    await client.query(`CREATE ROLE ${ownerRole} LOGIN CREATEROLE PASSWORD '${settings.ownerPassword}'`);
    await client.query(`CREATE DATABASE ${database} OWNER ${ownerRole}`);
  } finally {
    await client.end();
  }
}

function url(role: string, password: string, port: number, name: string): string {
  return `postgres://${role}:${password}@${host}:${port}/${name}`;
}

function newSettings(place: Installation, port: number): Settings {
  const password = (): string => randomBytes(24).toString('base64url');
  return {
    dataRoot: place.dataRoot,
    port,
    superuserPassword: password(),
    ownerPassword: password(),
    appPassword: password(),
    initialised: false,
  };
}

function readSettings(home: Home): Settings | undefined {
  const text = home.read('postgres.json');
  return text === undefined ? undefined : (JSON.parse(text) as Settings);
}

function writeSettings(home: Home, settings: Settings): void {
  home.write('postgres.json', `${JSON.stringify(settings, null, 2)}\n`);
}
