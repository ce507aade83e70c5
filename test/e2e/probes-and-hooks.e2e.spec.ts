import { jest } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { busybox } from '../support/images.js';
import { Product, type KubeObject } from '../support/product.js';

jest.setTimeout(120_000);

/** One product; the pods of all cases run beside each other, for most of them wait. */
let product: Product;
let image: string;

beforeAll(async () => {
  product = await Product.create();
  image = await busybox(product.docker);
  await product.start();
}, 240_000);
afterAll(() => product.destroy(), 120_000);

interface Wish {
  readonly [field: string]: unknown;
}

/** Seconds since the machine started, in hundredths: this busybox's `date` knows whole ones only. */
const NOW = `now() { cut -d' ' -f1 /proc/uptime; }`;

/** Runs a shell script; the process obeys SIGTERM, and the files it writes into /log are read with {@link cat}. */
const container = (name: string, script: string, more: Wish = {}): Wish => ({
  ...{ name, image, imagePullPolicy: 'IfNotPresent' },
  command: ['sh', '-c', `${NOW}; trap 'now >/log/${name}.term; exit 0' TERM; ${script}; sleep 3600 & wait`],
  volumeMounts: [{ name: 'log', mountPath: '/log' }],
  ...more,
});
const run = (name: string, containers: readonly Wish[], spec: Wish = {}): Promise<string> =>
  product.apply({
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name } },
    spec: { volumes: [{ name: 'log', emptyDir: {} }], terminationGracePeriodSeconds: 20, containers, ...spec },
  });
const script = (text: string): Wish => ({ exec: { command: ['sh', '-c', `${NOW}; ${text}`] } });
const get = (name: string): Promise<KubeObject> => product.get(`pod ${name}`);
const describePod = (name: string): Promise<string> => product.kubectl(`describe pod ${name}`);

/** Runs a command in a pod's container, by Docker: what is seen is what is there. */
async function inside(name: string, containerName: string, ...command: readonly string[]): Promise<string> {
  const { metadata } = await get(name);
  const found = (await product.containers(metadata.uid)).get(containerName);
  if (!found) throw new Error(`${name} has no container ${containerName}`);
  const exec = await product.docker.getContainer(found.Id).exec({ Cmd: [...command], AttachStdout: true, Tty: true });
  const stream = await exec.start({ Tty: true });
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text.trim();
}
const condition = (pod: KubeObject, type: string) => pod.status.conditions?.find((one) => one.type === type);
const isReady = async (name: string): Promise<boolean> => condition(await get(name), 'Ready')?.status === 'True';

