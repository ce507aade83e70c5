import { randomUUID } from 'node:crypto';
import { jest } from '@jest/globals';
import pg from 'pg';
import { CLUSTER_STATE_FORMAT, decidePod, podStream, type JsonObject } from '#domain';
import {
  ask,
  askConfig,
  createSealKeys,
  nodeCalls,
  nodeInboxPrefix,
  nodeRequestSubject,
  NatsBus,
  NatsEventFeed,
} from '#bus';
import { ClusterProjection, CommandBus, MasterKey, migrate, PostgresEventLog, PostgresSecretVault } from '#eventlog';
import { aMeta, aPodSpec } from '../../../../test/support/builders.js';
import { eventually } from '../../../../test/support/eventually.js';
import { TestNats } from '../../../../test/support/nats.js';
import { foundIn, plant } from '../../../../test/support/planted.js';
import { freshDatabase, type TestDatabase } from '../../../../test/support/postgres.js';
import { systemClock } from '../../../../test/support/system-clock.js';
import { createApiCore, type ApiCore } from '../api-core.js';
import { textsAt } from '../resources/wire-values.js';
import type { RawBody } from '../write/body-reader.js';
import type { Target } from '../write/object-writer.js';

jest.setTimeout(90_000);

const ids = { uuid: randomUUID, random: Math.random };
const options = { dryRun: false, fieldValidation: 'Strict', fieldManager: 'tests' } as const;
const quiet = (): void => undefined;

