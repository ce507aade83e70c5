import { jest } from '@jest/globals';
import { eventually } from '../support/eventually.js';
import { busybox } from '../support/images.js';
import { type KubectlBinary, kubectls, type Ran } from '../support/kubectl.js';
import { type KubeList, type KubeObject, Product, type Watching } from '../support/product.js';

/**
 * The verbs of kubectl against one running product, with every kubectl of this machine from 1.27 on; where all are older, as
 * Debian 12's is, with the newest of them. What a kubectl does not have is not asked of it.
 */
const present = await kubectls();
const supported = present.filter(({ minor }) => minor >= 27);
const binaries = supported.length > 0 ? supported : present.slice(-1);
let product: Product;
let image: string;

beforeAll(async () => {
  product = await Product.create();
  image = await busybox(product.docker);
  await product.start();
}, 180_000);
afterAll(() => product.destroy(), 120_000);
jest.setTimeout(90_000);

/** One kubectl, in a namespace of its own. */
class Client {
  readonly namespace: string;

  constructor(private readonly binary: KubectlBinary) {
    this.namespace = `with-${binary.minor}`;
  }

  /** Whether this kubectl is 1.<minor> or newer. */
  readonly since = (minor: number): boolean => this.binary.minor >= minor;

  readonly ran = (words: string | readonly string[], input?: string): Promise<Ran> =>
    product.kubectlOf(
      this.binary,
      ['-n', this.namespace, ...(typeof words === 'string' ? words.split(' ') : words)],
      input,
    );

  readonly k = async (words: string | readonly string[], input?: string): Promise<string> => {
    const { code, stdout, stderr } = await this.ran(words, input);
    if (code !== 0) throw new Error(`kubectl ${String(words)}: exit ${code}\n${stderr}${stdout}`);
    return stdout;
  };

  readonly get = async <T = KubeObject>(what: string): Promise<T> =>
    JSON.parse(await this.k(`get ${what} -o json`)) as T;

  readonly shell = (name: string, script: string, ...more: string[]): Promise<string> =>
    this.k(['run', name, '--image', image, '--image-pull-policy=IfNotPresent', ...more, '--', 'sh', '-c', script]);

  readonly watch = (words: string): Watching => product.watch(this.binary, ['-n', this.namespace, ...words.split(' ')]);

  readonly podsOfSet = async (): Promise<readonly KubeObject[]> => (await this.get<KubeList>('pods -l app=set')).items;

  readonly ready = (replicas: number): Promise<readonly KubeObject[]> =>
    eventually(
      `${replicas} ready`,
      async () => ((await this.get('rs set')).status.readyReplicas ?? 0) === replicas && (await this.podsOfSet()),
    );
}

const clients = binaries.map((binary) => [`1.${binary.minor}`, new Client(binary)] as const);

/** Every kubectl does the same, side by side; a failure names the versions that saw it. */
const withEach = (act: (client: Client) => Promise<void>) => async (): Promise<void> => {
  const failures = new Map<string, string[]>();
  await Promise.all(
    clients.map(async ([version, client]) => {
      try {
        await act(client);
      } catch (error) {
        const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
        failures.set(text, [...(failures.get(text) ?? []), version]);
      }
    }),
  );
  const told = [...failures].map(([text, versions]) => `with ${versions.join(', ')}: ${text}`);
  if (told.length > 0) throw new Error(told.join('\n\n'));
};

const set = (label: string, replicas = 1) =>
  JSON.stringify({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name: 'set', labels: { label } },
    spec: {
      replicas,
      selector: { matchLabels: { app: 'set' } },
      template: {
        metadata: { labels: { app: 'set' } },
        spec: {
          terminationGracePeriodSeconds: 0,
          containers: [{ name: 'app', image, imagePullPolicy: 'IfNotPresent', command: ['tail', '-f', '/dev/null'] }],
        },
      },
    },
  });

