import { jest } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { connect, credsAuthenticator } from 'nats';
import { eventually } from '../support/eventually.js';
import { busybox } from '../support/images.js';
import { type KubeList, type KubeObject, Product } from '../support/product.js';
import type { Program } from '../support/program.js';

/** Several nodes on one Docker Engine, beside another home of which nothing may be touched. */
const first = hostname().toLowerCase();
const second = `${first}-2`;
let product: Product;
let other: Product;
let image: string;
const joined: Program[] = [];

beforeAll(async () => {
  [product, other] = await Promise.all([Product.create('--nodes', '2'), Product.create()]);
  image = await busybox(product.docker);
  await product.start();
  await other.start();
  await other.apply(pod('neighbour'));
  await other.kubectl('wait --for=condition=Ready pod/neighbour --timeout=60s');
}, 240_000);
afterAll(async () => {
  await Promise.all(joined.map((program) => program.end()));
  await product.destroy();
  await other.destroy();
}, 240_000);
jest.setTimeout(120_000);

interface Wish {
  readonly cpu?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly hostPort?: number;
}

const pod = (name: string, { cpu, labels, hostPort }: Wish = {}, spec: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, ...(labels && { labels }) },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [
      {
        name: 'app',
        image,
        imagePullPolicy: 'IfNotPresent',
        command: ['tail', '-f', '/dev/null'],
        ...(cpu && { resources: { requests: { cpu } } }),
        ...(hostPort && { ports: [{ containerPort: 80, hostPort }] }),
      },
    ],
    ...spec,
  },
});

const nodeOf = (name: string): Promise<string> =>
  eventually(`${name} is placed`, async () => (await product.get(`pod ${name}`)).spec.nodeName, { everyMs: 50 });

/** The reason a pod is not placed, once it is told. */
const refusal = (name: string): Promise<string> =>
  eventually(`${name} is refused`, async () => {
    const { status } = await product.get(`pod ${name}`);
    const scheduled = status.conditions?.find(({ type }) => type === 'PodScheduled');
    return scheduled?.status === 'False' && scheduled.reason === 'Unschedulable' && scheduled.message;
  });

const remove = (...names: string[]): Promise<string> =>
  product.kubectl(`delete --grace-period=0 --force pod ${names.join(' ')}`);

const isGone = (uid: string) => async (): Promise<boolean> => (await product.containers(uid)).size === 0;

describe('placing', () => {
  it('spreads pods over the nodes', async () => {
    for (const name of ['a', 'b', 'c', 'd']) await product.apply(pod(name, { cpu: '100m' }));
    const nodes = await Promise.all(['a', 'b', 'c', 'd'].map(nodeOf));
    expect(nodes.sort()).toEqual([first, first, second, second]);
    await remove('a', 'b', 'c', 'd');
  });

  it('waits for a node with the labels that the pod selects', async () => {
    await product.apply(pod('picky', {}, { nodeSelector: { disk: 'fast' } }));
    expect(await refusal('picky')).toBe(
      "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector.",
    );
    await product.kubectl(`label node ${second} disk=fast`);
    expect(await nodeOf('picky')).toBe(second);
    await remove('picky');
  });

  it('gives no pod to a cordoned node', async () => {
    await product.kubectl(`cordon ${second}`);
    for (const name of ['a', 'b', 'c']) await product.apply(pod(name));
    expect(await Promise.all(['a', 'b', 'c'].map(nodeOf))).toEqual([first, first, first]);
    await product.kubectl(`uncordon ${second}`);
    await remove('a', 'b', 'c');
  });

  it('gives a host port once per node', async () => {
    const hostPort = 39_871;
    for (const name of ['a', 'b', 'c']) await product.apply(pod(name, { hostPort }));
    expect(await refusal('c')).toBe(
      "0/2 nodes are available: 2 node(s) didn't have free ports for the requested pod ports.",
    );
    expect([await nodeOf('a'), await nodeOf('b')].sort()).toEqual([first, second]);
    await remove('a', 'b', 'c');
  });

  it('past the scheduler, a pod that does not fit is refused by its node', async () => {
    await product.apply(pod('huge', { cpu: '64' }, { nodeName: first }));
    const huge = await eventually('it failed', async () => {
      const now = await product.get('pod huge');
      return now.status.phase === 'Failed' && now;
    });
    expect(huge.status.reason).toBe('OutOfcpu');
    await remove('huge');
  });
});

