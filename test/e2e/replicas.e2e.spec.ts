import { jest } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import Docker from 'dockerode';
import pg from 'pg';
import type { JsonObject } from '#domain';
import { loadNatsKeys } from '#bus';
import { SystemClock } from '#system';
import { purgeCluster } from '../../apps/executor/src/runtime/docker-purge.js';
import { readKubeconfig } from '../../apps/podledger/src/admin-client.js';
import { eventually } from '../support/eventually.js';
import { HttpsClient } from '../support/https-client.js';
import { busybox } from '../support/images.js';
import { run } from '../support/kubectl.js';
import { TestNats } from '../support/nats.js';
import { freshDatabase, type TestDatabase } from '../support/postgres.js';
import { freePort, type KubeList, type KubeObject } from '../support/product.js';
import { ENTRY, Program } from '../support/program.js';

/** Every part a process of its own, two of those that may be several, on a database and a NATS of the user's. */
const NODE = 'replicas-e2e';
/** Five seconds, and two for what else runs on this machine. */
const TAKEOVER_MS = 7_000;
const pods = '/api/v1/namespaces/default/pods';

let home: string;
let image: string;
let database: TestDatabase;
let nats: TestNats;
let owner: pg.Client;
let env: NodeJS.ProcessEnv;
const apis: Program[] = [];
const schedulers: Program[] = [];
const programs: Program[] = [];
const clients: HttpsClient[] = [];

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'podledger-replicas-'));
  image = await busybox(new Docker());
  database = await freshDatabase();
  env = { PODLEDGER_HOME: home };
  await command('setup');
  await command('migrate', database.ownerUrl);
  nats = await TestNats.start(await loadNatsKeys(join(home, 'nats')));
  env = { ...env, DATABASE_URL: join(home, 'database-url'), NATS_URL: nats.url };
  owner = new pg.Client({ connectionString: database.ownerUrl });
  await owner.connect();
  await Promise.all([startApi(), startApi()]);
  for (let i = 0; i < 2; i += 1) schedulers.push(await start('scheduler'));
  await start('executor', '--node-name', NODE);
  await eventually('the node is Ready', async () => {
    const node = (await get<KubeObject>(`/api/v1/nodes/${NODE}`)).status;
    return node.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True');
  });
}, 240_000);

afterAll(async () => {
  for (const program of programs) program.signal('SIGCONT');
  await Promise.all(programs.map((program) => program.end()));
  const { rows } = await owner.query<{ cluster_id: string }>('select cluster_id from podledger.log_head');
  for (const { cluster_id: cluster } of rows)
    await purgeCluster('/var/run/docker.sock', { cluster }, new SystemClock());
  await owner.end();
  await nats.stop();
  await database.drop();
  rmSync(home, { recursive: true, force: true });
}, 120_000);
jest.setTimeout(120_000);

async function command(...args: string[]): Promise<void> {
  const { code, stdout, stderr } = await run(process.execPath, [ENTRY, ...args], { env });
  if (code !== 0) throw new Error(`podledger ${args.join(' ')}: ${code}\n${stdout}${stderr}`);
}

async function start(...args: string[]): Promise<Program> {
  const program = await Program.start(args, env);
  programs.push(program);
  return program;
}

async function startApi(): Promise<void> {
  const port = await freePort();
  apis.push(await start('api', '--port', String(port)));
  const { ca, token } = readKubeconfig(join(home, 'kubeconfig'));
  clients.push(new HttpsClient(`https://127.0.0.1:${port}`, ca, token));
}

/** The round robin: each request goes to the next replica. */
let turn = 0;
const next = (): HttpsClient => {
  const client = clients[(turn += 1) % clients.length];
  if (!client) throw new Error('no replica');
  return client;
};

async function call(method: string, path: string, body?: JsonObject, type = 'application/json'): Promise<JsonObject> {
  const answer = await next().call(method, path, body && { body, type });
  if (answer.status > 299) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
  return answer.body;
}
const get = async <T>(path: string): Promise<T> => (await call('GET', path)) as unknown as T;

const gated = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: { schedulingGates: [{ name: 'test/closed' }], containers: [{ name: 'a', image: 'none' }] },
});
const plain = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [{ name: 'a', image, imagePullPolicy: 'IfNotPresent', command: ['tail', '-f', '/dev/null'] }],
  },
});

const placed = (name: string): Promise<string> =>
  eventually(`${name} is placed`, async () => (await get<KubeObject>(`${pods}/${name}`)).spec.nodeName, {
    everyMs: 50,
  });

