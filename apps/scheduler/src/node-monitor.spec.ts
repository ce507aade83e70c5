import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { nodeRequestSubject } from '#bus';
import { nodeStream } from '#domain';
import { SchedulerWorld } from '../../../test/support/scheduler-world.js';

describe('the node monitor', () => {
  let world: SchedulerWorld;
  beforeEach(async () => {
    world = await SchedulerWorld.create();
  });
  afterEach(() => world.stop());

  const status = (name: string) => world.findNode(name)?.ready.status;
  const lost = () => world.events('NodeLost').map(({ stream }) => stream);
  const ends = () =>
    world.events('PodTerminated').map(({ stream, data }) => [stream.split('/').at(-1), data['reason']]);
  const join = async (...names: string[]) => {
    for (const name of names) await world.join(name);
    await world.pass(5);
  };
  const registersAgain = (name: string) =>
    world.node(name, (state) => ({
      type: 'RegisterNode',
      name,
      uid: 'another',
      podCIDR: '10.0.0.0/24',
      description: world.findNode(name)?.description ?? {
        labels: {},
        capacity: none,
        allocatable: none,
        info: {},
        addresses: [],
        engineId: '',
      },
      streamVersion: state.version(nodeStream(name)),
    }));
  const none = { cpuMillis: 0, memoryBytes: 0, pods: 0 };

  it('takes a node for ready at its first heartbeat, and records no heartbeat', async () => {
    await world.scheduler();
    await world.join('n1');
    expect(status('n1')).toBe('True');
    const head = world.logState.head();
    await world.pass(600);
    expect(world.logState.head()).toBe(head);
  });

  it('records silence after 15 s, gives pods up 30 s later, and has them replaced elsewhere', async () => {
    await world.scheduler();
    await join('n1');
    await world.pod('bare');
    await world.replicaSet('web', 1);
    await join('n2', 'n3');
    const [, replica = ''] = Object.keys(world.placements());
    world.silence('n1');
    await world.pass(10);
    expect(status('n1')).toBe('True');
    await world.pass(10);
    expect(status('n1')).toBe('Unknown');
    await world.pass(24);
    expect(ends()).toEqual([]);
    await world.pass(6);
    expect(lost()).toEqual([nodeStream('n1')]);
    expect(ends()).toEqual([
      ['bare', 'NodeLost'],
      [replica, 'NodeLost'],
    ]);
    expect(world.findNode('n1')?.nodeEpoch).toBe(2);
    const replaced = Object.entries(world.placements()).filter(([name]) => name.startsWith('web-') && name !== replica);
    expect(replaced).toHaveLength(1);
    expect(['n2', 'n3']).toContain(replaced[0]?.[1]);
  });

  it('takes a lost node back only when it registers anew', async () => {
    await world.scheduler();
    await join('n1', 'n2', 'n3');
    await world.pod('web', { spec: { nodeSelector: {}, nodeName: 'n1' } });
    world.silence('n1');
    await world.pass(60);
    expect(lost()).toHaveLength(1);
    const executor = world.broker.connect('late');
    const late = { node: 'n1', nodeEpoch: 1, revision: 0, sentAt: 0 };
    executor.publish(nodeRequestSubject('n1', 'heartbeat'), late);
    await world.pass(5);
    expect(status('n1')).toBe('Unknown');
    await registersAgain('n1');
    world.hear('n1');
    await world.pass(5);
    expect(status('n1')).toBe('True');
    expect(world.findNode('n1')?.lost).toBe(false);
    expect(world.findNode('n1')?.nodeEpoch).toBeGreaterThan(2);
  });

  it('keeps pods on a node that is heard again in time', async () => {
    await world.scheduler();
    await join('n1', 'n2', 'n3');
    await world.pod('web', { spec: { nodeName: 'n1' } });
    world.silence('n1');
    await world.pass(30);
    expect(status('n1')).toBe('Unknown');
    world.hear('n1');
    await world.pass(5);
    expect(status('n1')).toBe('True');
    await world.pass(120);
    expect(ends()).toEqual([]);
  });

  it('gives no pod up when more than half of the nodes fall silent together, and says so once', async () => {
    await world.scheduler();
    await join('n1', 'n2', 'n3');
    await world.pod('web', { spec: { nodeName: 'n1' } });
    world.silence('n1', 'n2');
    await world.pass(600);
    expect(world.events('NodesSilentTogether').map(({ data }) => data)).toEqual([{ nodes: ['n1', 'n2'], total: 3 }]);
    expect(ends()).toEqual([]);
    world.hear('n2');
    await world.pass(5);
    expect(world.events('NodesHeardAgain').map(({ data }) => data)).toEqual([{ nodes: ['n2'] }]);
    expect(ends()).toEqual([]);
    await world.pass(31);
    expect(ends()).toEqual([['web', 'NodeLost']]);
    expect(world.events('NodesSilentTogether')).toHaveLength(1);
  });

  it('remembers a mass silence across a takeover', async () => {
    const first = await world.scheduler('first');
    await join('n1', 'n2', 'n3');
    await world.pod('web', { spec: { nodeName: 'n1' } });
    world.silence('n1', 'n2');
    await world.pass(30);
    await Promise.all([first.scheduler.stop(), world.pass(0)]);
    await world.scheduler('second');
    await world.pass(600);
    expect(world.events('NodesSilentTogether')).toHaveLength(1);
    expect(world.events('NodesHeardAgain')).toEqual([]);
    expect(ends()).toEqual([]);
  });

  it('does not count the time in which NATS was away', async () => {
    await world.scheduler();
    await join('n1');
    await world.pod('web');
    world.broker.outage(true);
    await world.pass(120);
    world.broker.outage(false);
    await world.pass(60);
    expect(world.events('NodeBecameNotReady')).toEqual([]);
    expect(ends()).toEqual([]);
  });

  it('does not count the time in which it stood still itself', async () => {
    const { process } = await world.scheduler();
    await join('n1');
    await world.pod('web');
    process.pause();
    await world.pass(300);
    process.resume();
    await world.pass(60);
    expect(world.events('NodeBecameNotReady')).toEqual([]);
    expect(ends()).toEqual([]);
  });

  it('starts counting anew when it takes over', async () => {
    const first = await world.scheduler('first');
    await join('n1', 'n2', 'n3');
    await world.pod('web', { spec: { nodeName: 'n1' } });
    world.silence('n1');
    await world.pass(40);
    expect(status('n1')).toBe('Unknown');
    await Promise.all([first.scheduler.stop(), world.pass(0)]);
    await world.scheduler('second');
    await world.pass(40);
    expect(ends()).toEqual([]);
    await world.pass(10);
    expect(ends()).toEqual([['web', 'NodeLost']]);
  });

  it('ignores heartbeats that speak for another node', async () => {
    await world.scheduler();
    await join('n1');
    world.silence('n1');
    const impostor = world.broker.connect('impostor');
    for (let beats = 0; beats < 10; beats += 1) {
      const forged = { node: 'n1', nodeEpoch: 1, revision: 0, sentAt: 0 };
      impostor.publish(nodeRequestSubject('n2', 'heartbeat'), forged);
      impostor.publish(nodeRequestSubject('n1', 'heartbeat'), { nodeEpoch: 'x' });
      await world.pass(2);
    }
    expect(status('n1')).toBe('Unknown');
  });

  it('gives up the pods of a node that was deleted, at once', async () => {
    await world.scheduler();
    await join('n1');
    await world.pod('web');
    await world.node('n1', () => ({ type: 'DeleteNode', preconditions: {} }));
    expect(ends()).toEqual([['web', 'NodeLost']]);
  });

  it('ends the deletion of a pod whose node is gone', async () => {
    await world.scheduler();
    await join('n1', 'n2', 'n3');
    await world.pod('web', { spec: { nodeName: 'n1' } });
    world.silence('n1');
    await world.pass(5);
    await world.deletePod('web');
    expect(world.findPod('web')).toBeDefined();
    await world.pass(60);
    expect(world.findPod('web')).toBeUndefined();
  });
});

