import { LogUnavailable, RemoteRefusal, type JsonObject } from '#domain';
import {
  ask,
  assignSubject,
  nodeCalls,
  nodeRequestSubject,
  parseAssignment,
  type Assignment,
  type Fact,
  type FullAssignment,
  type InMemoryBus,
  type Registered,
  type ReportReply,
} from '#bus';
import { ApiWorld, podNamed, type ApiReplica } from '../../../../test/support/api-world.js';
import { textAt } from '../resources/wire-values.js';

const resources = { cpuMillis: 2_000, memoryBytes: 2 ** 31, pods: 110 };

describe('what nodes ask', () => {
  let world: ApiWorld;
  let api: ApiReplica;
  let bus: InMemoryBus;
  beforeEach(async () => {
    world = new ApiWorld();
    api = await world.replica();
    bus = world.broker.connect('executor');
  });
  afterEach(() => world.stop());

  const register = (node = 'n1', cluster?: string): Promise<Registered> =>
    ask(
      bus,
      nodeRequestSubject(node, 'register'),
      nodeCalls.register,
      {
        node,
        ...(cluster !== undefined && { cluster }),
        labels: { 'kubernetes.io/hostname': node },
        capacity: resources,
        allocatable: resources,
        info: { kubeletVersion: 'podledger', machineID: 'engine' },
        addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
      },
      1_000,
    );
  const sync = (nodeEpoch: number): Promise<FullAssignment> =>
    ask(bus, nodeRequestSubject('n1', 'sync'), nodeCalls.sync, { node: 'n1', nodeEpoch }, 1_000);
  const heartbeat = (nodeEpoch: number) =>
    ask(
      bus,
      nodeRequestSubject('n1', 'heartbeat'),
      nodeCalls.heartbeat,
      { node: 'n1', nodeEpoch, revision: 0, sentAt: 0 },
      1_000,
    );
  const report = (nodeEpoch: number, uid: string, ...facts: Fact[]): Promise<ReportReply> => {
    const pod = { namespace: 'default', name: 'web', uid };
    return ask(bus, nodeRequestSubject('n1', 'facts'), nodeCalls.facts, { node: 'n1', nodeEpoch, pod, facts }, 5_000);
  };

  const started = (id: string): Fact => ({
    id: `${id}/started`,
    type: 'ContainerStarted',
    data: { container: 'app', attempt: 0, containerId: id, imageId: 'sha256:1', startedAt: 1_000 },
  });

  /** A pod bound to the node; its uid. */
  async function boundPod(name = 'web'): Promise<string> {
    const spec = { nodeName: 'n1', containers: [{ name: 'app', image: 'busybox:1' }] };
    const { object } = await world.create(api, 'pods', 'default', podNamed(name, { spec }));
    return textAt(object, 'metadata', 'uid') ?? '';
  }

  it('gives no two nodes one pod network, though replicas that do not know of each other let them in', async () => {
    await world.replica('api-2');
    const names = Array.from({ length: 8 }, (_, n) => `n${n}`);
    const networks = (await Promise.all(names.map((name) => register(name)))).map(({ podCIDR }) => podCIDR);
    expect(new Set(networks).size).toBe(names.length);
  });

  it('gives a node that a client has made its pod network when its executor comes', async () => {
    const made = await world.create(api, 'nodes', '', { metadata: { name: 'n1', labels: { disk: 'fast' } } });
    expect(made.object).toMatchObject({ spec: {}, metadata: { labels: { disk: 'fast' } } });
    const { podCIDR } = await register();
    expect(podCIDR).toBe('10.244.0.0/24');
    expect(await register()).toMatchObject({ podCIDR });
    expect(api.projection.state.node('n1')).toMatchObject({ podCIDR, meta: { labels: { disk: 'fast' } } });
    expect(await register('n2')).toMatchObject({ podCIDR: '10.244.1.0/24' });
  });

  it('lets a node join, and come back under a new epoch with the pod network it had', async () => {
    const joined = await register();
    expect(joined).toEqual({ cluster: await api.log.clusterId(), nodeEpoch: 1, podCIDR: '10.244.0.0/24' });
    expect(await register()).toEqual({ ...joined, nodeEpoch: joined.nodeEpoch + 1 });
  });

  it('gives nodes that join together networks of their own', async () => {
    const joined = await Promise.all(['n1', 'n2', 'n3', 'n4'].map((node) => register(node)));
    expect(new Set(joined.map(({ podCIDR }) => podCIDR)).size).toBe(4);
  });

  it('refuses a node that belongs to another cluster', async () => {
    await expect(register('n1', 'another')).rejects.toMatchObject({ reason: 'OtherCluster' });
    expect(api.projection.state.node('n1')).toBeUndefined();
  });

  it('answers a heartbeat with the newest assignment, the epoch, and whether it knows the node', async () => {
    expect(await heartbeat(1)).toEqual({ revision: 0, nodeEpoch: 0, known: false });
    await register();
    await boundPod();
    expect(await heartbeat(1)).toEqual({ revision: world.state.head(), nodeEpoch: 1, known: true });
  });

  it('tells a node everything it is to have, and later what changed, without a gap between', async () => {
    const heard: Assignment[] = [];
    bus.subscribe(assignSubject('n1'), (message) => heard.push(parseAssignment(message, 'assignment')));
    await world.clock.advance(1_000);
    const { nodeEpoch } = await register();
    const full = await sync(nodeEpoch);
    expect(full.pods).toEqual([]);
    const uid = await boundPod();
    await world.remove(api, world.pod(api, 'web'));
    await world.clock.advance(10);
    const deltas = heard.filter(({ kind }) => kind === 'delta');
    expect(deltas).toMatchObject([
      { prev: full.revision, nodeEpoch, upserts: [{ key: { uid } }], removed: [] },
      { prev: deltas[0]?.revision, upserts: [{ key: { uid }, deletion: { gracePeriodSeconds: 30 } }] },
    ]);
    expect(await sync(nodeEpoch)).toMatchObject({ revision: deltas[1]?.revision, pods: [{ key: { uid } }] });
  });

  it('assigns nothing to a node that was deleted, and refuses one that another has replaced', async () => {
    const { nodeEpoch } = await register();
    await boundPod();
    await register();
    await expect(sync(nodeEpoch)).rejects.toMatchObject({ reason: 'StaleNode' });
    await world.remove(api, { definition: world.resource(api, 'nodes'), namespace: '', name: 'n1' });
    expect(await sync(nodeEpoch)).toMatchObject({ nodeEpoch, pods: [] });
  });

  it('records a fact once, however often it is reported, and acknowledges it each time', async () => {
    const { nodeEpoch } = await register();
    const uid = await boundPod();
    const before = world.state.head();
    for (const _ of [1, 2, 3])
      expect(await report(nodeEpoch, uid, started('c1'))).toEqual({ acknowledged: ['c1/started'] });
    const events = await api.log.readAfter(before, 100);
    expect(events.map(({ type }) => type)).toEqual(['ContainerStarted']);
    expect(events[0]?.actor).toEqual({ kind: 'node', name: 'n1' });
  });

  it('does not acknowledge what the log did not take', async () => {
    const { nodeEpoch } = await register();
    const uid = await boundPod();
    world.state.append = () => {
      throw new LogUnavailable('away');
    };
    await expect(report(nodeEpoch, uid, started('c1'))).rejects.toBeInstanceOf(RemoteRefusal);
  });

  it('does not take a fact for known on a replica that has not heard what it is about', async () => {
    const { nodeEpoch } = await register();
    const uid = await boundPod();
    const { log } = api;
    const readAfter = log.readAfter.bind(log);
    log.readAfter = () => Promise.resolve([]);
    const stream = 'core/pods/default/web';
    const requested = { gracePeriodSeconds: 0, propagation: 'Background', reason: 'Requested' };
    world.state.append({
      commandId: 'delete',
      context: { actor: { kind: 'user', name: 'tester' }, requestId: 'delete', correlationId: 'delete' },
      writes: [
        {
          stream,
          expectedVersion: world.state.readStream(stream, 0).length,
          events: [{ type: 'PodTerminationRequested', data: requested }],
        },
      ],
    });
    const before = world.state.head();
    const answer = report(nodeEpoch, uid, { id: 'removed', type: 'PodContainersRemoved', data: { node: 'n1' } });
    await world.clock.advance(10);
    log.readAfter = readAfter;
    await world.clock.advance(2_000);
    expect(await answer).toEqual({ acknowledged: ['removed'] });
    const events = world.state.readAfter(before, 100);
    expect(events.map(({ type }) => type)).toEqual(['PodContainersRemoved', 'PodDeleted']);
  });

  it('takes no fact under an epoch that is over', async () => {
    const { nodeEpoch } = await register();
    const uid = await boundPod();
    await register();
    const before = world.state.head();
    await expect(report(nodeEpoch, uid, started('c1'))).rejects.toMatchObject({ reason: 'StaleNode' });
    expect(world.state.head()).toBe(before);
  });

  it('lets a node forget a pod that is gone or was never its own', async () => {
    const { nodeEpoch } = await register();
    expect(await report(nodeEpoch, 'nobody', started('c1'))).toEqual({
      acknowledged: ['c1/started'],
      unknownPod: true,
    });
  });

  it.each<[string, JsonObject]>([
    ['of an unknown type', { type: 'PodDeleted', data: {} }],
    ['without a field', { type: 'ContainerCreated', data: { container: 'app', attempt: 0 } }],
    ['with a field of another type', { type: 'PodSandboxFailed', data: { message: 'x', retryAt: 'soon' } }],
    ['with a word there is not', { type: 'PodRefusedByNode', data: { reason: 'Tired', message: 'x' } }],
    ['about another node', { type: 'PodContainersRemoved', data: { node: 'n2' } }],
  ])('refuses a fact %s, and writes nothing', async (_, fact) => {
    const { nodeEpoch } = await register();
    const uid = await boundPod();
    const before = world.state.head();
    await expect(report(nodeEpoch, uid, { ...fact, id: 'f1' })).rejects.toBeInstanceOf(RemoteRefusal);
    expect(world.state.head()).toBe(before);
  });
});
