import { jest } from '@jest/globals';
import { hostname } from 'node:os';
import { createInterface } from 'node:readline';
import type { JsonObject } from '#domain';
import { eventually } from '../support/eventually.js';
import { busybox } from '../support/images.js';
import { type KubeList, type KubeObject, Product } from '../support/product.js';
import type { Program } from '../support/program.js';

/** Deployments and daemon sets on two nodes, as kubectl, the pods' servers and the log see them. */
const first = hostname().toLowerCase();
const second = `${first}-2`;
const PODS = '/api/v1/namespaces/default/pods';
let product: Product;
let image: string;
const joined: Program[] = [];

beforeAll(async () => {
  product = await Product.create('--nodes', '2');
  image = await busybox(product.docker);
  await product.start();
}, 240_000);
afterAll(async () => {
  await Promise.all(joined.map((program) => program.end()));
  await product.destroy();
}, 240_000);
jest.setTimeout(120_000);

/** A server that answers with its version, and stays a while when it is told to go, as a good server does. */
const server = (version: string) => ({
  terminationGracePeriodSeconds: 2,
  containers: [
    {
      name: 'web',
      image,
      imagePullPolicy: 'IfNotPresent',
      env: [{ name: 'VERSION', value: version }],
      command: ['sh', '-c', 'mkdir /www; echo "$VERSION" > /www/index.html; exec httpd -f -p 8080 -h /www'],
      readinessProbe: { httpGet: { port: 8080, path: '/index.html' }, periodSeconds: 1 },
    },
  ],
});
const workload = (kind: string, name: string, podSpec: object, spec: object = {}) => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { name },
  spec: {
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: podSpec },
    ...spec,
  },
});
const rolling = (maxSurge: number, maxUnavailable: number) => ({
  strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } },
});

const podsOf = async (app: string): Promise<readonly KubeObject[]> =>
  (await product.get<KubeList>(`pods -l app=${app}`)).items;
const served = async (pod: KubeObject): Promise<string> =>
  (await (await fetch(`http://${pod.status.podIP ?? ''}:8080/`)).text()).trim();
const isReady = ({ metadata, status }: KubeObject): boolean =>
  metadata.deletionTimestamp === undefined &&
  (status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false);
const setsOf = async (app: string): Promise<KubeList['items']> =>
  (await product.get<KubeList>(`rs -l app=${app}`)).items;
const revisionOf = ({ metadata }: KubeObject): string | undefined =>
  metadata.annotations?.['deployment.kubernetes.io/revision'];
/** Which version a replica set is of, and how many pods it asks for. */
const sizes = async (app: string): Promise<Record<string, number>> =>
  Object.fromEntries(
    (await setsOf(app)).map(({ spec }) => {
      const { containers } = (spec['template'] as { readonly spec: ReturnType<typeof server> }).spec;
      return [containers[0]?.env[0]?.value ?? '', spec.replicas ?? -1];
    }),
  );

/** What happened to pods of an app between two revisions, as the log has it: after each event, the pods there were. */
async function history(app: string, from: string, to: string): Promise<KubeObject[][]> {
  const client = product.client();
  const selector = `labelSelector=app%3D${app}`;
  const start = (await client.call('GET', `${PODS}?${selector}&resourceVersion=${from}&resourceVersionMatch=Exact`))
    .body as unknown as KubeList;
  const pods = new Map(start.items.map((pod) => [pod.metadata.uid, pod]));
  const states = [[...pods.values()]];
  const stream = await client.open(
    'GET',
    `${PODS}?watch=true&allowWatchBookmarks=true&${selector}&resourceVersion=${from}`,
  );
  for await (const line of createInterface({ input: stream })) {
    const { type, object } = JSON.parse(line) as { readonly type: string; readonly object: KubeObject };
    if (Number(object.metadata.resourceVersion) > Number(to)) break;
    if (type === 'DELETED') pods.delete(object.metadata.uid);
    else if (type !== 'BOOKMARK') pods.set(object.metadata.uid, object);
    states.push([...pods.values()]);
    if (object.metadata.resourceVersion === to) break;
  }
  stream.destroy();
  return states;
}

const revision = async (): Promise<string> =>
  ((await product.client().call('GET', PODS)).body as unknown as KubeList).metadata.resourceVersion;
/** A change of a pod of the app, so that the history has an end that is sure to come. */
const mark = async (app: string): Promise<string> => {
  const name = (await podsOf(app)).find(isReady)?.metadata.name ?? '';
  const jsonPath = '-o jsonpath={.metadata.resourceVersion}';
  return product.kubectl(`annotate --overwrite pod ${name} mark=${performance.now()} ${jsonPath}`);
};

