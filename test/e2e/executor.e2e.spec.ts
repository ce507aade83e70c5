import { jest } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../support/eventually.js';
import { busybox } from '../support/images.js';
import { type KubeObject, Product } from '../support/product.js';
import { Program } from '../support/program.js';

/** What a node does for its pods, and that its executor may die at any time: it is a process of its own here. */
const NODE = 'alone';
let product: Product;
let executor: Program;
let image: string;

beforeAll(async () => {
  product = await Product.create();
  image = await busybox(product.docker);
  await product.start();
  executor = await product.join(NODE);
  await eventually('the node is Ready', async () =>
    (await product.kubectl(`get node ${NODE} --no-headers`)).includes(' Ready '),
  );
}, 240_000);
afterAll(async () => {
  await executor?.end();
  await product.destroy();
}, 120_000);
jest.setTimeout(90_000);

interface Wish extends Record<string, unknown> {
  readonly restartPolicy?: 'Always' | 'OnFailure' | 'Never';
}

const container = (name: string, script: string, more: object = {}) => ({
  name,
  image,
  imagePullPolicy: 'IfNotPresent',
  command: ['sh', '-c', script],
  ...more,
});
const UNTIL_STOPPED = 'exec tail -f /dev/null';

/** Runs a pod on the node whose executor we hold. */
async function apply(name: string, containers: readonly object[], spec: Wish = {}): Promise<KubeObject> {
  await product.apply({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { name }, annotations: { note: 'noted' } },
    spec: { nodeName: NODE, terminationGracePeriodSeconds: 1, containers, ...spec },
  });
  return product.get(`pod ${name}`);
}

const phase = (name: string, wanted: string): Promise<KubeObject> =>
  eventually(`${name} is ${wanted}`, async () => {
    const pod = await product.get(`pod ${name}`);
    return pod.status.phase === wanted && pod;
  });

const ready = (...names: string[]): Promise<string> =>
  product.kubectl(`wait --for=condition=Ready ${names.map((name) => `pod/${name}`).join(' ')} --timeout=60s`);

/** The word of a container that waits, as `kubectl get pods` shows it. */
const waiting = (name: string, reason: string): Promise<string> =>
  eventually(`${name} waits: ${reason}`, async () => {
    const { status } = await product.get(`pod ${name}`);
    const state = status.containerStatuses?.find((one) => one.state.waiting?.reason === reason)?.state;
    return state?.waiting && (state.waiting.message ?? '-');
  });

const start = (): Promise<Program> => Program.start(['executor'], { PODLEDGER_HOME: product.homeOfNode(NODE) });

describe('an executor that is killed', () => {
  it('leaves its pods running; the next one adopts them and tells what it missed', async () => {
    await apply('stays', [container('app', UNTIL_STOPPED), container('helper', UNTIL_STOPPED)]);
    const dies = await apply('dies', [container('app', 'trap "exit 42" USR1; while :; do sleep 0.1; done')], {
      restartPolicy: 'Never',
    });
    const doomed = await apply('doomed', [container('app', UNTIL_STOPPED)]);
    await ready('stays', 'dies', 'doomed');
    const before = await product.get('pod stays');
    await executor.end('SIGKILL');
    const id = (await product.containers(dies.metadata.uid)).get('app')?.Id ?? '';
    await product.docker.getContainer(id).kill({ signal: 'SIGUSR1' });
    await product.docker.getContainer(id).wait();
    await product.kubectl('delete pod doomed --wait=false');
    await apply('new', [container('app', UNTIL_STOPPED)]);
    executor = await start();
    const dead = await phase('dies', 'Failed');
    expect(dead.status.containerStatuses?.[0]?.state.terminated).toMatchObject({ exitCode: 42 });
    await product.kubectl('wait --for=delete pod/doomed --timeout=30s');
    expect((await product.containers(doomed.metadata.uid)).size).toBe(0);
    await ready('new');
    expect((await product.get('pod stays')).status).toEqual(before.status);
    await product.kubectl('delete pod stays dies new --now');
  });
});