describe('a node whose container engine is away', () => {
  let world: SchedulerWorld;
  const down = 'container runtime is down';
  const ready = (name: string) => world.findNode(name)?.ready;
  const going = (name: string) => world.findPod(name)?.terminationReason;
  beforeEach(async () => {
    world = await SchedulerWorld.create();
    await world.scheduler();
    for (const name of ['n1', 'n2', 'n3']) await world.join(name);
    await world.pass(5);
    await world.pod('web', { spec: { nodeName: 'n1' } });
  });
  afterEach(() => world.stop());

  it('is not ready at its word, loses its pods 30 s later, and none once it is back', async () => {
    world.cannotRunPods(['n1'], down);
    await world.pass(5);
    expect(ready('n1')).toMatchObject({ status: 'False', reason: 'KubeletNotReady', message: down });
    await world.pass(24);
    expect(going('web')).toBeUndefined();
    world.cannotRunPods(['n1']);
    await world.pass(600);
    expect(ready('n1')?.status).toBe('True');
    expect(going('web')).toBeUndefined();
    world.cannotRunPods(['n1'], down);
    await world.pass(36);
    expect(going('web')).toBe('TaintNotTolerated');
    expect(world.events('NodeLost')).toEqual([]);
  });

  it('keeps its pods while most nodes have the same trouble, and for a while after', async () => {
    world.cannotRunPods(['n1', 'n2'], down);
    await world.pass(600);
    expect(going('web')).toBeUndefined();
    world.cannotRunPods(['n2']);
    await world.pass(29);
    expect(ready('n2')?.status).toBe('True');
    expect(going('web')).toBeUndefined();
    await world.pass(6);
    expect(going('web')).toBe('TaintNotTolerated');
  });

  it('that then falls silent too is given up like any silent node', async () => {
    world.cannotRunPods(['n1'], down);
    await world.pass(5);
    world.silence('n1');
    await world.pass(20);
    expect(ready('n1')?.status).toBe('Unknown');
  });
});