/** Asks the servers that are ready, one after another, until stopped. */
function load(app: string): { readonly stop: () => Promise<Map<string, number>> } {
  const answers = new Map<string, number>();
  const stopped = new AbortController();
  const count = (answer: string): Map<string, number> => answers.set(answer, (answers.get(answer) ?? 0) + 1);
  const run = async (): Promise<void> => {
    const client = product.client();
    while (!stopped.signal.aborted) {
      const { items } = (await client.call('GET', `${PODS}?labelSelector=app%3D${app}`)).body as unknown as KubeList;
      for (const pod of items.filter(isReady))
        await served(pod).then(count, (error) => count(`failed: ${String(error)}`));
    }
  };
  const running = run();
  return {
    stop: async () => {
      stopped.abort();
      await running;
      return answers;
    },
  };
}

describe('a rolling update', () => {
  it('goes from v1 to v2 and back under load, with never fewer pods ready than allowed', async () => {
    await product.apply(workload('Deployment', 'web', server('v1'), { replicas: 3, ...rolling(1, 0) }));
    expect(await product.kubectl('rollout status deployment/web --timeout=60s')).toContain('successfully rolled out');
    const from = await revision();
    const requests = load('web');

    await product.kubectl('set env deployment/web VERSION=v2');
    await product.kubectl('rollout status deployment/web --timeout=60s');
    expect(await sizes('web')).toEqual({ v1: 0, v2: 3 });
    expect(await Promise.all((await podsOf('web')).filter(isReady).map(served))).toEqual(['v2', 'v2', 'v2']);

    await product.kubectl('rollout undo deployment/web');
    await product.kubectl('rollout status deployment/web --timeout=60s');
    const answers = await requests.stop();
    expect(await sizes('web')).toEqual({ v1: 3, v2: 0 });
    expect(await Promise.all((await podsOf('web')).filter(isReady).map(served))).toEqual(['v1', 'v1', 'v1']);
    expect((await setsOf('web')).map(revisionOf).sort()).toEqual(['2', '3']);

    expect([...answers.keys()].sort()).toEqual(['v1', 'v2']);
    const states = await history('web', from, await mark('web'));
    expect(states.length).toBeGreaterThan(20);
    expect(Math.min(...states.map((pods) => pods.filter(isReady).length))).toBe(3);
    const living = states.map((pods) => pods.filter(({ metadata }) => !metadata.deletionTimestamp).length);
    expect(Math.max(...living)).toBe(4);
  });

  it('is told in revisions, and paused, resumed and scaled by kubectl', async () => {
    expect(await product.kubectl('rollout history deployment/web')).toMatch(/REVISION.*\n2 .*\n3 /);
    expect(await product.kubectl('rollout history deployment/web --revision=2')).toContain('v2');
    await product.kubectl('rollout pause deployment/web');
    await product.kubectl('set env deployment/web VERSION=v3');
    await product.kubectl('scale deployment/web --replicas=1');
    await eventually('it is scaled', async () => (await sizes('web'))['v1'] === 1);
    expect(await sizes('web')).toEqual({ v1: 1, v2: 0 });
    const paused = (await product.get('deployment web')).status.conditions;
    expect(paused).toContainEqual(expect.objectContaining({ type: 'Progressing', reason: 'DeploymentPaused' }));
    await product.kubectl('rollout resume deployment/web');
    await product.kubectl('rollout status deployment/web --timeout=60s');
    expect(await sizes('web')).toEqual({ v1: 0, v2: 0, v3: 1 });
    const row = await product.kubectl('get deployment web --no-headers');
    expect(row.split(/\s+/).slice(0, 4)).toEqual(['web', '1/1', '1', '1']);
    expect(await product.kubectl('describe deployment web')).toMatch(/Scaled up replica set web-\w+ from 0 to 1/);
  });

  it('says that it is stuck, and serves on', async () => {
    const stuck = { ...rolling(1, 0), progressDeadlineSeconds: 2, replicas: 1 };
    await product.apply(workload('Deployment', 'web', { ...server('v4'), nodeSelector: { not: 'there' } }, stuck));
    const { code, stderr } = await product.kubectlOf(undefined, [
      'rollout',
      'status',
      'deployment/web',
      '--timeout=30s',
    ]);
    expect(code).not.toBe(0);
    expect(stderr).toContain('exceeded its progress deadline');
    expect(await Promise.all((await podsOf('web')).filter(isReady).map(served))).toEqual(['v3']);
    await product.kubectl('delete deployment web');
  });
});

describe('a deployment that is recreated', () => {
  it('has no old container left when the first new one comes', async () => {
    const recreate = { replicas: 2, strategy: { type: 'Recreate' } };
    await product.apply(workload('Deployment', 'db', server('v1'), recreate));
    await product.kubectl('rollout status deployment/db --timeout=60s');
    const from = await revision();
    await product.kubectl('set env deployment/db VERSION=v2');
    await product.kubectl('rollout status deployment/db --timeout=60s');
    const versions = (pods: KubeObject[]): number =>
      new Set(pods.map(({ metadata }) => metadata.labels?.['pod-template-hash'])).size;
    const states = await history('db', from, await mark('db'));
    expect(Math.max(...states.map(versions))).toBe(1);
    expect(states.map(({ length }) => length)).toContain(0);
    expect(await Promise.all((await podsOf('db')).map(served))).toEqual(['v2', 'v2']);
    await product.kubectl('delete deployment db');
  });
});

