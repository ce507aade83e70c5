import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { describeEventLog } from '../../../../test/contract/event-log.contract.js';
import { freshDatabase } from '../../../../test/support/postgres.js';
import { systemClock } from '../../../../test/support/system-clock.js';
import { migrate } from './migrate.js';
import { PostgresEventLog } from './postgres-event-log.js';

const ids = { uuid: randomUUID, random: Math.random };

describeEventLog('the log in Postgres', async () => {
  const database = await freshDatabase();
  const { appUrl } = await migrate(database.ownerUrl, { appRole: 'podledger_app', appPassword: 'p@ss/word' });
  const handles: PostgresEventLog[] = [];
  const owner = new pg.Client({ connectionString: database.ownerUrl });
  await owner.connect();
  return {
    connect: () => {
      const handle = new PostgresEventLog({ url: appUrl, clock: systemClock, ids, readConnections: 2 });
      handles.push(handle);
      return handle;
    },
    elapse: async (ms) => {
      await owner.query('select pg_sleep($1)', [ms / 1_000]);
    },
    close: async () => {
      await Promise.all(handles.map((handle) => handle.close()));
      await owner.end();
      await database.drop();
    },
  };
});
