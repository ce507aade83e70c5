import pg from 'pg';
import { logDataSource } from './data-source.js';
import { reachingTheLog } from './postgres-errors.js';
import { DEFAULT_SCHEMA, plainName } from './schema.js';

export interface MigrateOptions {
  /** The role that running apps connect as: it may execute the functions of the log and select, nothing else. */
  readonly appRole: string;
  readonly appPassword: string;
  /** One schema per log. */
  readonly schema?: string;
}

/** Any number will do, as long as it is always the same: two processes that migrate at once take turns. */
const MIGRATION_LOCK = 7_064_776_501;
const CONNECT_TIMEOUT_MS = 10_000;

/** PostgreSQL's answer when two sessions change one role at once, from different databases too. */
const CONCURRENT_UPDATE = 'XX000';
const ALREADY_EXISTS = ['42710', '23505'];
const ROLE_ATTEMPTS = 5;

/**
 * Brings a database to the newest schema and lets the apps' role in; safe to repeat, and for two processes at once. Resolves to
 * the URL that apps connect with. Throws `LogUnavailable`, and an `Error` on a server that does not write through to disk.
 */
export async function migrate(ownerUrl: string, options: MigrateOptions): Promise<{ readonly appUrl: string }> {
  const schema = plainName(options.schema ?? DEFAULT_SCHEMA);
  const role = plainName(options.appRole);
  await reachingTheLog(async () => {
    const client = new pg.Client({ connectionString: ownerUrl, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
    // Reported by the query that is under way.
    client.on('error', () => undefined);
    await client.connect();
    try {
      await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
      await refuseUnsafeServer(client);
      await client.query(`create schema if not exists ${schema}`);
      await runMigrations(ownerUrl, schema);
      await admitRole(client, role, options.appPassword);
      await grant(client, schema, role);
    } finally {
      await client.end();
    }
  });
  return { appUrl: urlOfRole(ownerUrl, role, options.appPassword) };
}

function urlOfRole(ownerUrl: string, role: string, password: string): string {
  const url = new URL(ownerUrl);
  url.username = role;
  url.password = encodeURIComponent(password);
  return url.href;
}

async function refuseUnsafeServer(client: pg.Client): Promise<void> {
  const answer = await client.query<{ fsync: string }>('show fsync');
  if (answer.rows[0]?.fsync !== 'on')
    throw new Error('this PostgreSQL runs with fsync off: it would acknowledge what a power cut can take back');
}

async function runMigrations(ownerUrl: string, schema: string): Promise<void> {
  const dataSource = await logDataSource(ownerUrl, schema, CONNECT_TIMEOUT_MS).initialize();
  try {
    await dataSource.runMigrations();
  } finally {
    await dataSource.destroy();
  }
}

/** Roles belong to the server, not to the database whose lock we hold: another database may be creating the same one. */
async function admitRole(client: pg.Client, role: string, password: string): Promise<void> {
  const login = `${role} login password ${client.escapeLiteral(password)}`;
  for (let attempt = 1; ; attempt += 1) {
    const { rowCount } = await client.query('select from pg_roles where rolname = $1', [role]);
    try {
      await client.query(rowCount === 0 ? `create role ${login}` : `alter role ${login}`);
      return;
    } catch (error) {
      const code = error instanceof pg.DatabaseError ? error.code : undefined;
      const raced = code === CONCURRENT_UPDATE || (code !== undefined && ALREADY_EXISTS.includes(code));
      if (!raced || attempt === ROLE_ATTEMPTS) throw error;
    }
  }
}

async function grant(client: pg.Client, schema: string, role: string): Promise<void> {
  await client.query(`revoke all on schema ${schema} from public`);
  await client.query(`revoke all on all functions in schema ${schema} from public`);
  await client.query(`grant usage on schema ${schema} to ${role}`);
  for (const table of ['log_head', 'events', 'streams', 'commands', 'snapshots', 'leases', 'secret_keys'])
    await client.query(`grant select on ${schema}.${table} to ${role}`);
  const { rows } = await client.query<{ signature: string }>(
    `select p.oid::regprocedure::text as signature from pg_proc p join pg_namespace n on n.oid = p.pronamespace
      where n.nspname = $1 and p.prosecdef`,
    [schema],
  );
  for (const { signature } of rows) await client.query(`grant execute on function ${signature} to ${role}`);
}