describe('a replica set', () => {
  it('takes in a pod that it selects, and lets one go that it no longer does', async () => {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'stray', labels: { app: 'set' } },
      spec: server('v0'),
    };
    await product.apply(pod);
    await product.apply(workload('ReplicaSet', 'set', server('v1'), { replicas: 2 }));
    await eventually('it has two', async () => (await product.get('rs set')).status.readyReplicas === 2);
    const owners = async (): Promise<(string | undefined)[]> =>
      ((await product.get('pod stray')).metadata.ownerReferences ?? []).map(({ name }) => name);
    expect(await owners()).toEqual(['set']);
    await product.kubectl('label --overwrite pod stray app=free');
    await eventually('it is let go', async () => (await owners()).length === 0);
    await eventually('it is replaced', async () => (await podsOf('set')).filter(isReady).length === 2);
    expect(await served(await product.get('pod stray'))).toBe('v0');
    await product.kubectl('delete rs/set pod/stray');
  });
});

describe('a daemon set', () => {
  const nodes = async (): Promise<(string | undefined)[]> =>
    (await podsOf('agent'))
      .filter(isReady)
      .map(({ spec }) => spec.nodeName)
      .sort();

  it('has a pod on every node, updates them one by one, and comes to a node that joins', async () => {
    await product.apply(workload('DaemonSet', 'agent', server('v1')));
    await product.kubectl('rollout status daemonset/agent --timeout=60s');
    expect(await nodes()).toEqual([first, second]);
    const [scheduled] = (await product.get<KubeList>('events --field-selector reason=Scheduled')).items;
    expect(scheduled).toBeDefined();

    const from = await revision();
    await product.kubectl('set env daemonset/agent VERSION=v2');
    await product.kubectl('rollout status daemonset/agent --timeout=60s');
    expect(await Promise.all((await podsOf('agent')).filter(isReady).map(served))).toEqual(['v2', 'v2']);
    const states = await history('agent', from, await mark('agent'));
    expect(Math.min(...states.map((pods) => pods.filter(isReady).length))).toBe(1);
    expect(await product.kubectl('rollout history daemonset/agent --revision=1')).toContain('v1');
    await product.kubectl('rollout undo daemonset/agent');
    await product.kubectl('rollout status daemonset/agent --timeout=60s');
    expect(await Promise.all((await podsOf('agent')).filter(isReady).map(served))).toEqual(['v1', 'v1']);

    joined.push(await product.join('late'));
    await eventually('it is on the new node', async () => (await nodes()).includes('late'));
    expect(await nodes()).toEqual([first, second, 'late'].sort());
    const [row] = (await product.kubectl('get daemonset agent --no-headers')).split('\n');
    expect(row?.split(/\s+/).slice(0, 6)).toEqual(['agent', '3', '3', '3', '3', '3']);
  });

  it('leaves a node whose taint it does not tolerate, and stays on one that is cordoned', async () => {
    await product.kubectl(`taint node ${second} upgrade=now:NoExecute`);
    await product.kubectl(`cordon ${first}`);
    await eventually('it has left', async () => !(await nodes()).includes(second));
    expect(await nodes()).toContain(first);
    await product.kubectl(`taint node ${second} upgrade-`);
    await eventually('it has come back', async () => (await nodes()).includes(second));
    const uids = (await podsOf('agent')).map(({ metadata }) => metadata.uid);
    await product.kubectl('delete daemonset agent');
    await eventually('nothing is left', async () => {
      const left = await Promise.all(uids.map(async (uid) => (await product.containers(uid)).size));
      return left.every((size) => size === 0);
    });
  });
});

describe('what makes no sense', () => {
  const refusal = async (manifest: JsonObject): Promise<unknown> => {
    const { status, body } = await product
      .client()
      .call('POST', '/apis/apps/v1/namespaces/default/deployments', { body: manifest, type: 'application/json' });
    expect(status).toBe(422);
    const { causes } = body['details'] as { readonly causes: readonly { readonly field: string }[] };
    return causes.map(({ field }) => field);
  };

  it('is refused field by field', async () => {
    const wrong = workload('Deployment', 'wrong', server('v1'), {
      selector: { matchLabels: { app: 'other' } },
      replicas: -1,
      progressDeadlineSeconds: 5,
      minReadySeconds: 5,
      ...rolling(0, 0),
    }) as unknown as JsonObject;
    expect(await refusal(wrong)).toEqual([
      'spec.replicas',
      'spec.template.metadata.labels',
      'spec.strategy.rollingUpdate.maxUnavailable',
      'spec.progressDeadlineSeconds',
    ]);
  });
});