describe('a container', () => {
  it('that uses more memory than it may is OOMKilled', async () => {
    await apply(
      'greedy',
      [
        {
          ...container('app', ''),
          command: ['dd', 'if=/dev/zero', 'of=/dev/null', 'bs=128M', 'count=1'],
          resources: { limits: { memory: '16Mi' } },
        },
      ],
      { restartPolicy: 'Never' },
    );
    const { status } = await phase('greedy', 'Failed');
    expect(status.containerStatuses?.[0]?.state.terminated).toMatchObject({ exitCode: 137, reason: 'OOMKilled' });
    await product.kubectl('delete pod greedy');
  });

  it('that crashes again and again is held back, and shown so', async () => {
    await apply('crashes', [container('app', 'exit 7')]);
    expect(await waiting('crashes', 'CrashLoopBackOff')).toMatch(/back-off .* restarting failed container/);
    await eventually('kubectl shows it', async () =>
      /CrashLoopBackOff +[1-9]/.test(await product.kubectl('get pod crashes')),
    );
    const { status } = await product.get('pod crashes');
    expect(status.containerStatuses?.[0]?.lastState?.terminated).toMatchObject({ exitCode: 7, reason: 'Error' });
    await product.kubectl('delete pod crashes');
  });

  it('whose image is not there waits, with the reason, and leaves no other container behind', async () => {
    const absent = { ...container('absent', ''), image: 'localhost:1/none:1', imagePullPolicy: 'Always' };
    const { metadata } = await apply('imageless', [absent, container('helper', UNTIL_STOPPED)]);
    expect(await waiting('imageless', 'ErrImagePull')).toContain('localhost:1');
    expect(await waiting('imageless', 'ImagePullBackOff')).toContain('localhost:1/none:1');
    const never = { ...container('never', ''), image: 'localhost:1/none:2', imagePullPolicy: 'Never' };
    await apply('imageless-never', [never]);
    await waiting('imageless-never', 'ErrImageNeverPull');
    expect((await product.get('pod imageless')).status.phase).toBe('Pending');
    expect([...(await product.containers(metadata.uid)).keys()].filter((name) => name !== 'POD')).toEqual([]);
    await product.kubectl('delete pod imageless imageless-never');
  });

  it('whose program is not there or cannot be run ends with 127 or 126', async () => {
    const named = (name: string, command: string) => ({ ...container(name, ''), command: [command] });
    await apply('programless', [named('app', '/no/such/program')], { restartPolicy: 'Never' });
    await apply('powerless', [named('app', '/etc/passwd')], { restartPolicy: 'Never' });
    for (const [name, exitCode] of [
      ['programless', 127],
      ['powerless', 126],
    ] as const) {
      const { status } = await phase(name, 'Failed');
      expect(status.containerStatuses?.[0]?.state.terminated).toMatchObject({ exitCode, reason: 'StartError' });
    }
    await product.kubectl('delete pod programless powerless');
  });
});

describe('what a container is given', () => {
  it('env from literals, fields, resources and other variables, in command and args too', async () => {
    const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
    const resource = (name: string, what: string, divisor?: string) => ({
      name,
      valueFrom: { resourceFieldRef: { resource: what, ...(divisor && { divisor }) } },
    });
    const { metadata } = await apply(
      'told',
      [
        {
          ...container('app', 'env | grep ^T_ | sort; pwd; hostname; echo "$0 $1"; ' + UNTIL_STOPPED),
          command: [
            'sh',
            '-c',
            'env | grep ^T_ | sort; pwd; hostname; echo "$@"; exec tail -f /dev/null',
            'sh',
            '$(T_BOTH)',
          ],
          args: ['$$(T_NAME)', '$(T_NONE)'],
          workingDir: '/tmp',
          resources: { limits: { memory: '64Mi', cpu: '250m' }, requests: { memory: '32Mi', cpu: '100m' } },
          env: [
            { name: 'T_LITERAL', value: 'a=b c' },
            field('T_NAME', 'metadata.name'),
            field('T_NAMESPACE', 'metadata.namespace'),
            field('T_UID', 'metadata.uid'),
            field('T_LABEL', "metadata.labels['name']"),
            field('T_NOTE', "metadata.annotations['note']"),
            field('T_NODE', 'spec.nodeName'),
            field('T_IP', 'status.podIP'),
            resource('T_CPU', 'limits.cpu', '1m'),
            resource('T_MEMORY', 'limits.memory', '1Mi'),
            resource('T_REQUEST', 'requests.memory'),
            { name: 'T_BOTH', value: '$(T_NAME) on $(T_NODE)' },
          ],
        },
      ],
      {},
    );
    await ready('told');
    const { status } = await product.get('pod told');
    const printed = await eventually('it is printed', async () => {
      const text = await product.kubectl('logs told');
      return text.includes('T_NONE)') && text;
    });
    expect(printed.split('\n')).toEqual([
      'T_BOTH=told on alone',
      'T_CPU=250',
      `T_IP=${status.podIP}`,
      'T_LABEL=told',
      'T_LITERAL=a=b c',
      'T_MEMORY=64',
      'T_NAME=told',
      'T_NAMESPACE=default',
      'T_NODE=alone',
      'T_NOTE=noted',
      `T_REQUEST=${32 * 2 ** 20}`,
      `T_UID=${metadata.uid}`,
      '/tmp',
      'told',
      'told on alone $(T_NAME) $(T_NONE)',
      '',
    ]);
    await product.kubectl('delete pod told');
  });

  it('memory as a volume, of the size it asked for, that goes with the pod', async () => {
    const { metadata } = await apply(
      'scratch',
      [
        container(
          'app',
          'grep " /scratch " /proc/mounts; dd if=/dev/zero of=/scratch/big bs=1M count=9; stat -c %s /scratch/big',
          { volumeMounts: [{ name: 'scratch', mountPath: '/scratch' }] },
        ),
      ],
      { restartPolicy: 'Never', volumes: [{ name: 'scratch', emptyDir: { medium: 'Memory', sizeLimit: '8Mi' } }] },
    );
    await phase('scratch', 'Succeeded');
    const printed = await product.kubectl('logs scratch');
    expect(printed).toMatch(/^tmpfs \/scratch tmpfs .*size=8192k/m);
    expect(printed).toContain('No space left on device');
    expect(printed).toContain(`${8 * 2 ** 20}\n`);
    await product.kubectl('delete pod scratch');
    const { Volumes } = await product.docker.listVolumes({
      filters: { label: [`io.kubernetes.pod.uid=${metadata.uid}`] },
    });
    expect(Volumes ?? []).toEqual([]);
  });

  it('the processes of its pod, when they are to be shared', async () => {
    const sees = 'cat /proc/[0-9]*/cmdline | tr "\\0" " " | grep -q "[s]leep 4242 "';
    const waits = `until ${sees}; do sleep 0.1; done; echo seen; ${UNTIL_STOPPED}`;
    await apply('sharing', [container('app', 'exec sleep 4242'), container('helper', waits)], {
      shareProcessNamespace: true,
    });
    await eventually('the helper sees it', async () =>
      (await product.kubectl('logs sharing -c helper')).includes('seen'),
    );
    await product.kubectl('delete pod sharing --now');
  });
});

