import { jest } from '@jest/globals';
import type { ContainerExited, ContainerStarted, Recorded } from '#domain';
import { busybox } from '../support/images.js';
import { eventually } from '../support/eventually.js';
import { type KubeObject, Product } from '../support/product.js';

/** Init containers, sidecars, and containers that depend on each other, on real Docker. */
let product: Product;
let image: string;

beforeAll(async () => {
  product = await Product.create();
  image = await busybox(product.docker);
  await product.start();
}, 180_000);
afterAll(() => product.destroy(), 120_000);
jest.setTimeout(60_000);

/** A process that goes on until it is asked to stop; `onTerm` is what it does then. */
const staying = (onTerm = 'exit 0', before = ':'): string => `${before}; trap '${onTerm}' TERM; sleep 3600 & wait $!`;
const container = (name: string, command: string, more: object = {}) => ({
  name,
  image,
  imagePullPolicy: 'IfNotPresent',
  command: ['sh', '-c', command],
  volumeMounts: [{ name: 'shared', mountPath: '/shared' }],
  ...more,
});
const sidecar = (name: string, command: string) => container(name, command, { restartPolicy: 'Always' });
const pod = (name: string, spec: object, annotations = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, annotations },
  spec: { terminationGracePeriodSeconds: 10, volumes: [{ name: 'shared', emptyDir: {} }], ...spec },
});

type Status = NonNullable<KubeObject['status']['containerStatuses']>;
type PodObject = KubeObject & { readonly status: { readonly initContainerStatuses?: Status } };
const podOf = (name: string): Promise<PodObject> => product.get<PodObject>(`pod ${name}`);

const phaseOf = async (name: string): Promise<string | undefined> => (await podOf(name)).status.phase;
const becomes = (name: string, phase: string): Promise<unknown> =>
  eventually(`${name} is ${phase}`, async () => (await phaseOf(name)) === phase);
const ready = (name: string): Promise<string> =>
  product.kubectl(`wait --for=condition=Ready pod/${name} --timeout=40s`);
const statusWord = async (name: string): Promise<string> =>
  (await product.kubectl(`get pod ${name} --no-headers`)).trim().split(/\s{2,}/)[2] ?? '';

/** Everything that happened to a pod of this name, from the log. */
async function historyOf(name: string): Promise<Recorded[]> {
  const { code, stdout, stderr } = await product.command('log', '--json', '--stream', `core/pods/default/${name}`);
  if (code !== 0) throw new Error(stderr);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Recorded);
}

/** When each container ran, by the engine's clock. */
async function runsOf(name: string): Promise<Record<string, { startedAt: number; finishedAt: number }>> {
  const runs: Record<string, { startedAt: number; finishedAt: number }> = {};
  for (const { type, data } of await historyOf(name)) {
    const { container: of, startedAt } = data as unknown as ContainerStarted;
    if (type === 'ContainerStarted') runs[of] = { startedAt, finishedAt: Infinity };
    const run = runs[of];
    if (type === 'ContainerExited' && run) run.finishedAt = (data as unknown as ContainerExited).finishedAt;
  }
  return runs;
}