describe('probes', () => {
  it('a liveness failure restarts the pod, and says so', async () => {
    const probe = { ...script('test ! -e /log/sick'), periodSeconds: 1, failureThreshold: 2 };
    const helper = container('helper', 'true');
    await run('lively', [container('app', 'rm -f /log/sick', { livenessProbe: probe }), helper]);
    await product.kubectl('wait --for=condition=Ready pod/lively --timeout=60s');
    const before = idsOf(await get('lively'));
    await inside('lively', 'app', 'touch', '/log/sick');
    const after = await eventually('both run again', async () => {
      const pod = await get('lively');
      const statuses = pod.status.containerStatuses ?? [];
      return statuses.every(({ restartCount, state }) => restartCount > 0 && state.running) ? idsOf(pod) : undefined;
    });
    // Shared fate: the pod restarts, not the container alone.
    for (const [name, id] of Object.entries(before)) expect(after[name]).not.toBe(id);
    const text = await describePod('lively');
    expect(text).toMatch(/Unhealthy +.*Liveness probe failed/);
    expect(text).toContain('Container app failed liveness probe, will be restarted');
  });

  it('readiness moves kubectl wait, forth and back, by a named port with a header', async () => {
    const httpGet = { path: '/cgi-bin/ready', port: 'web', httpHeaders: [{ name: 'X-Probe', value: 'yes' }] };
    const cgi = [
      '#!/bin/sh',
      'if [ "$HTTP_X_PROBE" = yes ] && [ -e /log/open ]; then echo "Status: 200 OK"; else echo "Status: 503 No"; fi',
      'echo; echo done',
    ].join('\\n');
    const start = `mkdir -p /www/cgi-bin; printf '${cgi}\\n' >/www/cgi-bin/ready; chmod +x /www/cgi-bin/ready; httpd -p 8080 -h /www`;
    const ports = [{ name: 'web', containerPort: 8080 }];
    await run('ready', [
      container('app', start, { ports, readinessProbe: { httpGet, periodSeconds: 1, failureThreshold: 1 } }),
    ]);
    const waits = product.kubectl('wait --for=condition=Ready pod/ready --timeout=60s');
    await eventually('the probe was refused', async () => (await describePod('ready')).includes('statuscode: 503'));
    expect(await product.kubectl('get pod ready --no-headers')).toMatch(/^ready +0\/1 +Running/);
    const openedAt = Date.now();
    await inside('ready', 'app', 'touch', '/log/open');
    await waits;
    expect(Date.now() - openedAt).toBeLessThan(15_000);
    expect(await product.kubectl('get pod ready --no-headers')).toMatch(/^ready +1\/1 +Running +0/);
    await inside('ready', 'app', 'rm', '/log/open');
    await product.kubectl('wait --for=condition=Ready=false pod/ready --timeout=60s');
    expect(condition(await get('ready'), 'Ready')).toMatchObject({
      reason: 'ContainersNotReady',
      message: 'containers with unready status: [app]',
    });
  });

  it('a startup probe holds the others back, and a TCP probe finds the server', async () => {
    const startupProbe = { ...script('test -e /log/up'), periodSeconds: 1, failureThreshold: 60 };
    const livenessProbe = {
      ...script('now >>/log/alive; test -e /log/up'),
      periodSeconds: 1,
      failureThreshold: 1,
    };
    const readinessProbe = { tcpSocket: { port: 8080 }, periodSeconds: 1 };
    const start = 'sleep 3; httpd -p 8080; now >/log/up';
    await run('slow', [container('app', start, { startupProbe, livenessProbe, readinessProbe })]);
    await eventually('it runs', async () => (await get('slow')).status.phase === 'Running');
    expect(started(await get('slow'))).toBe(false);
    await product.kubectl('wait --for=condition=Ready pod/slow --timeout=60s');
    await eventually('it is looked after', async () =>
      (await inside('slow', 'app', 'cat', '/log/alive')).includes('\n'),
    );
    const [up = '', alive = ''] = (await inside('slow', 'app', 'cat', '/log/up', '/log/alive')).split(/\s+/);
    expect(Number(alive)).toBeGreaterThanOrEqual(Number(up));
    const pod = await get('slow');
    expect(started(pod)).toBe(true);
    expect(pod.status.containerStatuses?.[0]?.restartCount).toBe(0);
  });

  it('a readiness gate is opened by a condition that a client sets', async () => {
    await run('gated', [container('app', 'true')], { readinessGates: [{ conditionType: 'example.org/open' }] });
    await eventually(
      'its containers are ready',
      async () => condition(await get('gated'), 'ContainersReady')?.status === 'True',
    );
    expect(condition(await get('gated'), 'Ready')).toMatchObject({ status: 'False', reason: 'ReadinessGatesNotReady' });
    const { status } = await product.client().call('PATCH', '/api/v1/namespaces/default/pods/gated/status', {
      type: 'application/strategic-merge-patch+json',
      body: { status: { conditions: [{ type: 'example.org/open', status: 'True' }] } },
    });
    expect(status).toBe(200);
    await eventually('it is ready', () => isReady('gated'));
    expect(await product.kubectl('get pod gated -o wide --no-headers')).toMatch(/1\/1\s*$/);
  });
});

const idsOf = (pod: KubeObject): Record<string, string | undefined> =>
  Object.fromEntries((pod.status.containerStatuses ?? []).map(({ name, containerID }) => [name, containerID]));
const started = (pod: KubeObject): unknown =>
  (pod.status.containerStatuses?.[0] as { readonly started?: boolean } | undefined)?.started;

