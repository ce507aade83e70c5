import { jest } from '@jest/globals';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AckPolicy, connect, credsAuthenticator, DeliverPolicy, type NatsConnection } from 'nats';
import { connectNats, controlPlaneCreds, DurableConsumer, loadNatsKeys, type NatsLink } from '#bus';
import { eventually } from '../support/eventually.js';
import type { HttpsClient } from '../support/https-client.js';
import { busybox } from '../support/images.js';
import { type KubeList, type KubeObject, Product } from '../support/product.js';

/** NATS is news, not truth: its whole store can go, again and again, under load. */
const RUNNING = ['one', 'two', 'three'];
const CREATES_PER_SECOND = 50;
const WIPES = 3;

let product: Product;
let client: HttpsClient;
let creds: string;
let url: string;
let link: NatsLink;
let before: readonly KubeObject[];

/** What an integration was given, by revision. */
const seen = new Map<number, string>();
let integration: DurableConsumer;

beforeAll(async () => {
  product = await Product.create();
  const image = await busybox(product.docker);
  await product.start();
  client = product.client();
  for (const name of RUNNING) {
    await product.kubectl(`run ${name} --image ${image} --image-pull-policy=IfNotPresent -- tail -f /dev/null`);
  }
  await product.kubectl(`wait --for=condition=Ready pod/${RUNNING.join(' pod/')} --timeout=60s`);
  before = await running();
  const directory = join(product.home, 'nats');
  creds = controlPlaneCreds(await loadNatsKeys(directory), Date.now());
  url = `nats://127.0.0.1:${readFileSync(join(directory, 'port'), 'utf8').trim()}`;
  link = await connectNats({ url, name: 'integration', creds, report: () => undefined });
  integration = new DurableConsumer(
    link,
    { durable: 'integration', subject: 'events.>', concurrency: 256 },
    async (event) => {
      seen.set(Number(event['revision']), String(event['id']));
    },
  );
  await integration.start();
}, 180_000);
afterAll(async () => {
  await integration?.close();
  await link?.close();
  await product.destroy();
}, 120_000);
jest.setTimeout(180_000);

const running = (): Promise<readonly KubeObject[]> =>
  Promise.all(RUNNING.map((name) => product.get<KubeObject>(`pod ${name}`)));

const identities = (pods: readonly KubeObject[]) =>
  pods.map(({ metadata, status }) => [metadata.uid, status.podIP, status.containerStatuses]);

const natsPid = (): number => Number(readFileSync(join(product.home, 'nats', 'pid'), 'utf8'));

const head = async (): Promise<number> => {
  const list = await product.get<KubeList>('pods --chunk-size=0');
  return Number(list.metadata.resourceVersion);
};

interface StreamEnd {
  readonly base: number;
  readonly last: number;
}

/** Where the stream stands: what an integrator who knows nothing of our code reads. */
async function streamEnd(connection: NatsConnection): Promise<StreamEnd> {
  const { config, state } = await (await connection.jetstreamManager()).streams.info('EVENTS');
  const base = Number(/^base=(\d+)$/.exec(config.description ?? '')?.[1]);
  return { base, last: base + state.last_seq };
}

const withNats = async <T>(use: (connection: NatsConnection) => Promise<T>): Promise<T> => {
  const authenticator = credsAuthenticator(new TextEncoder().encode(creds));
  const connection = await connect({ servers: url, authenticator, reconnect: false, timeout: 2000 });
  try {
    return await use(connection);
  } finally {
    await connection.close();
  }
};

const caughtUp = (revision: number): Promise<StreamEnd> =>
  eventually(
    `EVENTS holds revision ${revision}`,
    () =>
      withNats(async (connection) => {
        const end = await streamEnd(connection);
        return end.last >= revision && end;
      }),
    { timeoutMs: 60_000 },
  );

/** Creates pods that wait at a gate, at a steady rate, until told to stop. */
class Load {
  readonly acknowledged: string[] = [];
  readonly refused: string[] = [];
  private readonly under = new Set<Promise<void>>();
  private readonly timer: NodeJS.Timeout;
  private made = 0;