describe('init containers', () => {
  it('run one after another before the app, each seen by the next, and kubectl follows them', async () => {
    await product.apply(
      pod('ordered', {
        initContainers: [
          container('one', 'echo one > /shared/log; until [ -e /shared/go ]; do sleep 0.1; done; rm /shared/go'),
          sidecar('side', staying('exit 0', 'echo side >> /shared/log')),
          // A sidecar is begun before the next; what its process does then takes its own time.
          container('two', 'until grep -q side /shared/log; do sleep 0.1; done; echo two | tee -a /shared/log'),
        ],
        containers: [container('app', `cat /shared/log; ${staying()}`)],
      }),
    );
    await eventually('Init:0/3', async () => (await statusWord('ordered')) === 'Init:0/3');
    const waiting = await podOf('ordered');
    expect(waiting.status.conditions?.find(({ type }) => type === 'Initialized')).toMatchObject({
      status: 'False',
      message: 'containers with incomplete status: [one side two]',
    });
    const one = await eventually('the first runs', async () => {
      const found = (await product.containers(waiting.metadata.uid)).get('one');
      return found?.State === 'running' && found;
    });
    const exec = await product.docker.getContainer(one.Id).exec({ Cmd: ['touch', '/shared/go'] });
    await exec.start({});
    await ready('ordered');
    expect(await product.kubectl('logs ordered -c app')).toBe('one\nside\ntwo\n');
    expect(await product.kubectl('logs ordered -c two')).toBe('two\n');
    const runs = await runsOf('ordered');
    expect(runs['side']?.startedAt).toBeGreaterThanOrEqual(runs['one']?.finishedAt ?? Infinity);
    expect(runs['two']?.startedAt).toBeGreaterThanOrEqual(runs['side']?.startedAt ?? Infinity);
    expect(runs['app']?.startedAt).toBeGreaterThanOrEqual(runs['two']?.finishedAt ?? Infinity);
    expect(await product.kubectl('get pod ordered --no-headers')).toMatch(/^ordered\s+2\/2\s+Running\s+0\s/);
  });

  it('and sidecars are neither run again nor restarted by an executor that lost its memory', async () => {
    const { uid } = (await podOf('ordered')).metadata;
    const idsOf = async (): Promise<string[]> =>
      [...(await product.containers(uid)).values()].map(({ Id }) => Id).sort();
    const before = await idsOf();
    await product.end('SIGKILL');
    await product.start();
    // A pod made after the restart runs: by then the executor has looked at the one that it found.
    await product.apply(pod('after', { containers: [container('app', staying())] }));
    await ready('after');
    expect(await idsOf()).toEqual(before);
    expect(await product.kubectl('get pod ordered --no-headers')).toMatch(/^ordered\s+2\/2\s+Running\s+0\s/);
  });

  it('fail the pod under Never, and are tried again with back-off else', async () => {
    const broken = (name: string, restartPolicy: string) =>
      pod(name, {
        restartPolicy,
        initContainers: [container('one', 'echo no luck; exit 3')],
        containers: [container('app', staying())],
      });
    await product.apply(broken('failed', 'Never'));
    await product.apply(broken('crashing', 'Always'));
    await becomes('failed', 'Failed');
    expect(await statusWord('failed')).toBe('Init:Error');
    expect(await product.kubectl('logs failed -c one')).toBe('no luck\n');
    await eventually('Init:CrashLoopBackOff', async () => (await statusWord('crashing')) === 'Init:CrashLoopBackOff');
    const found = await eventually('two restarts', async () => {
      const { status } = await podOf('crashing');
      return (status.initContainerStatuses?.[0]?.restartCount ?? 0) >= 2 && status;
    });
    expect(found.containerStatuses?.[0]?.state).toEqual({ waiting: { reason: 'PodInitializing' } });
    await product.kubectl('delete pod failed crashing after --wait=false');
  });
});

describe('sidecars', () => {
  it('are begun again alone, and stop last, in the reverse of their order, within the grace period', async () => {
    const { uid } = (await podOf('ordered')).metadata;
    const side = (await product.containers(uid)).get('side');
    await product.docker.getContainer(side?.Id ?? '').kill();
    await eventually('the sidecar runs again', async () => {
      const { status } = await podOf('ordered');
      return status.initContainerStatuses?.[1]?.restartCount === 1 && status.initContainerStatuses[1].state.running;
    });
    expect((await podOf('ordered')).status.containerStatuses?.[0]?.restartCount).toBe(0);
    await product.kubectl('delete pod ordered');
    const runs = await runsOf('ordered');
    expect(runs['side']?.finishedAt).toBeGreaterThan(runs['app']?.finishedAt ?? Infinity);
    expect((runs['side']?.finishedAt ?? 0) - (runs['app']?.finishedAt ?? Infinity)).toBeLessThan(10_000);
  });

  it('outlive the app, see its last words, and keep no pod from completing', async () => {
    const onTerm = 'echo "$(cat /shared/words) $(ls /shared)"; exit 0';
    await product.apply(
      pod('job', {
        restartPolicy: 'Never',
        initContainers: [
          sidecar('first', staying(onTerm)),
          sidecar('second', staying('touch /shared/second-stopped; exit 0')),
        ],
        containers: [container('app', 'sleep 1; echo goodbye > /shared/words')],
      }),
    );
    await becomes('job', 'Succeeded');
    expect(await product.kubectl('logs job -c first')).toBe('goodbye second-stopped\nwords\n');
    const runs = await runsOf('job');
    expect(runs['second']?.finishedAt).toBeGreaterThan(runs['app']?.finishedAt ?? Infinity);
    expect(runs['first']?.finishedAt).toBeGreaterThan(runs['second']?.finishedAt ?? Infinity);
    expect(await statusWord('job')).toBe('Completed');
    await product.kubectl('delete pod job --wait=false');
  });
});

