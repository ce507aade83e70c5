import { randomBytes, randomUUID } from 'node:crypto';
import pg from 'pg';
import { decideNamespace, namespaceStream } from '#domain';
import { ClusterProjection, CommandBus, migrate, PostgresEventLog } from '#eventlog';
import { SystemClock, SystemIds } from '#system';
import { freshDatabase } from '../test/support/postgres.js';
import { aMeta } from '../test/support/builders.js';

export const clock = new SystemClock();
export const ids = new SystemIds();

/** The namespace in which benches make their pods. */
export const NAMESPACE = 'bench';

/** A log on PostgreSQL with one namespace in it, in a database of its own. */
export class BenchLog {
  private constructor(
    readonly ownerUrl: string,
    readonly appUrl: string,
    readonly log: PostgresEventLog,
    /** As the owner of the tables: to count rows. */
    private readonly owner: pg.Pool,
    private readonly drop: () => Promise<void>,
  ) {}

  static async open(): Promise<BenchLog> {
    const database = await freshDatabase();
    const role = { appRole: `bench_${randomBytes(4).toString('hex')}`, appPassword: randomUUID() };
    const { appUrl } = await migrate(database.ownerUrl, role);
    const log = openLog(appUrl);
    const owner = new pg.Pool({ connectionString: database.ownerUrl, max: 1 });
    // The database is dropped with whatever is still connected to it.
    owner.on('error', () => undefined);
    const meta = aMeta({ uid: randomUUID() });
    const events = decideNamespace({ type: 'RequestNamespace', name: NAMESPACE, meta }, undefined);
    const id = randomUUID();
    await log.append({
      commandId: id,
      context: { actor: { kind: 'user', name: 'bench' }, requestId: id, correlationId: id },
      writes: [{ stream: namespaceStream(NAMESPACE), expectedVersion: 0, events }],
    });
    return new BenchLog(database.ownerUrl, appUrl, log, owner, database.drop);
  }

  /** What an app has on the log: a projection that follows it, and a command bus. */
  async follow(): Promise<Following> {
    const { log } = this;
    const projection = new ClusterProjection({ log, clock });
    const stopped = new AbortController();
    await projection.start(stopped.signal);
    return { projection, commands: new CommandBus({ log, projection }), stop: () => stopped.abort() };
  }

  /** Puts the table in the state that it is in at any later time: what was just written is read more slowly once. */
  async settle(): Promise<void> {
    await this.owner.query('vacuum analyze podledger.events');
  }

  /** Rows that are in the table of events, of a type or of all. Not what anybody claims to have written. */
  async rows(type?: string): Promise<number> {
    const { rows } = await this.owner.query<{ count: string }>(
      'select count(*) from podledger.events where $1::text is null or type = $1',
      [type ?? null],
    );
    return Number(rows[0]?.count);
  }

  async close(): Promise<void> {
    await this.log.close();
    await this.owner.end();
    await this.drop();
  }
}

export interface Following {
  readonly projection: ClusterProjection;
  readonly commands: CommandBus;
  stop(): void;
}

/** The log as an app opens it. */
export const openLog = (url: string): PostgresEventLog => new PostgresEventLog({ url, clock, ids });