describe('lifecycle hooks', () => {
  it('postStart comes before running, and preStop before the signal, within the grace period', async () => {
    const lifecycle = {
      postStart: script('sleep 2; now >/log/app.posted'),
      preStop: script('now >/log/app.stopping; sleep 2; now >/log/app.stopped'),
    };
    const watcher = container('watcher', 'now >/log/watcher.start', {
      lifecycle: { preStop: { sleep: { seconds: 6 } } },
    });
    await run('hooked', [container('app', 'true', { lifecycle }), watcher]);
    await eventually(
      'the app is there',
      async () => (await product.containers((await get('hooked')).metadata.uid)).get('app')?.State === 'running',
    );
    const early = await get('hooked');
    expect(early.status.phase).toBe('Pending');
    expect(early.status.containerStatuses?.[0]?.state.waiting?.reason).toBe('ContainerCreating');
    await product.kubectl('wait --for=condition=Ready pod/hooked --timeout=60s');
    const [posted = NaN, watching = NaN] = await times('hooked', 'app.posted', 'watcher.start');
    // As with kubelet, what comes later in the spec waits for the hook.
    expect(watching).toBeGreaterThanOrEqual(posted);
    await product.kubectl('delete pod hooked --wait=false');
    await eventually('the app was told', async () =>
      (await inside('hooked', 'watcher', 'ls', '/log')).includes('app.term'),
    );
    const [stopping = NaN, stopped = NaN, term = NaN] = await times(
      'hooked',
      'app.stopping',
      'app.stopped',
      'app.term',
    );
    expect(stopped - stopping).toBeGreaterThanOrEqual(2_000);
    expect(term).toBeGreaterThanOrEqual(stopped);
  });

  it('a postStart hook that fails ends its container', async () => {
    await run('unhooked', [container('app', 'true', { lifecycle: { postStart: script('echo no >&2; exit 3') } })], {
      restartPolicy: 'Never',
    });
    const { status } = await eventually('it has failed', async () => {
      const pod = await get('unhooked');
      return pod.status.phase === 'Failed' ? pod : undefined;
    });
    expect(status.containerStatuses?.[0]?.state.terminated?.exitCode).toBe(0);
    expect(await describePod('unhooked')).toMatch(/FailedPostStartHook +.*PostStartHook failed: no/);
  });

  it('a preStop hook that takes too long is cut off, and the signal still comes', async () => {
    const lifecycle = { preStop: script('sleep 60'), stopSignal: 'SIGUSR1' };
    const app = {
      ...container('app', ''),
      command: ['sh', '-c', `${NOW}; trap 'now >/log/app.usr1; exit 0' USR1; sleep 3600 & wait`],
      lifecycle,
    };
    const watcher = container('watcher', 'true', { lifecycle: { preStop: script('sleep 60') } });
    await run('stubborn', [app, watcher], { terminationGracePeriodSeconds: 3 });
    await product.kubectl('wait --for=condition=Ready pod/stubborn --timeout=60s');
    const { metadata } = await get('stubborn');
    const before = Date.now();
    const logs = collectExit(metadata.uid);
    await product.kubectl('delete pod stubborn --wait=true --timeout=60s');
    expect(Date.now() - before).toBeGreaterThanOrEqual(3_000);
    expect(await logs).toEqual('0');
  });
});

/** The exit code of a pod's app, as Docker tells it when it ends. */
async function collectExit(podUid: string): Promise<string> {
  const filters = { label: [`io.kubernetes.pod.uid=${podUid}`, 'io.kubernetes.container.name=app'], event: ['die'] };
  const stream = await product.docker.getEvents({ filters });
  for await (const chunk of stream) {
    const { Actor } = JSON.parse(String(chunk)) as {
      readonly Actor: { readonly Attributes: { readonly exitCode: string } };
    };
    return Actor.Attributes.exitCode;
  }
  throw new Error('the engine told nothing');
}

/** Times that were written into files of /log, in milliseconds. */
async function times(name: string, ...files: readonly string[]): Promise<number[]> {
  const text = await inside(name, 'watcher', 'cat', ...files.map((file) => `/log/${file}`));
  return text.split(/\s+/).map((seconds) => Number(seconds) * 1000);
}
