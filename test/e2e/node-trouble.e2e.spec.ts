import { jest } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SocketProxy } from '../support/docker-bench.js';
import { eventually } from '../support/eventually.js';
import { busybox } from '../support/images.js';
import { type KubeObject, Product } from '../support/product.js';
import type { Program } from '../support/program.js';

/** A node whose engine can be taken from it: its executor is a process of its own, behind a socket that we cut. */
const NODE = 'cuttable';
const directory = mkdtempSync(join(tmpdir(), 'podledger-engine-'));
const engine = new SocketProxy(join(directory, 'docker.sock'));
let product: Product;
let executor: Program;
let image: string;

beforeAll(async () => {
  product = await Product.create();
  image = await busybox(product.docker);
  await Promise.all([product.start(), engine.listen()]);
  executor = await product.join(NODE, { DOCKER_HOST: `unix://${engine.path}` });
  await product.kubectl(`wait --for=condition=Ready node/${NODE} --timeout=60s`);
}, 240_000);
afterAll(async () => {
  // While its executor is there: nobody else could say that they are gone.
  await product.kubectl('delete pods --all --grace-period=1');
  await executor?.end();
  await product.destroy();
  await engine.cut();
  rmSync(directory, { recursive: true, force: true });
}, 120_000);
jest.setTimeout(90_000);

const pod = (name: string, spec: object, container: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: {
    terminationGracePeriodSeconds: 1,
    containers: [
      {
        name: 'app',
        image,
        imagePullPolicy: 'IfNotPresent',
        command: ['sh', '-c', 'exec tail -f /dev/null'],
        ...container,
      },
    ],
    ...spec,
  },
});

interface Node extends KubeObject {
  readonly spec: { readonly taints?: readonly { readonly key: string; readonly effect: string }[] };
  readonly status: KubeObject['status'] & { readonly allocatable: { readonly cpu: string } };
}

const readiness = async (): Promise<{ status: string; reason?: string; message?: string } | undefined> =>
  (await product.get<Node>(`node ${NODE}`)).status.conditions?.find(({ type }) => type === 'Ready');

describe('a node whose Docker Engine goes away', () => {
  it('is NotReady while it is away, and its pods do not notice', async () => {
    await product.apply(pod('steady', { nodeName: NODE }));
    await product.kubectl('wait --for=condition=Ready pod/steady --timeout=60s');
    const before = await product.get('pod steady');
    await engine.cut();
    const said = await eventually('the node is not ready', async () => {
      const ready = await readiness();
      return ready?.status === 'False' && ready;
    });
    expect(said).toMatchObject({
      reason: 'KubeletNotReady',
      message: expect.stringContaining('container runtime is down'),
    });
    expect((await product.get<Node>(`node ${NODE}`)).spec.taints).toEqual([
      { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' },
      expect.objectContaining({ key: 'node.kubernetes.io/not-ready', effect: 'NoExecute' }),
    ]);
    await product.apply(pod('elsewhere', { nodeSelector: { 'kubernetes.io/hostname': NODE } }));
    await eventually('it is told why it waits', async () => {
      const { status } = await product.get('pod elsewhere');
      return status.conditions?.some(({ message }) => message?.includes('not-ready'));
    });
    await engine.listen();
    await product.kubectl(`wait --for=condition=Ready node/${NODE} --timeout=20s`);
    await product.kubectl('wait --for=condition=Ready pod/elsewhere --timeout=60s');
    expect((await product.get('pod steady')).status.containerStatuses).toEqual(before.status.containerStatuses);
  });
});

describe('bindings of many clients at once', () => {
  it('put no node above its capacity: the node refuses what does not fit', async () => {
    const { allocatable } = (await product.get<Node>(`node ${NODE}`)).status;
    const cores = allocatable.cpu.endsWith('m') ? Number(allocatable.cpu.slice(0, -1)) / 1000 : Number(allocatable.cpu);
    const names = ['bound-1', 'bound-2', 'bound-3', 'bound-4'];
    const cpu = `${Math.floor(cores * 400)}m`; // Two fit, three do not.
    for (const name of names)
      await product.apply(pod(name, { schedulerName: 'nobody' }, { resources: { requests: { cpu } } }));
    const client = product.client();
    const answers = await Promise.all(
      names.map((name) =>
        client.call('POST', `/api/v1/namespaces/default/pods/${name}/binding`, {
          type: 'application/json',
          body: {
            apiVersion: 'v1',
            kind: 'Binding',
            metadata: { name },
            target: { apiVersion: 'v1', kind: 'Node', name: NODE },
          },
        }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
    const pods = await eventually('all are settled', async () => {
      const all = await Promise.all(names.map((name) => product.get(`pod ${name}`)));
      return all.every(({ status }) => status.phase !== 'Pending') && all;
    });
    const outcomes = pods.map(({ status }) => status.reason ?? status.phase);
    expect(outcomes.sort()).toEqual(['OutOfcpu', 'OutOfcpu', 'Running', 'Running']);
    for (const { metadata, status } of pods) {
      const containers = await product.containers(metadata.uid);
      expect(containers.has('app')).toBe(status.phase === 'Running');
    }
  });
});