describe('a planted secret', () => {
  const planted = plant();
  const heard: string[] = [];
  const closers: (() => Promise<unknown>)[] = [];
  let database: TestDatabase;
  let log: PostgresEventLog;
  let bus: NatsBus;
  let node: NatsBus;
  let projection: ClusterProjection;
  let commands: CommandBus;
  let core: ApiCore;

  beforeAll(async () => {
    database = await freshDatabase();
    closers.push(() => database.drop());
    const { appUrl: url } = await migrate(database.ownerUrl, { appRole: 'podledger_app', appPassword: 'secret' });
    const nats = await TestNats.start();
    closers.push(() => nats.stop());
    const spy = await NatsBus.connect({ url: nats.url, name: 'spy', report: quiet });
    bus = await NatsBus.connect({ url: nats.url, name: 'api', report: quiet });
    node = await NatsBus.connect({ url: nats.url, name: 'n1', inboxPrefix: nodeInboxPrefix('n1'), report: quiet });
    spy.link.connection.subscribe('>', {
      callback: (_, message) => heard.push(Buffer.from(message.data).toString('utf8')),
    });
    log = new PostgresEventLog({ url, clock: systemClock, ids });
    const vault = await PostgresSecretVault.open({ url, masterKey: MasterKey.create() });
    const ending = new AbortController();
    projection = new ClusterProjection({ log, clock: systemClock, snapshotEvery: 3 });
    const { ended } = await projection.start(ending.signal);
    commands = new CommandBus({ log, projection });
    const feed = new NatsEventFeed(bus.link);
    core = await createApiCore(
      { log, projection, commands, bus, feed, vault, clock: systemClock, ids },
      { identity: 'api-1' },
    );
    const worked = await core.start(ending.signal);
    closers.push(async () => {
      ending.abort();
      await Promise.all([ended, worked.ended]);
      await Promise.all([bus.close(), node.close(), spy.close(), log.close(), vault.close()]);
    });
  });
  afterAll(async () => {
    for (const close of closers.reverse()) await close();
  });

  const definition = () => {
    const found = core.registry.find('', 'v1', 'secrets');
    if (!found) throw new Error('secrets are not served');
    return found;
  };
  const target = (name: string): Target => ({ definition: definition(), namespace: 'default', name });
  const request = () => ({ user: 'tester', requestId: randomUUID() });
  const body = (object: JsonObject, contentType = 'application/json'): RawBody => ({
    bytes: Buffer.from(JSON.stringify(object)),
    contentType,
  });
  const secret = (name: string): JsonObject => {
    const bare = { apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData: { token: planted.value } };
    const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(bare) };
    return { ...bare, metadata: { name, annotations }, data: { more: Buffer.from(planted.value).toString('base64') } };
  };
  const tokens = async (name: string): Promise<Readonly<Record<string, string>>> => {
    const object = await core.reader.get(definition(), 'default', name);
    return textsAt(definition().wire(object), 'data');
  };
  /** Every row of every table, as text; bytes as hex. */
  async function tables(): Promise<string> {
    const client = new pg.Client({ connectionString: database.ownerUrl });
    await client.connect();
    try {
      const { rows } = await client.query<{ name: string }>(
        `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname = 'podledger'`,
      );
      const texts: string[] = [];
      for (const { name } of rows) {
        const content = await client.query<{ text: string }>(`select row_to_json(t)::text as text from ${name} t`);
        texts.push(...content.rows.map(({ text }) => text));
      }
      return texts.join('\n');
    } finally {
      await client.end();
    }
  }

  it('is read by who asks for it, and found in no table, no snapshot and no message', async () => {
    await core.writer.create(definition(), 'default', body(secret('db')), options, request());
    await core.writer.create(definition(), 'default', body(secret('kept')), options, request());
    const patch = { metadata: { labels: { a: 'b' } }, stringData: { third: planted.value } };
    await core.writer.patch(target('db'), body(patch, 'application/strategic-merge-patch+json'), options, request());
    const clear = Buffer.from(planted.value).toString('base64');
    expect(await tokens('db')).toEqual({ token: clear, more: clear, third: clear });

    const keys = createSealKeys();
    const about = { cpuMillis: 1_000, memoryBytes: 2 ** 30, pods: 10 };
    const { nodeEpoch } = await ask(
      node,
      nodeRequestSubject('n1', 'register'),
      nodeCalls.register,
      { node: 'n1', labels: {}, capacity: about, allocatable: about, info: {}, addresses: [], sealKey: keys.publicKey },
      5_000,
    );
    const spec = aPodSpec({ nodeName: 'n1', volumes: [{ name: 'v', secret: { secretName: 'db' } }] });
    const pod = { type: 'RequestPod', namespace: 'default', name: 'web', meta: aMeta({ uid: 'web' }), spec } as const;
    await commands.execute({
      commandId: 'web',
      context: { actor: { kind: 'system', name: 'test' }, requestId: 'web', correlationId: 'web' },
      decide: () => [{ stream: podStream('default', 'web'), events: decidePod(pod, undefined) }],
    });
    const config = await askConfig(node, { node: 'n1', nodeEpoch, uid: 'web' }, keys, 5_000);
    expect(config.secrets.get('db')?.data['token']).toBe(clear);

    const head = await log.head();
    const snapshot = await eventually('a snapshot of the secrets', async () => {
      const found = await log.loadSnapshot('cluster', CLUSTER_STATE_FORMAT);
      return found && JSON.stringify(found.state).includes('core/secrets/default/kept') ? found : undefined;
    });
    await eventually('every event on NATS', () => heard.some((message) => message.includes(`"revision":${head}`)));
    expect(heard.filter((message) => message.includes('SecretChanged')).length).toBeGreaterThanOrEqual(3);
    expect(foundIn(planted, heard.join('\n'))).toEqual([]);
    expect(foundIn(planted, JSON.stringify(snapshot.state))).toEqual([]);
    expect(foundIn(planted, await tables())).toEqual([]);
  });

  it.each(['', '{', 'a=', 'key: '])('would be found, in clear, in base64 and in hex, behind %j', (before) => {
    const text = `${before}${planted.value} and more`;
    for (const encoding of ['utf8', 'base64', 'hex'] as const)
      expect(foundIn(planted, Buffer.from(text).toString(encoding))).not.toEqual([]);
  });

  it('is gone for good with its key, and others are not', async () => {
    const { revision } = projection;
    const clear = Buffer.from(planted.value).toString('base64');
    const removal = { preconditions: {}, propagation: 'Background', reason: 'Requested' } as const;
    await core.writer.remove(target('db'), { dryRun: false, request: removal }, request());
    const past = { resourceVersion: String(revision), resourceVersionMatch: 'Exact' };
    const erased = await eventually('the key is destroyed', async () => {
      const { objects } = await core.reader.list(definition(), 'default', past);
      const wires = objects.map((object) => definition().wire(object));
      return JSON.stringify(wires).includes('podledger.dev/erased') ? wires : undefined;
    });
    expect(erased.map((wire) => textsAt(wire, 'data'))).toEqual([
      { more: '', third: '', token: '' },
      { more: clear, token: clear },
    ]);
    expect(await tokens('kept')).toEqual({ more: clear, token: clear });
  });
});
