import { decidePod, podStream, type JsonObject, type PodSpec } from '#domain';
import {
  ask,
  askConfig,
  configChangedSubject,
  createSealKeys,
  nodeCalls,
  nodeRequestSubject,
  parseConfigChanged,
  type ConfigChanged,
  type InMemoryBus,
  type PodConfig,
  type SealKeys,
} from '#bus';
import { ApiWorld, type ApiReplica } from '../../../../test/support/api-world.js';
import { aMeta, aPodSpec } from '../../../../test/support/builders.js';
import type { Target } from '../write/object-writer.js';

const resources = { cpuMillis: 2_000, memoryBytes: 2 ** 31, pods: 110 };
const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('the configuration of a pod', () => {
  let world: ApiWorld;
  let api: ApiReplica;
  let bus: InMemoryBus;
  let keys: SealKeys;
  beforeEach(async () => {
    world = new ApiWorld();
    api = await world.replica();
    bus = world.broker.connect('executor');
    keys = createSealKeys();
  });
  afterEach(() => world.stop());

  /** A node that registers; its epoch. */
  async function register(node = 'n1', sealKey: string | undefined = keys.publicKey): Promise<number> {
    const words = { labels: {}, capacity: resources, allocatable: resources, info: {}, addresses: [] };
    const request = { node, ...words, ...(sealKey !== undefined && { sealKey }) };
    return (await ask(bus, nodeRequestSubject(node, 'register'), nodeCalls.register, request, 1_000)).nodeEpoch;
  }

  /** A pod bound to a node, recorded as it stands: its uid is its name. */
  async function bound(name: string, spec: Partial<PodSpec>, node = 'n1'): Promise<string> {
    const { requestId } = world.request();
    const meta = aMeta({ uid: name });
    const command = {
      type: 'RequestPod',
      namespace: 'default',
      name,
      meta,
      spec: aPodSpec({ ...spec, nodeName: node }),
    } as const;
    await api.commands.execute({
      commandId: requestId,
      context: { actor: { kind: 'system', name: 'test' }, requestId, correlationId: requestId },
      decide: () => [{ stream: podStream('default', name), events: decidePod(command, undefined) }],
    });
    return name;
  }

  const volumes = (configMaps: readonly string[], secrets: readonly string[]): Partial<PodSpec> => ({
    volumes: [
      ...configMaps.map((name) => ({ name: `c-${name}`, configMap: { name } })),
      ...secrets.map((secretName) => ({ name: `s-${secretName}`, secret: { secretName } })),
    ],
  });
  const configMap = (name: string, more: JsonObject) =>
    world.create(api, 'configmaps', 'default', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, ...more });
  const secret = (name: string, more: JsonObject, namespace = 'default') =>
    world.create(api, 'secrets', namespace, { apiVersion: 'v1', kind: 'Secret', metadata: { name }, ...more });
  const target = (plural: string, name: string): Target => ({
    definition: world.resource(api, plural),
    namespace: 'default',
    name,
  });
  const fetch = (uid: string, nodeEpoch: number, node = 'n1'): Promise<PodConfig> =>
    askConfig(bus, { node, nodeEpoch, uid }, keys, 1_000);

  it('is what its spec names and the cluster has, secrets sealed to its node', async () => {
    const epoch = await register();
    await configMap('settings', { data: { a: '1' }, binaryData: { b: base64('2') } });
    await configMap('unnamed', { data: { a: '1' } });
    await secret('db', { type: 'kubernetes.io/basic-auth', stringData: { username: 'bob' } });
    await secret('unnamed', { stringData: { x: 'y' } });
    const uid = await bound('web', volumes(['settings', 'missing'], ['db', 'missing']));
    const { configMaps, secrets, revision } = await fetch(uid, epoch);
    expect([...configMaps]).toEqual([['settings', { data: { a: '1' }, binaryData: { b: base64('2') } }]]);
    expect([...secrets]).toEqual([['db', { type: 'kubernetes.io/basic-auth', data: { username: base64('bob') } }]]);
    expect(revision).toBe(api.projection.revision);
  });

  it('crosses the bus without a clear word of a secret, and opens with no other key', async () => {
    const epoch = await register();
    await secret('db', { stringData: { password: 'hunter2hunter2' } });
    const uid = await bound('web', volumes([], ['db']));
    const reply = await bus.request(nodeRequestSubject('n1', 'config'), { node: 'n1', nodeEpoch: epoch, uid }, 1_000);
    expect(JSON.stringify(reply)).toContain('"db"');
    for (const clear of ['hunter2', base64('hunter2hunter2')]) expect(JSON.stringify(reply)).not.toContain(clear);
    const request = { node: 'n1', nodeEpoch: epoch, uid };
    await expect(askConfig(bus, request, createSealKeys(), 1_000)).rejects.toThrow('does not open');
  });

  it('is told to nobody but the node that the pod is bound to, under its present epoch', async () => {
    const epoch = await register();
    const other = await register('n2');
    const uid = await bound('web', volumes([], ['db']));
    await expect(fetch(uid, other, 'n2')).rejects.toMatchObject({ reason: 'NotFound' });
    await expect(fetch('another', epoch)).rejects.toMatchObject({ reason: 'NotFound' });
    await register();
    await expect(fetch(uid, epoch)).rejects.toMatchObject({ reason: 'StaleNode' });
  });

  it('comes from the pod’s own namespace', async () => {
    const epoch = await register();
    await world.create(api, 'namespaces', '', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'other' } });
    await secret('db', { stringData: { a: 'b' } }, 'other');
    expect((await fetch(await bound('web', volumes([], ['db'])), epoch)).secrets.size).toBe(0);
  });

  it('holds no secret that was erased', async () => {
    const epoch = await register();
    await secret('db', { stringData: { a: 'b' } });
    const uid = await bound('web', volumes([], ['db']));
    world.vaultState.keys.clear();
    expect((await fetch(uid, epoch)).secrets.size).toBe(0);
  });

  it('of a node without a key has no secrets to give', async () => {
    const epoch = await register('n1', '');
    await configMap('settings', { data: { a: '1' } });
    await secret('db', { stringData: { a: 'b' } });
    expect((await fetch(await bound('plain', volumes(['settings'], [])), epoch)).configMaps.size).toBe(1);
    await expect(fetch(await bound('web', volumes([], ['db'])), epoch)).rejects.toThrow('no key to seal secrets to');
  });

  it('comes in pages when it is more than one message holds', async () => {
    const epoch = await register();
    const names = Array.from({ length: 6 }, (_, index) => `big-${index}`);
    const text = 'x'.repeat(1_000_000);
    for (const name of names) await configMap(name, { data: { text } });
    await secret('db', { stringData: { text } });
    const uid = await bound('web', volumes(names, ['db']));
    const first = await ask(
      bus,
      nodeRequestSubject('n1', 'config'),
      nodeCalls.config,
      { node: 'n1', nodeEpoch: epoch, uid },
      1_000,
    );
    expect(JSON.stringify(first).length).toBeLessThan(6_500_000);
    expect(first.next).toBe(5);
    const { configMaps, secrets } = await fetch(uid, epoch);
    expect([...configMaps.keys()]).toEqual(names);
    expect(secrets.get('db')?.data['text']).toBe(base64(text));
  });

  describe('changes, and its node', () => {
    let heard: ConfigChanged[];
    beforeEach(async () => {
      await register();
      heard = [];
      bus.subscribe(configChangedSubject('n1'), (message) => heard.push(parseConfigChanged(message, 'hint')));
      await world.clock.advance(5_000);
    });
    const uids = async (): Promise<string[]> => {
      await world.clock.advance(0);
      return heard.splice(0).flatMap((hint) => hint.uids);
    };

    it('hears of it for each pod that names it, when it comes, changes and goes', async () => {
      await bound('a', volumes(['settings'], []));
      await bound('b', volumes(['other'], ['settings']));
      await bound('c', volumes(['settings'], []), 'n2');
      expect(await uids()).toEqual([]);
      await configMap('settings', { data: { a: '1' } });
      expect(await uids()).toEqual(['a']);
      await secret('settings', { stringData: { a: '1' } });
      expect(await uids()).toEqual(['b']);
      await world.patch(api, target('configmaps', 'settings'), { data: { a: '2' } });
      expect(await uids()).toEqual(['a']);
      await world.remove(api, target('secrets', 'settings'));
      expect(await uids()).toEqual(['b']);
    });

    it('hears it once, though there are two replicas', async () => {
      await world.replica('api-2');
      await bound('a', volumes(['settings'], []));
      await configMap('settings', { data: { a: '1' } });
      await world.clock.advance(2_000);
      expect(await uids()).toEqual(['a']);
    });
  });
});
