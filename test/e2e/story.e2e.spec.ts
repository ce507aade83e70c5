import { jest } from '@jest/globals';
import { request } from 'node:http';
import { busybox } from '../support/images.js';
import { eventually } from '../support/eventually.js';
import { type KubeList, type KubeObject, Product } from '../support/product.js';

/** What the issue of the foundation must show, in its order, on the real thing. */
let product: Product;
let image: string;

beforeAll(async () => {
  product = await Product.create();
  image = await busybox(product.docker);
  await product.start();
}, 180_000);
afterAll(() => product.destroy(), 120_000);
jest.setTimeout(120_000);

const container = (name: string, command: string, more: object = {}) => ({
  name,
  image,
  imagePullPolicy: 'IfNotPresent',
  command: ['sh', '-c', command],
  ...more,
});
const pod = (name: string, spec: object) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec });

function httpGet(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request(url, { timeout: 5000 }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      response.on('end', () => resolve(body));
    })
      .on('error', reject)
      .end();
  });
}

describe('a pod', () => {
  it('runs: created, waited for, listed, and answering on its own address', async () => {
    expect(await product.kubectl('create namespace shop')).toContain('namespace/shop created');
    await product.kubectl(`run web --image ${image} --image-pull-policy=IfNotPresent -- httpd -f -p 8080 -h /etc`);
    await product.kubectl('wait --for=condition=Ready pod/web --timeout=60s');
    const web = await product.get('pod web');
    const wide = await product.kubectl('get pods -o wide');
    expect(wide).toMatch(
      new RegExp(`web\\s+1/1\\s+Running\\s+0\\s+\\S+\\s+${web.status.podIP}\\s+${web.spec.nodeName}`),
    );
    expect(await httpGet(`http://${web.status.podIP}:8080/passwd`)).toContain('root');
  });

  it('without an image is refused with the reason', async () => {
    const ran = await product.kubectlOf(undefined, ['run', 'broken']);
    expect(ran.code).not.toBe(0);
    expect(ran.stderr).toContain('image');
    const raw = await product.kubectlOf(
      undefined,
      ['create', '-f', '-'],
      JSON.stringify(pod('broken', { containers: [{ name: 'a' }] })),
    );
    expect(raw.stderr).toContain('spec.containers[0].image: Required value');
    expect((await product.kubectlOf(undefined, ['get', 'pod', 'broken'])).stderr).toContain('NotFound');
  });

  it('shares localhost and an emptyDir among its containers', async () => {
    const mount = { volumeMounts: [{ name: 'shared', mountPath: '/shared' }] };
    await product.apply(
      pod('two', {
        restartPolicy: 'Never',
        terminationGracePeriodSeconds: 1,
        volumes: [{ name: 'shared', emptyDir: {} }],
        containers: [
          container('app', 'echo from-app > /shared/file; exec httpd -f -p 8080 -h /shared', mount),
          container(
            'helper',
            'while true; do timeout 2 wget -q -O /shared/read http://localhost:8080/file 2>/dev/null && break; sleep 0.1; done; cat /shared/file /shared/read; exec tail -f /dev/null',
            mount,
          ),
        ],
      }),
    );
    await product.kubectl('wait --for=condition=Ready pod/two --timeout=60s');
    await eventually(
      'the helper read both',
      async () => (await product.kubectl('logs two -c helper')) === 'from-app\nfrom-app\n',
    );
  });

  it('ends with its main container: the helper is stopped, the pod is Failed with the code', async () => {
    const two = await product.get('pod two');
    const containers = await product.containers(two.metadata.uid);
    await product.docker.getContainer(containers.get('app')?.Id ?? '').kill();
    const ended = await eventually('the pod failed', async () => {
      const now = await product.get('pod two');
      return now.status.phase === 'Failed' && now;
    });
    const app = ended.status.containerStatuses?.find(({ name }) => name === 'app');
    expect(app?.state.terminated).toMatchObject({ exitCode: 137 });
    const states = [...(await product.containers(two.metadata.uid)).values()].filter(
      ({ State }) => State === 'running',
    );
    expect(
      states.map(({ Labels }) => Labels['io.kubernetes.container.name']).filter((name) => name === 'helper'),
    ).toEqual([]);
    await product.kubectl('delete pod two');
    expect((await product.containers(two.metadata.uid)).size).toBe(0);
  });

  it('tells its story: events, describe, logs', async () => {
    const events = await product.kubectl('get events');
    for (const reason of ['Scheduled', 'Pulled', 'Created', 'Started']) expect(events).toContain(reason);
    const described = await product.kubectl('describe pod web');
    expect(described).toMatch(/Status:\s+Running/);
    expect(described).toContain('Successfully assigned default/web');
    await product.kubectl(`run talker --image ${image} --restart=Never --image-pull-policy=IfNotPresent -- echo hello`);
    await eventually('the talker is done', async () => (await product.get('pod talker')).status.phase === 'Succeeded');
    expect(await product.kubectl('logs talker')).toBe('hello\n');
    await product.kubectl('delete pod talker');
  });

  it('is gone when its containers are gone', async () => {
    const web = await product.get('pod web');
    expect((await product.containers(web.metadata.uid)).size).toBeGreaterThan(0);
    await product.kubectl('delete pod web --grace-period=1');
    expect((await product.containers(web.metadata.uid)).size).toBe(0);
    expect((await product.kubectlOf(undefined, ['get', 'pod', 'web'])).stderr).toContain('NotFound');
  });

  it('takes no further container while it runs', async () => {
    await product.apply(
      pod('fixed', { terminationGracePeriodSeconds: 1, containers: [container('a', 'exec tail -f /dev/null')] }),
    );
    const patch = JSON.stringify({ spec: { containers: [container('b', 'true')] } });
    const ran = await product.kubectlOf(undefined, ['patch', 'pod', 'fixed', '-p', patch]);
    expect(ran.code).not.toBe(0);
    expect(ran.stderr).toContain('pod updates may not add or remove containers');
    await product.kubectl('delete pod fixed');
  });
});