describe('taints with NoExecute', () => {
  let world: SchedulerWorld;
  beforeEach(async () => {
    world = await SchedulerWorld.create();
    await world.scheduler();
    await world.join('n1');
    await world.pass(5);
  });
  afterEach(() => world.stop());
  const taint = { key: 'maintenance', effect: 'NoExecute' };
  const going = (name: string) => world.findPod(name)?.terminationReason;
  const tolerating = (tolerationSeconds?: number) => ({
    tolerations: [
      {
        key: 'maintenance',
        operator: 'Exists' as const,
        ...(tolerationSeconds !== undefined && { tolerationSeconds }),
      },
    ],
  });

  it('drive pods out at the end of their toleration, and let stay who tolerates them', async () => {
    await world.pod('intolerant');
    await world.pod('patient', { spec: tolerating(20) });
    await world.pod('tolerant', { spec: tolerating() });
    await world.editNode('n1', { taints: [taint] });
    expect([going('intolerant'), going('patient')]).toEqual(['TaintNotTolerated', undefined]);
    await world.pass(19);
    expect(going('patient')).toBeUndefined();
    await world.pass(2);
    expect(going('patient')).toBe('TaintNotTolerated');
    await world.pass(600);
    expect(going('tolerant')).toBeUndefined();
  });

  it('drive nobody out once they were removed in time', async () => {
    await world.pod('patient', { spec: tolerating(20) });
    await world.editNode('n1', { taints: [taint] });
    await world.pass(10);
    await world.editNode('n1', {});
    await world.pass(60);
    expect(going('patient')).toBeUndefined();
  });
});