describe('a taint', () => {
  it('NoExecute ends the pods that do not tolerate it, and only those', async () => {
    await product.apply(pod('leaves', {}, { nodeName: second }));
    await product.apply(
      pod('stays', {}, { nodeName: second, tolerations: [{ key: 'broken', operator: 'Exists', effect: 'NoExecute' }] }),
    );
    await product.kubectl('wait --for=condition=Ready pod/leaves pod/stays --timeout=60s');
    const leaves = await product.get('pod leaves');
    await product.kubectl(`taint node ${second} broken=yes:NoExecute`);
    await product.kubectl('wait --for=delete pod/leaves --timeout=30s');
    expect((await product.containers(leaves.metadata.uid)).size).toBe(0);
    expect((await product.get('pod stays')).status.phase).toBe('Running');
    await product.kubectl(`taint node ${second} broken-`);
    await remove('stays');
  });
});

describe('full nodes', () => {
  it('leave a pod Pending, with counts, and it is placed when capacity frees', async () => {
    for (const name of ['a', 'b']) await product.apply(pod(name, { cpu: '600m' }));
    await Promise.all(['a', 'b'].map(nodeOf));
    await product.apply(pod('waits', { cpu: '600m' }));
    const message = '0/2 nodes are available: 2 Insufficient cpu.';
    expect(await refusal('waits')).toBe(message);
    await eventually('the event', async () =>
      (await product.kubectl('get events --field-selector reason=FailedScheduling')).includes(message),
    );
    const freed = await product.get('pod a');
    await remove('a');
    expect(await nodeOf('waits')).toBe(freed.spec.nodeName);
  });

  it('wait for a node that joins', async () => {
    await product.apply(pod('late', { cpu: '600m' }));
    await refusal('late');
    joined.push(await product.join('third', { PODLEDGER_CAPACITY_SHARE: '0.5' }));
    expect(await nodeOf('late')).toBe('third');
    await product.kubectl('wait --for=condition=Ready pod/late --timeout=60s');
  });
});

describe('taking a node away', () => {
  it('drain moves its pods, delete ends what is left there and cuts the node off', async () => {
    await product.kubectl('drain third --force --grace-period=0');
    expect((await product.kubectlOf(undefined, ['get', 'pod', 'late'])).stderr).toContain('NotFound');
    const cordon = { key: 'node.kubernetes.io/unschedulable', operator: 'Exists' };
    await product.apply(
      pod('left', {}, { nodeSelector: { 'kubernetes.io/hostname': 'third' }, tolerations: [cordon] }),
    );
    await product.kubectl('wait --for=condition=Ready pod/left --timeout=60s');
    const left = await product.get('pod left');
    await product.kubectl('delete node third');
    await eventually('its containers are gone', isGone(left.metadata.uid));
    expect((await product.get('pod left')).status).toMatchObject({ phase: 'Failed', reason: 'NodeLost' });
    await remove('left');
    expect((await product.get<KubeList>('nodes')).items.map(({ metadata }) => metadata.name)).toEqual([first, second]);
    const { bus } = JSON.parse(readFileSync(join(product.homeOfNode('third'), 'membership.json'), 'utf8')) as {
      readonly bus: { readonly url: string; readonly credentials: string };
    };
    const authenticator = credsAuthenticator(new TextEncoder().encode(bus.credentials));
    const attempt = (): Promise<string> =>
      connect({ servers: bus.url, authenticator, reconnect: false, inboxPrefix: '_INBOX_third' }).then(
        async (connection) => connection.close().then(() => 'let in'),
        (error: unknown) => String(error),
      );
    await eventually('its credential is refused', async () => /authorization violation/i.test(await attempt()), {
      timeoutMs: 60_000,
    });
  });

  it('fewer nodes at the next start end the pods of those that vanished', async () => {
    await product.apply(pod('vanishes', {}, { nodeName: second }));
    await product.apply(pod('remains', {}, { nodeName: first }));
    await product.kubectl('wait --for=condition=Ready pod/vanishes pod/remains --timeout=60s');
    const [vanishes, remains] = [await product.get('pod vanishes'), await product.get('pod remains')];
    await product.end('SIGTERM');
    await product.start('--nodes', '1');
    expect((await product.containers(vanishes.metadata.uid)).size).toBe(0);
    expect((await product.get<KubeList>('nodes')).items.map(({ metadata }) => metadata.name)).toEqual([first]);
    await eventually('the pod is lost', async () => (await product.get('pod vanishes')).status.reason === 'NodeLost');
    expect((await product.get('pod remains')).status.containerStatuses).toEqual(remains.status.containerStatuses);
  });
});

describe('another home on this machine', () => {
  it('has lost nothing by any of it, nor by `down`', async () => {
    await product.end('SIGTERM');
    expect((await product.command('down')).code).toBe(0);
    expect(await product.leftovers()).toEqual([]);
    const neighbour = await other.get<KubeObject>('pod neighbour');
    expect(neighbour.status.containerStatuses?.[0]).toMatchObject({ restartCount: 0, state: { running: {} } });
    const states = [...(await other.containers(neighbour.metadata.uid)).values()].map(({ State }) => State);
    expect(states).toEqual(['running', 'running']);
  });
});