describe(`kubectl ${clients.map(([version]) => version).join(', ')}`, () => {
  it('is there to test with', () => {
    expect(clients.length).toBeGreaterThan(0);
  });

  beforeAll(
    withEach(async ({ namespace, k, shell }) => {
      expect(await k(`create namespace ${namespace}`)).toBe(`namespace/${namespace} created\n`);
      await shell('web', 'trap exit TERM; echo one; echo two; while :; do sleep 0.1; done', '--labels=app=web');
      await shell('talk', 'echo done', '--restart=Never');
      await shell('crash', 'echo gone; exit 3');
      await k('wait --for=condition=Ready pod/web --timeout=30s');
    }),
  );

  it(
    'gets, in every form',
    withEach(async ({ namespace, k, get }) => {
      expect(await k('get pods web')).toMatch(/^NAME +READY +STATUS +RESTARTS +AGE *\nweb +1\/1 +Running +0 +\d+s\n$/);
      const web = await get('pod web');
      expect(await k('get pod web -o wide')).toContain(` ${web.status.podIP} `);
      expect(await k('get pod web -o yaml')).toMatch(/^apiVersion: v1\nkind: Pod\nmetadata:\n/);
      expect(await k('get pods -o name -l app=web')).toBe('pod/web\n');
      expect(await k('get pods -A -l app=web')).toMatch(new RegExp(`\n${namespace} +web `));
      expect(await k('get pods --field-selector status.phase=Running,metadata.name=web -o name')).toBe('pod/web\n');
      expect(await k('get pods --field-selector status.phase=Failed -o name')).toBe('');
      expect(await k(['get', 'pod', 'web', '-o', 'jsonpath={.spec.containers[*].name}'])).toBe('web');
      expect(await k('get all')).toContain('pod/web');
    }),
  );

  it(
    'watches',
    withEach(async ({ k, watch }) => {
      const watched = watch('get pods -l app=web -w --no-headers');
      try {
        await eventually('the first row', () => /^web +1\/1/.test(watched.printed()));
        await k('label pod web watched=yes');
        await eventually('the second row', () => /^web.*\nweb /.test(watched.printed()));
      } finally {
        await watched.stop();
      }
    }),
  );

  it(
    'applies: created, unchanged, configured',
    withEach(async ({ k, ran }) => {
      expect(await k('apply -f -', set('a'))).toBe('replicaset.apps/set created\n');
      expect(await k('apply -f -', set('a'))).toBe('replicaset.apps/set unchanged\n');
      expect(await k('apply -f -', set('b'))).toBe('replicaset.apps/set configured\n');
      expect(await k('get rs set -L label --no-headers')).toMatch(/ b\n$/);
      expect(await k('diff -f -', set('b'))).toBe('');
      expect((await ran(['diff', '-f', '-'], set('c'))).code).toBe(1);
    }),
  );

  it(
    'patches, labels, annotates and replaces',
    withEach(async ({ k, ran, get, since }) => {
      await k(['patch', 'rs', 'set', '-p', '{"metadata":{"labels":{"strategic":"1"}}}']);
      await k(['patch', 'rs', 'set', '--type=merge', '-p', '{"metadata":{"labels":{"merge":"1","label":null}}}']);
      await k(['patch', 'rs', 'set', '--type=json', '-p', '[{"op":"add","path":"/metadata/labels/json","value":"1"}]']);
      expect((await get('rs set')).metadata.labels).toEqual({ strategic: '1', merge: '1', json: '1' });
      await k('label pod web x=1');
      expect((await ran(['label', 'pod', 'web', 'x=2'])).stderr).toContain('--overwrite is false');
      await k('label pod web x=2 --overwrite');
      await k('annotate pod web note=hello');
      expect((await get('pod web')).metadata).toMatchObject({
        labels: { app: 'web', x: '2' },
        annotations: { note: 'hello' },
      });
      if (since(24)) {
        const status = '{"status":{"conditions":[{"type":"example.org/mine","status":"True"}]}}';
        await k(['patch', 'pod', 'web', '--subresource=status', '-p', status]);
        expect((await get('pod web')).status.conditions).toContainEqual({ type: 'example.org/mine', status: 'True' });
      }
      expect(await k('replace -f -', set('replaced'))).toBe('replicaset.apps/set replaced\n');
      expect((await get('rs set')).metadata.labels).toEqual({ label: 'replaced' });
    }),
  );

  it(
    'scales',
    withEach(async ({ k, ran, ready }) => {
      await k('scale rs set --replicas=2');
      await ready(2);
      expect((await ran('scale rs set --current-replicas=5 --replicas=3'.split(' '))).stderr).toContain('was 2');
      await k('scale rs set --current-replicas=2 --replicas=1');
      await ready(1);
    }),
  );

  it(
    'explains and describes',
    withEach(async ({ namespace, k, get }) => {
      const explained = await k('explain pod.spec');
      expect(explained).toMatch(/FIELDS?:/);
      expect(explained).toContain('terminationGracePeriodSeconds');
      expect(await k('explain rs.spec.template.spec.containers.image')).toContain('Container image name');
      const node = (await get('pod web')).spec.nodeName ?? '';
      const described = await k('describe pod web');
      expect(described).toMatch(/Status: +Running\n/);
      const reasons = [...described.matchAll(/^ {2}Normal +(\w+)/gm)].map(([, reason]) => reason);
      expect(reasons.sort()).toEqual(['Created', 'Pulled', 'Scheduled', 'Started']);
      expect(await k(`describe node ${node}`)).toMatch(new RegExp(`${namespace} +web `));
      expect(await k('describe rs set')).toMatch(/Replicas: +1 current \/ 1 desired\n/);
      expect(await k(`describe ns ${namespace}`)).toMatch(/Status: +Active\n/);
    }),
  );

  it(
    'reads logs',
    withEach(async ({ k, ran, get, shell, since }) => {
      expect(await k('logs web')).toBe('one\ntwo\n');
      expect(await k('logs web --tail=1')).toBe('two\n');
      expect(await k('logs web --timestamps --tail=1')).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z two\n$/);
      expect(await k('logs -l app=web --prefix')).toBe('[pod/web/web] one\n[pod/web/web] two\n');
      await shell('slow', 'echo one; sleep 3; echo two', '--restart=Never');
      if (since(23)) await k('wait --for=jsonpath={.status.phase}=Running pod/slow --timeout=30s');
      await eventually('it runs', async () => (await get('pod slow')).status.phase === 'Running');
      expect(await k('logs -f slow')).toBe('one\ntwo\n');
      await eventually(
        'a restart',
        async () => ((await get('pod crash')).status.containerStatuses?.[0]?.restartCount ?? 0) > 0,
      );
      expect(await k('logs crash --previous')).toBe('gone\n');
      expect((await ran(['logs', 'web', '--previous'])).stderr).toContain('previous terminated container "web"');
      expect((await ran(['logs', 'web', '-c', 'none'])).stderr).toContain('container none is not valid for pod web');
    }),
  );

  it(
    'shows events',
    withEach(async ({ k, since, shell, watch }) => {
      if (since(26)) expect(await k('events --for pod/web')).toContain('Successfully assigned');
      expect(await k('get events --sort-by=.lastTimestamp')).toContain('Created container');
      expect(await k('get events --field-selector involvedObject.kind=ReplicaSet')).toContain('SuccessfulCreate');
      const ofSeen = '--field-selector involvedObject.name=seen';
      const watches = [
        watch(`get events ${ofSeen} --watch`),
        ...(since(26) ? [watch('events --for pod/seen --watch')] : []),
      ];
      try {
        await shell('seen', 'exec tail -f /dev/null');
        for (const { printed } of watches) await eventually('it is told', () => /Started container/.test(printed()));
        await k('delete pod seen --now');
        for (const { printed } of watches) await eventually('so is its end', () => /Killing/.test(printed()));
      } finally {
        await Promise.all(watches.map((one) => one.stop()));
      }
      expect(await k(`get events ${ofSeen}`)).toMatch(/Started container[^]*Killing/);
      if (since(26)) expect(await k('events --for pod/seen')).toContain('Killing');
    }),
  );

  it(
    'dry-runs on the server and writes nothing',
    withEach(async ({ k, ran, get }) => {
      expect(await k('run dry --image x --dry-run=server -o name')).toBe('pod/dry\n');
      expect(await k('apply --dry-run=server -f -', set('dry'))).toBe(
        'replicaset.apps/set configured (server dry run)\n',
      );
      expect((await ran(['get', 'pod', 'dry'])).stderr).toContain('NotFound');
      expect((await get('rs set')).metadata.labels).toEqual({ label: 'replaced' });
    }),
  );

  it(
    'discovers',
    withEach(async ({ k, ran, since }) => {
      expect(await k('api-resources')).toMatch(/^replicasets +rs +apps\/v1 +true +ReplicaSet *$/m);
      expect((await k('api-versions')).split('\n')).toEqual(expect.arrayContaining(['v1', 'apps/v1']));
      expect(await k('version')).toMatch(/Server Version:.*v1\.\d+\.\d+/);
      // Within one minor version of what the server says that it is, kubectl has no warning about it (ADR 10).
      if (since(31)) expect((await ran(['version'])).stderr).toBe('');
      expect(await k('get --raw /readyz')).toBe('ok');
    }),
  );

  it('cordons and taints a node', async () => {
    // In turn: they have the node in common.
    for (const [, { k, get }] of clients) {
      const node = (await get('pod web')).spec.nodeName ?? '';
      await k(`cordon ${node}`);
      expect(await k(`get node ${node}`)).toContain('Ready,SchedulingDisabled');
      await k(`uncordon ${node}`);
      await k(`taint node ${node} key=value:NoSchedule`);
      expect(await k(`describe node ${node}`)).toMatch(/Taints: +key=value:NoSchedule\n/);
      await k(`taint node ${node} key-`);
      expect(await k(`get node ${node}`)).toMatch(new RegExp(`${node} +Ready +<none>`));
    }
  });

  it('drains a node', async () => {
    await withEach(async ({ namespace, k, shell }) => {
      await shell('drained', 'exec tail -f /dev/null', `--labels=drain=${namespace}`);
      await k('wait --for=condition=Ready pod/drained --timeout=30s');
    })();
    await withEach(async ({ namespace, k, ran, get, since }) => {
      const node = (await get('pod drained')).spec.nodeName ?? '';
      const selector = `--pod-selector=drain=${namespace}`;
      expect((await ran(`drain ${node} ${selector}`)).stderr).toContain('--force');
      const drained = await k(`drain ${node} ${selector} --force --grace-period=1`);
      // Older ones say what they did to the pods of the node, too.
      expect(drained).toContain(`node/${node} ${since(21) ? 'drained' : ''}`);
      expect((await ran(['get', 'pod', 'drained'])).stderr).toContain('NotFound');
    })();
    await withEach(async ({ k, get }) => {
      await k(`uncordon ${(await get('pod web')).spec.nodeName}`);
    })();
  });

  it(
    'deletes, by every cascade',
    withEach(async ({ k, get, podsOfSet, ready }) => {
      const [kept] = await ready(1);
      await k('delete rs set --cascade=orphan');
      const orphan = await get(`pod ${kept?.metadata.name}`);
      expect(orphan.metadata).toMatchObject({ uid: kept?.metadata.uid });
      expect(orphan.metadata.ownerReferences ?? []).toEqual([]);
      await k('apply -f -', set('again'));
      await eventually(
        'the orphan is adopted',
        async () => (await podsOfSet()).length === 1 && (await podsOfSet())[0]?.metadata.ownerReferences?.length === 1,
      );
      await k('delete rs set --cascade=foreground');
      expect(await podsOfSet()).toEqual([]);
      await k('create -f -', set('third', 2));
      await k('delete rs set --cascade=background');
      await eventually('its pods go too', async () => (await podsOfSet()).length === 0);
    }),
  );

  it(
    'deletes at once, and with its namespace',
    withEach(async ({ namespace, k, ran, get }) => {
      const uids = new Map((await get<KubeList>('pods')).items.map(({ metadata }) => [metadata.name, metadata.uid]));
      await k('delete pod web --now');
      await k('delete pod talk --wait=false');
      expect((await ran('delete pod crash --force --grace-period=0'.split(' '))).stdout).toContain('force deleted');
      await k(`delete namespace ${namespace}`);
      expect((await ran(['get', 'namespace', namespace])).stderr).toContain('NotFound');
      for (const uid of uids.values()) expect((await product.containers(uid)).size).toBe(0);
    }),
  );
});