describe('two replicas of the API behind a round robin', () => {
  it('read what was written over the other', async () => {
    for (let i = 0; i < 25; i += 1) {
      const path = `${pods}/mine-${i}`;
      await call('POST', pods, gated(`mine-${i}`));
      expect((await get<KubeObject>(path)).metadata.name).toBe(`mine-${i}`);
      const labels = { round: String(i) };
      await call('PATCH', path, { metadata: { labels } }, 'application/merge-patch+json');
      expect((await get<KubeObject>(path)).metadata.labels).toEqual(labels);
      const selected = await get<KubeList>(`${pods}?labelSelector=round%3D${i}`);
      expect(selected.items.map(({ metadata }) => metadata.name)).toEqual([`mine-${i}`]);
      await call('DELETE', path);
      expect((await next().call('GET', path)).status).toBe(404);
    }
  });

  it('watch what is written over the other', async () => {
    const [one, other] = clients;
    if (!one || !other) throw new Error('two replicas are needed');
    const { metadata } = await get<KubeList>(pods);
    const stream = await one.open('GET', `${pods}?watch=true&resourceVersion=${metadata.resourceVersion}`);
    const names = ['first', 'second', 'third'].map((name) => `watched-${name}`);
    for (const name of names) await other.call('POST', pods, { body: gated(name), type: 'application/json' });
    expect(await take(stream, names.length)).toEqual(names.map((name) => ['ADDED', name]));
    stream.destroy();
  });

  it('run a pod, whoever is asked', async () => {
    await call('POST', pods, plain('runs'));
    await eventually('it runs', async () => (await get<KubeObject>(`${pods}/runs`)).status.phase === 'Running');
  });
});

/** The first events of a watch. */
async function take(stream: IncomingMessage, count: number): Promise<[string, string][]> {
  const events: [string, string][] = [];
  for await (const line of createInterface({ input: stream })) {
    const { type, object } = JSON.parse(line) as { readonly type: string; readonly object: KubeObject };
    events.push([type, object.metadata.name]);
    if (events.length === count) break;
  }
  return events;
}

describe('two schedulers', () => {
  const leader = async (): Promise<Program> => {
    const { rows } = await owner.query<{ holder: string }>(
      "select holder from podledger.leases where name = 'scheduler'",
    );
    const found = schedulers.find(({ pid }) => rows[0]?.holder.includes(`-${pid}-`));
    if (!found) throw new Error(`no scheduler of ours leads: ${JSON.stringify(rows)}`);
    return found;
  };

  it('the standby places within seconds when the leader stands still, and no pod is placed twice', async () => {
    const first = await leader();
    first.signal('SIGSTOP');
    const stoppedAt = performance.now();
    await call('POST', pods, plain('after-stop'));
    expect(await placed('after-stop')).toBe(NODE);
    expect(performance.now() - stoppedAt).toBeLessThan(TAKEOVER_MS);
    expect(await leader()).not.toBe(first);
    first.signal('SIGCONT');
    const names = Array.from({ length: 5 }, (_, i) => `after-cont-${i}`);
    for (const name of names) await call('POST', pods, plain(name));
    await Promise.all(names.map(placed));
    const { stdout } = await run(process.execPath, [ENTRY, 'log', '--json'], { env });
    const scheduled = stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as { readonly type: string; readonly stream: string })
      .filter(({ type }) => type === 'PodScheduled')
      .map(({ stream }) => stream.split('/').at(-1));
    expect(scheduled.sort()).toEqual([...names, 'after-stop', 'runs'].sort());
  });
});

describe('one replica killed under load', () => {
  it('loses nothing that was acknowledged', async () => {
    const acknowledged: string[] = [];
    let killed = false;
    const [victim] = apis;
    const worker = async (id: number): Promise<void> => {
      for (let i = 0; i < 40; i += 1) {
        const name = `load-${id}-${i}`;
        const answer = await next()
          .call('POST', pods, { body: gated(name), type: 'application/json' })
          .catch(() => undefined);
        if (answer?.status === 201) acknowledged.push(name);
        if (acknowledged.length > 60 && !killed) {
          killed = true;
          await victim?.end('SIGKILL');
          clients.splice(0, 1);
        }
      }
    };
    await Promise.all(Array.from({ length: 8 }, (_, id) => worker(id)));
    expect(killed).toBe(true);
    const { items } = await get<KubeList>(pods);
    const names = new Set(items.map(({ metadata }) => metadata.name));
    expect(acknowledged.filter((name) => !names.has(name))).toEqual([]);
    expect(acknowledged.length).toBeGreaterThan(200);
    expect((await get<KubeObject>(`${pods}/runs`)).status.phase).toBe('Running');
  });

  it('the other takes over what it did for nodes', async () => {
    await call('POST', pods, plain('after-kill'));
    await eventually('it runs', async () => (await get<KubeObject>(`${pods}/after-kill`)).status.phase === 'Running');
    const uid = (await get<KubeObject>(`${pods}/after-kill`)).metadata.uid;
    await call('DELETE', `${pods}/after-kill`);
    await eventually('it is gone', async () => (await next().call('GET', `${pods}/after-kill`)).status === 404);
    const left = await new Docker().listContainers({ all: true, filters: { label: [`io.kubernetes.pod.uid=${uid}`] } });
    expect(left).toEqual([]);
  });
});
