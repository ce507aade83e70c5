import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { type AppendCommand } from '#domain';
import { freshDatabase, type TestDatabase } from '../../../../test/support/postgres.js';
import { systemClock } from '../../../../test/support/system-clock.js';
import { logDataSource } from './data-source.js';
import { readAfterQuery } from './event-queries.js';
import { migrate } from './migrate.js';
import { PostgresEventLog } from './postgres-event-log.js';

const role = { appRole: 'podledger_app', appPassword: 'secret' };
const ids = { uuid: randomUUID, random: Math.random };

const write = (stream: string, expectedVersion: number, count: number): AppendCommand => ({
  commandId: randomUUID(),
  context: { actor: { kind: 'system', name: 'test' }, requestId: 'r', correlationId: 'r' },
  writes: [{ stream, expectedVersion, events: Array.from({ length: count }, () => ({ type: 'Noted', data: {} })) }],
});

async function withClient<T>(url: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

async function withLog<T>(url: string, use: (log: PostgresEventLog) => Promise<T>, schema?: string): Promise<T> {
  const log = new PostgresEventLog({ url, clock: systemClock, ids, ...(schema === undefined ? {} : { schema }) });
  try {
    return await use(log);
  } finally {
    await log.close();
  }
}

describe('the schema of the log', () => {
  const databases: TestDatabase[] = [];
  const makeDatabase = async (): Promise<TestDatabase> => {
    const database = await freshDatabase();
    databases.push(database);
    return database;
  };
  afterAll(async () => {
    for (const database of databases) await database.drop();
  });

  it('is migrated once by several processes that start at once, also on several databases of one server', async () => {
    const [one, two] = await Promise.all([makeDatabase(), makeDatabase()]);
    const urls = await Promise.all(
      [one, two, one, two, one].map(async ({ ownerUrl }) => (await migrate(ownerUrl, role)).appUrl),
    );
    for (const url of new Set(urls))
      await withLog(url, async (log) => expect(await log.append(write('s', 0, 1))).toMatchObject({ first: 1 }));
    const { rows } = await withClient(one.ownerUrl, (owner) =>
      owner.query('select name, count(*)::int from podledger.migrations group by name order by name'),
    );
    expect(rows).toEqual([
      { name: 'Append1763800000002', count: 1 },
      { name: 'HandedOver1763800000005', count: 1 },
      { name: 'LeasesAndSnapshots1763800000003', count: 1 },
      { name: 'SecretKeys1763800000004', count: 1 },
      { name: 'Tables1763800000001', count: 1 },
    ]);
  });

  it('keeps two logs apart in one database', async () => {
    const { ownerUrl } = await makeDatabase();
    const { appUrl } = await migrate(ownerUrl, role);
    await migrate(ownerUrl, { ...role, schema: 'audit' });
    await withLog(appUrl, (log) => log.append(write('s', 0, 3)));
    await withLog(
      appUrl,
      async (audit) => expect(await audit.append(write('s', 0, 1))).toMatchObject({ last: 1 }),
      'audit',
    );
    await withLog(appUrl, async (log) => expect(await log.head()).toBe(3));
  });

  describe('in one database', () => {
    let ownerUrl: string;
    let appUrl: string;
    beforeAll(async () => {
      ({ ownerUrl } = await makeDatabase());
      ({ appUrl } = await migrate(ownerUrl, role));
      await withLog(appUrl, (log) => log.append(write('s', 0, 2)));
    });

    it('is what TypeORM believes it to be', async () => {
      const dataSource = await logDataSource(ownerUrl, 'podledger', 5_000).initialize();
      try {
        const differences = await dataSource.driver.createSchemaBuilder().log();
        expect(differences.upQueries.map(({ query }) => query)).toEqual([]);
      } finally {
        await dataSource.destroy();
      }
    });

    it.each([
      'insert into podledger.events select * from podledger.events',
      "update podledger.events set type = 'Other'",
      'delete from podledger.events',
      'truncate podledger.events',
      'truncate podledger.events_0',
      'drop table podledger.events',
      'update podledger.log_head set last_revision = 0',
      'delete from podledger.commands',
      "update podledger.streams set version = 0 where stream_id = 's'",
      "update podledger.leases set holder = 'me'",
      'delete from podledger.snapshots',
      'alter table podledger.events add column x int',
      'create table podledger.mine (x int)',
      'create or replace function podledger.append() returns void language sql as $$ select $$',
      'select podledger.add_partition()',
    ])('does not let the role of the apps: %s', async (statement) => {
      await withClient(appUrl, async (app) => {
        await expect(app.query(statement)).rejects.toMatchObject({ code: '42501' });
        const { rows } = await app.query('select count(*)::int from podledger.events');
        expect(rows).toEqual([{ count: 2 }]);
      });
    });

    it.each([
      "update podledger.events set type = 'Other'",
      'delete from podledger.events',
      'delete from podledger.events_0',
      'truncate podledger.events',
      'truncate podledger.events_0',
    ])('does not let even its owner by mistake: %s', async (statement) => {
      await withClient(ownerUrl, async (owner) => {
        await expect(owner.query(statement)).rejects.toMatchObject({
          message: expect.stringContaining('never changed'),
        });
      });
    });

    it('shows the role of another login nothing', async () => {
      const stranger = `stranger_${randomUUID().slice(0, 8)}`;
      await withClient(ownerUrl, (owner) => owner.query(`create role ${stranger} login password 'x'`));
      const url = new URL(ownerUrl);
      url.username = stranger;
      url.password = 'x';
      await withClient(url.href, async (client) => {
        await expect(client.query('select * from podledger.events')).rejects.toMatchObject({ code: '42501' });
        await expect(client.query("select podledger.acquire_lease('a', 'b', 1)")).rejects.toMatchObject({
          code: '42501',
        });
      });
      await withClient(ownerUrl, (owner) => owner.query(`drop role ${stranger}`));
    });
  });

  describe('with many partitions', () => {
    let ownerUrl: string;
    let appUrl: string;
    const last = 9_999_995;
    beforeAll(async () => {
      ({ ownerUrl } = await makeDatabase());
      ({ appUrl } = await migrate(ownerUrl, role));
      await withClient(ownerUrl, (owner) => owner.query('update podledger.log_head set last_revision = $1', [last]));
    });

    it('goes on without a gap in the next partition, made before it is needed', async () => {
      await withLog(appUrl, async (log) => {
        expect(await log.append(write('long', 0, 10))).toMatchObject({ first: last + 1, last: last + 10 });
        const events = await log.readAfter(last, 100);
        expect(events.map(({ revision }) => revision - last)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
        expect((await log.readStream('long')).map(({ version }) => version)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
      });
      const { rows } = await withClient(ownerUrl, (owner) =>
        owner.query(
          'select tableoid::regclass::text as partition, count(*)::int from podledger.events group by 1 order by 1',
        ),
      );
      expect(rows).toEqual([
        { partition: 'podledger.events_0', count: 4 },
        { partition: 'podledger.events_1', count: 6 },
      ]);
    });

    it('reads after a revision without touching the partitions before it, nor those it does not get to', async () => {
      await withClient(ownerUrl, async (owner) => {
        await owner.query('select podledger.add_partition()');
        await owner.query('set plan_cache_mode = force_generic_plan');
        await owner.query(`prepare read_after (bigint, bigint) as ${readAfterQuery('podledger').text}`);
        const { rows } = await owner.query<{ 'QUERY PLAN': string }>(
          'explain (analyze, costs off, timing off, summary off, buffers off) execute read_after(10000000, 3)',
        );
        const plan = rows.map((row) => row['QUERY PLAN']);
        expect(plan.join('\n')).not.toMatch(/Seq Scan|Sort/);
        expect(plan.filter((line) => line.includes('events_0'))).toEqual([]);
        expect(plan.filter((line) => line.includes('events_1_pkey'))).toHaveLength(1);
        const beyond = plan.filter((line) => line.includes('events_2'));
        expect(beyond).toHaveLength(1);
        expect(beyond[0]).toContain('never executed');
      });
    });
  });
});
