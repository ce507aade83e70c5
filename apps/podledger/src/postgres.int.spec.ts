import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { Home } from './home.js';
import { startPostgres } from './postgres.js';
import { commandLine } from './process-table.js';

const dist = join(import.meta.dirname, '../../../dist/apps/podledger/src');
const silent = (): void => undefined;

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query({ text: sql, rowMode: 'array' })).rows.flat();
  } finally {
    await client.end();
  }
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
}

describe('the embedded PostgreSQL', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'podledger-pg-'));
    chmodSync(directory, 0o755);
  });
  afterEach(() => {
    const record = join(directory, 'home', 'postgres.json');
    const { dataRoot } = JSON.parse(readFileSync(record, 'utf8')) as { dataRoot: string };
    rmSync(directory, { recursive: true });
    rmSync(dataRoot, { recursive: true, force: true });
  });

  it('keeps its data from one start to the next, durably and behind passwords', async () => {
    const home = await Home.open(join(directory, 'home'));
    const first = await startPostgres(home, silent);
    expect(await query(first.ownerUrl, 'SHOW fsync')).toEqual(['on']);
    expect(await query(first.ownerUrl, 'SHOW synchronous_commit')).toEqual(['on']);
    expect(await query(first.ownerUrl, 'SELECT rolsuper FROM pg_roles WHERE rolname = current_user')).toEqual([false]);
    await expect(query(first.ownerUrl.replace(/:[^:@/]+@/, ':wrong@'), 'SELECT 1')).rejects.toThrow(
      /password authentication failed/,
    );
    await query(first.ownerUrl, 'CREATE TABLE kept AS SELECT 7 AS n');
    await first.stop();
    const second = await startPostgres(home, silent);
    expect(await query(second.ownerUrl, 'SELECT n FROM kept')).toEqual([7]);
    await second.stop();
    home.release();
  }, 60_000);

  it('stops the server that outlived a killed start, and loses nothing that was committed', async () => {
    const path = join(directory, 'home');
    const script = `
      const { Home } = await import('${dist}/home.js');
      const { startPostgres } = await import('${dist}/postgres.js');
      const pg = (await import('${join(import.meta.dirname, '../../../node_modules/pg/esm/index.mjs')}')).default;
      const database = await startPostgres(await Home.open('${path}'), () => {});
      const client = new pg.Client({ connectionString: database.ownerUrl });
      await client.connect();
      await client.query('CREATE TABLE kept AS SELECT 7 AS n');
      console.log(database.pid);
    `;
    const killed = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [output] = (await once(killed.stdout, 'data')) as [Buffer];
    const survivor = Number(output.toString());
    killed.kill('SIGKILL');
    await once(killed, 'exit');
    expect(await commandLine(survivor)).toContain('-D');

    const home = await Home.open(path);
    const database = await startPostgres(home, silent);
    expect(await commandLine(survivor)).toBeUndefined();
    expect(await query(database.ownerUrl, 'SELECT n FROM kept')).toEqual([7]);
    await database.stop();
    home.release();
  }, 60_000);

  it('is started again when it dies', async () => {
    const home = await Home.open(join(directory, 'home'));
    const said: string[] = [];
    const database = await startPostgres(home, (text) => said.push(text));
    const first = database.pid;
    expect(first).toBeGreaterThan(1);
    process.kill(Number(first), 'SIGKILL');
    await until(() => said.includes('PostgreSQL is back'));
    expect(database.pid).not.toBe(first);
    expect(await query(database.ownerUrl, 'SELECT 1')).toEqual([1]);
    await database.stop();
    home.release();
  }, 60_000);

  it('lives, when root starts it, outside of a home that its user cannot reach', async () => {
    chmodSync(directory, 0o700);
    const home = await Home.open(join(directory, 'home'));
    const database = await startPostgres(home, silent);
    const { dataRoot } = JSON.parse(readFileSync(home.file('postgres.json'), 'utf8')) as { dataRoot: string };
    const isRoot = process.getuid?.() === 0;
    expect(dataRoot.startsWith(home.path)).toBe(!isRoot);
    expect(statSync(dataRoot).uid === 0).toBe(false);
    expect(existsSync(join(dataRoot, 'data', 'postmaster.pid'))).toBe(true);
    await database.stop();
    home.release();
  }, 60_000);

  it('says that the data is gone rather than beginning anew with nothing', async () => {
    const home = await Home.open(join(directory, 'home'));
    const { dataRoot } = await startPostgres(home, silent).then(async (database) => {
      await database.stop();
      return JSON.parse(readFileSync(home.file('postgres.json'), 'utf8')) as { dataRoot: string };
    });
    rmSync(join(dataRoot, 'data'), { recursive: true });
    await expect(startPostgres(home, silent)).rejects.toThrow(/the database of this home is gone/);
    expect(existsSync(join(dataRoot, 'data'))).toBe(false);
    home.release();
  }, 60_000);
});