  constructor() {
    this.timer = setInterval(() => this.create(), 1000 / CREATES_PER_SECOND);
  }

  private create(): void {
    const name = `gated-${(this.made += 1)}`;
    const spec = { schedulingGates: [{ name: 'test/closed' }], containers: [{ name: 'a', image: 'none' }] };
    const body = { apiVersion: 'v1', kind: 'Pod', metadata: { name, labels: { load: 'yes' } }, spec };
    const asked = client
      .call('POST', '/api/v1/namespaces/default/pods', { body, type: 'application/json' })
      .then(({ status, text }) => {
        if (status === 201) this.acknowledged.push(name);
        else this.refused.push(`${status} ${text}`);
      })
      .catch((error: unknown) => void this.refused.push(String(error)))
      .finally(() => this.under.delete(asked));
    this.under.add(asked);
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await Promise.all([...this.under]);
  }
}

it('the store of NATS is deleted and the server restarted three times under load: nothing is lost', async () => {
  const load = new Load();
  try {
    for (let wipe = 1; wipe <= WIPES; wipe += 1) {
      await eventually('some load', () => load.acknowledged.length >= wipe * CREATES_PER_SECOND);
      const pid = natsPid();
      process.kill(pid, 'SIGKILL');
      rmSync(join(product.home, 'nats', 'store'), { recursive: true, force: true });
      await eventually('another server', () => natsPid() !== pid);
      await caughtUp(await head());
    }
  } finally {
    await load.stop();
  }
  expect(load.refused).toEqual([]);

  const pods = await product.get<KubeList>('pods -l load=yes --chunk-size=0');
  expect(pods.items.map(({ metadata }) => metadata.name).sort()).toEqual([...load.acknowledged].sort());
  expect(identities(await running())).toEqual(identities(before));

  const { base, last } = await caughtUp(await head());
  const kept = await withNats((connection) => readAll(connection, last - base));
  expect(kept.map(({ revision }) => revision)).toEqual(Array.from({ length: last - base }, (_, i) => base + i + 1));
  expect(kept.every(({ revision, sequence }) => revision === sequence + base)).toBe(true);
  await eventually('the integration was given everything', () => kept.every(({ revision }) => seen.has(revision)), {
    timeoutMs: 60_000,
  });
  expect(kept.filter(({ revision, id }) => seen.get(revision) !== id)).toEqual([]);
});

it('NATS away for a while restarts no pod, and what was asked meanwhile is done afterwards', async () => {
  const pid = natsPid();
  process.kill(pid, 'SIGSTOP');
  try {
    const image = before[0]?.spec['containers'] as readonly { readonly image: string }[];
    await product.kubectl(
      `run meanwhile --image ${image[0]?.image} --image-pull-policy=IfNotPresent -- tail -f /dev/null`,
    );
    // Longer than the silence after which a node is NotReady: the time itself is what is tested.
    await sleep(17_000);
    expect(identities(await running())).toEqual(identities(before));
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  await product.kubectl('wait --for=condition=Ready pod/meanwhile --timeout=60s');
  await product.kubectl('wait --for=condition=Ready node --all --timeout=60s');
  expect(identities(await running())).toEqual(identities(before));
  await caughtUp(await head());
});

interface Kept {
  readonly sequence: number;
  readonly revision: number;
  readonly id: string;
}

/** Every message of the stream, by a durable consumer of nobody's code but NATS' own. */
async function readAll(connection: NatsConnection, count: number): Promise<Kept[]> {
  const manager = await connection.jetstreamManager();
  await manager.consumers.add('EVENTS', {
    durable_name: 'audit',
    ack_policy: AckPolicy.None,
    deliver_policy: DeliverPolicy.All,
  });
  const consumer = await connection.jetstream().consumers.get('EVENTS', 'audit');
  const kept: Kept[] = [];
  while (kept.length < count) {
    for await (const message of await consumer.fetch({
      max_messages: Math.min(500, count - kept.length),
      expires: 5000,
    })) {
      const { revision, id } = message.json<{ readonly revision: number; readonly id: string }>();
      kept.push({ sequence: message.seq, revision, id });
    }
  }
  return kept;
}