describe('a deletion', () => {
  it('gives all containers their grace period, one for all, and not more', async () => {
    const polite = 'trap "sleep 1; echo done > /shared/polite; exit 0" TERM; while :; do sleep 0.1; done';
    const deaf = 'trap "" TERM; while :; do sleep 0.1; done';
    const shared = { volumeMounts: [{ name: 'shared', mountPath: '/shared' }] };
    const { metadata } = await apply('slow', [container('polite', polite, shared), container('deaf', deaf, shared)], {
      terminationGracePeriodSeconds: 3,
      volumes: [{ name: 'shared', emptyDir: {} }],
    });
    await ready('slow');
    const since = performance.now();
    await product.kubectl('delete pod slow --wait=false');
    const deleting = await product.get('pod slow');
    expect(deleting.metadata.deletionTimestamp).toEqual(expect.any(String));
    await eventually('the polite one ended by itself', async () => {
      const { status } = await product.get('pod slow');
      const polite = status.containerStatuses?.find(({ name }) => name === 'polite');
      return polite?.state.terminated?.exitCode === 0;
    });
    await product.kubectl('wait --for=delete pod/slow --timeout=30s');
    expect(performance.now() - since).toBeGreaterThanOrEqual(3_000);
    const events = await log('slow');
    const exits = events
      .filter(({ type }) => type === 'ContainerExited')
      .map(({ data }) => [data.container, data.exitCode]);
    expect(exits.sort()).toEqual([
      ['deaf', 137],
      ['polite', 0],
    ]);
    expect((await product.containers(metadata.uid)).size).toBe(0);
  });

  it('at any moment of a creation leaves nothing', async () => {
    const uids: string[] = [];
    for (const delayMs of [0, 50, 150, 300, 500]) {
      const name = `short-${delayMs}`;
      const pod = await apply(name, [container('a', UNTIL_STOPPED), container('b', UNTIL_STOPPED)], {
        volumes: [{ name: 'v', emptyDir: {} }],
      });
      uids.push(pod.metadata.uid);
      await sleep(delayMs);
      await product.kubectl(`delete pod ${name} --wait=false --grace-period=0 --force`);
    }
    for (const uid of uids) {
      await eventually(`nothing is left of ${uid}`, async () => {
        const filters = { label: [`io.kubernetes.pod.uid=${uid}`] };
        const { Volumes } = await product.docker.listVolumes({ filters });
        const networks = await product.docker.listNetworks({ filters });
        return (await product.containers(uid)).size + (Volumes ?? []).length + networks.length === 0;
      });
    }
  });
});

interface Logged {
  readonly type: string;
  readonly data: { readonly container?: string; readonly exitCode?: number };
}

/** The events of a pod. */
async function log(name: string): Promise<Logged[]> {
  const { stdout } = await product.command('log', '--json', '--stream', `core/pods/default/${name}`);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Logged);
}
