import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { describeSecretVault } from '../../../../test/contract/secret-vault.contract.js';
import { freshDatabase, type TestDatabase } from '../../../../test/support/postgres.js';
import { MasterKey } from '../secrets/master-key.js';
import { migrate } from './migrate.js';
import { PostgresSecretVault, WrongMasterKey } from './postgres-secret-vault.js';

const role = { appRole: 'podledger_app', appPassword: 'secret' };

describeSecretVault('the vault in Postgres', async () => {
  const database = await freshDatabase();
  const { appUrl: url } = await migrate(database.ownerUrl, role);
  const masterKey = MasterKey.create();
  const handles: PostgresSecretVault[] = [];
  return {
    connect: async () => {
      const handle = await PostgresSecretVault.open({ url, masterKey });
      handles.push(handle);
      return handle;
    },
    elapse: (ms) => withClient(database.ownerUrl, (owner) => owner.query('select pg_sleep($1)', [ms / 1_000])),
    close: async () => {
      await Promise.all(handles.map((handle) => handle.close()));
      await database.drop();
    },
  };
});

async function withClient(url: string, use: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await use(client);
  } finally {
    await client.end();
  }
}

describe('the vault in Postgres', () => {
  let database: TestDatabase;
  let url: string;
  const masterKey = MasterKey.create();
  beforeAll(async () => {
    database = await freshDatabase();
    url = (await migrate(database.ownerUrl, role)).appUrl;
    await (await PostgresSecretVault.open({ url, masterKey })).close();
  });
  afterAll(() => database.drop());

  it('does not open with another master key than its own', async () => {
    await expect(PostgresSecretVault.open({ url, masterKey: MasterKey.create() })).rejects.toThrow(WrongMasterKey);
  });

  it('stores no key as it is', async () => {
    const vault = await PostgresSecretVault.open({ url, masterKey });
    const uid = randomUUID();
    const key = Buffer.from(await vault.obtain(uid));
    await vault.close();
    await withClient(url, async (app) => {
      const { rows } = await app.query<{ wrapped: Buffer; master_key_id: string }>(
        'select wrapped, master_key_id from podledger.secret_keys where uid = $1',
        [uid],
      );
      expect(rows).toHaveLength(1);
      expect(rows[0]?.wrapped.includes(key)).toBe(false);
      expect(rows[0]?.master_key_id).toBe(masterKey.id);
    });
  });

  it.each([
    "insert into podledger.secret_keys (uid, wrapped, master_key_id) values ('u', '\\x00', 'm')",
    "update podledger.secret_keys set wrapped = '\\x00'",
    'delete from podledger.secret_keys',
    "update podledger.vault set master_key_id = 'mine'",
  ])('does not let the role of the apps: %s', async (statement) => {
    await withClient(url, (app) => expect(app.query(statement)).rejects.toMatchObject({ code: '42501' }));
  });
});