describe('a replica set', () => {
  const items = async (): Promise<readonly KubeObject[]> => (await product.get<KubeList>('pods -l app=rs')).items;
  const count = (wanted: number) =>
    eventually(`${wanted} ready pods`, async () => {
      const pods = (await items()).filter(({ metadata }) => !metadata.deletionTimestamp);
      const set = await product.get('rs web');
      return pods.length === wanted && (set.status.readyReplicas ?? 0) === wanted && pods;
    });

  it('makes new pods when scaled up and deletes pods when scaled down', async () => {
    await product.kubectl(
      'create -f -',
      JSON.stringify({
        apiVersion: 'apps/v1',
        kind: 'ReplicaSet',
        metadata: { name: 'web' },
        spec: {
          replicas: 2,
          selector: { matchLabels: { app: 'rs' } },
          template: {
            metadata: { labels: { app: 'rs' } },
            spec: { terminationGracePeriodSeconds: 1, containers: [container('app', 'exec tail -f /dev/null')] },
          },
        },
      }),
    );
    const before = await count(2);
    expect(await product.kubectl('scale rs/web --replicas=5')).toContain('scaled');
    const after = await count(5);
    const uids = after.map(({ metadata }) => metadata.uid);
    for (const { metadata } of before) expect(uids).toContain(metadata.uid);
    await product.kubectl('scale rs/web --replicas=2');
    await count(2);
  });

  it('replaces a pod that was deleted', async () => {
    const [victim] = await items();
    await product.kubectl(`delete pod ${victim?.metadata.name ?? ''}`);
    const pods = await count(2);
    expect(pods.map(({ metadata }) => metadata.uid)).not.toContain(victim?.metadata.uid);
  });
});

describe('a crash of everything', () => {
  it('restarts no running pod and loses nothing acknowledged', async () => {
    const before = (await product.get<KubeList>('pods')).items;
    expect(before).toHaveLength(2);
    await product.end('SIGKILL');
    await product.start();
    const after = await eventually('the pods are ready', async () => {
      const { items } = await product.get<KubeList>('pods');
      return items.every(({ status }) => status.containerStatuses?.every(({ state }) => state.running)) && items;
    });
    const identity = (pods: readonly KubeObject[]) =>
      pods.map(({ metadata, status }) => [
        metadata.uid,
        status.podIP,
        status.containerStatuses?.map(({ containerID, restartCount, state }) => [
          containerID,
          restartCount,
          state.running?.startedAt,
        ]),
      ]);
    expect(identity(after)).toEqual(identity(before));
    const created = await product.kubectl(
      `run late --image ${image} --image-pull-policy=IfNotPresent -- tail -f /dev/null`,
    );
    expect(created).toContain('created');
    await product.kubectl('wait --for=condition=Ready pod/late --timeout=60s');
  });

  it('a stop leaves pods running, and the next start adopts them', async () => {
    const late = await product.get('pod late');
    expect(await product.end('SIGINT')).toBe(0);
    const [, app] = [...(await product.containers(late.metadata.uid)).values()];
    expect(app?.State).toBe('running');
    await product.start();
    const again = await product.get('pod late');
    expect(again.status.containerStatuses).toEqual(late.status.containerStatuses);
  });

  it('a second start on the same home is refused with the reason', async () => {
    const second = await product.command('start');
    expect(second.code).not.toBe(0);
    expect(second.stderr + second.stdout).toContain(product.home);
  });
});

describe('a namespace', () => {
  it('takes its contents with it', async () => {
    await product.kubectl(`run in-shop -n shop --image ${image} --image-pull-policy=IfNotPresent -- tail -f /dev/null`);
    await product.kubectl('wait -n shop --for=condition=Ready pod/in-shop --timeout=60s');
    const inShop = await product.get('pod in-shop -n shop');
    await product.kubectl('delete pod in-shop -n shop --grace-period=1 --wait=false');
    await product.kubectl('delete namespace shop');
    expect((await product.containers(inShop.metadata.uid)).size).toBe(0);
    expect((await product.kubectlOf(undefined, ['get', 'namespace', 'shop'])).stderr).toContain('NotFound');
  });
});

describe('down', () => {
  it('ends every pod of this home and what makes them, and leaves nothing on Docker', async () => {
    const selector = { matchLabels: { app: 'again' } };
    const containers = [{ name: 'app', image, imagePullPolicy: 'IfNotPresent', command: ['tail', '-f', '/dev/null'] }];
    const template = { metadata: { labels: selector.matchLabels }, spec: { containers } };
    const spec = { replicas: 2, selector, template };
    await product.apply({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'again' }, spec });
    await product.kubectl('rollout status deployment/again --timeout=60s');
    expect(await product.leftovers()).not.toEqual([]);
    await product.end('SIGTERM');
    const down = await product.command('down');
    expect(down.code).toBe(0);
    expect(await product.leftovers()).toEqual([]);
  });
});