describe('containers that depend on each other', () => {
  const annotations = {
    'podledger.dev/depends-on':
      '{"app": {"cache": "Started", "migrate": "Succeeded"}, "cache": {"db": "Started"}, "migrate": {"db": "Healthy"}}',
  };
  const containers = () => [
    container('app', staying()),
    container('cache', staying()),
    container('migrate', 'test -e /shared/db-is-up', { restartPolicy: 'OnFailure' }),
    container('db', staying('exit 0', 'sleep 1; touch /shared/db-is-up'), {
      readinessProbe: { exec: { command: ['test', '-e', '/shared/db-is-up'] }, periodSeconds: 1 },
    }),
  ];

  it('start along the edges and stop against them', async () => {
    await product.apply(pod('graph', { containers: containers() }, annotations));
    await eventually('app says what it waits for', async () => {
      const app = (await podOf('graph')).status.containerStatuses?.find(({ name }) => name === 'app');
      return app?.state.waiting?.message === 'waits for container migrate to be Succeeded';
    });
    await becomes('graph', 'Running');
    await product.kubectl('delete pod graph');
    const runs = await runsOf('graph');
    const ended = (await historyOf('graph'))
      .filter(({ type }) => type === 'ContainerExited')
      .map(({ data }) => data as unknown as ContainerExited);
    const [app, cache, migrate, db] = ['app', 'cache', 'migrate', 'db'].map((name) => runs[name]);
    expect(cache?.startedAt).toBeGreaterThan(db?.startedAt ?? Infinity);
    // It waited for the probe to find the file; without that it would have failed, and begun again later.
    expect(migrate?.startedAt).toBeGreaterThan((db?.startedAt ?? Infinity) + 1_000);
    expect(ended.filter((one) => one.container === 'migrate').map(({ exitCode }) => exitCode)).toEqual([0]);
    expect(app?.startedAt).toBeGreaterThan(migrate?.finishedAt ?? Infinity);
    expect(app?.startedAt).toBeGreaterThan(cache?.startedAt ?? Infinity);
    expect(cache?.finishedAt).toBeGreaterThan(app?.finishedAt ?? Infinity);
    expect(db?.finishedAt).toBeGreaterThan(cache?.finishedAt ?? Infinity);
  });

  it('are refused when they go in a circle', async () => {
    const circle = { 'podledger.dev/depends-on': '{"app": {"db": "Started"}, "db": {"app": "Started"}}' };
    const { code, stderr } = await product.kubectlOf(
      undefined,
      ['apply', '-f', '-'],
      JSON.stringify(pod('circle', { containers: containers() }, circle)),
    );
    expect(code).not.toBe(0);
    expect(stderr).toContain('metadata.annotations[podledger.dev/depends-on]: Invalid value');
    expect(stderr).toContain('containers wait for each other in a circle: app -> db -> app');
  });
});

describe('restarts', () => {
  it('of all containers begin with the init containers, in the same sandbox', async () => {
    const rule = { action: 'RestartAllContainers', exitCodes: { operator: 'In', values: [88] } };
    const once =
      'echo app >> /shared/log; [ $(grep -c app /shared/log) -gt 1 ] || { sleep 1; exit 88; }; cat /shared/log';
    await product.apply(
      pod(
        'again',
        {
          restartPolicy: 'Never',
          initContainers: [container('init', 'echo init >> /shared/log'), sidecar('side', staying())],
          containers: [container('app', once, { restartPolicy: 'Never', restartPolicyRules: [rule] })],
        },
        { 'podledger.dev/backoff': 'never' },
      ),
    );
    await becomes('again', 'Succeeded');
    expect(await product.kubectl('logs again -c app')).toBe('init\napp\ninit\napp\n');
    const { initContainerStatuses, containerStatuses } = (await podOf('again')).status;
    expect([...(initContainerStatuses ?? []), ...(containerStatuses ?? [])].map((one) => one.restartCount)).toEqual([
      1, 1, 1,
    ]);
    expect((await historyOf('again')).filter(({ type }) => type === 'PodSandboxStarted')).toHaveLength(1);
    await product.kubectl('delete pod again --wait=false');
  });

  it('for an edited image happen under Never too', async () => {
    await product.apply(pod('edited', { restartPolicy: 'Never', containers: [container('app', staying())] }));
    await ready('edited');
    const other = `${image.split(':')[0] ?? ''}:edited`;
    await product.docker.getImage(image).tag({ repo: other.split(':')[0] ?? '', tag: 'edited' });
    await product.kubectl(`set image pod/edited app=${other}`);
    const { status } = await eventually('the container runs the other image', async () => {
      const found = await podOf('edited');
      return found.status.containerStatuses?.[0]?.restartCount === 1 && found.status.phase === 'Running' && found;
    });
    expect(status.containerStatuses?.[0]?.lastState?.terminated).toBeDefined();
    await product.kubectl('delete pod edited --wait=false');
    await product.docker.getImage(other).remove({ noprune: true });
  });
});
