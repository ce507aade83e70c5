import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LogUnavailable, nodeStream } from '#domain';
import { SchedulerWorld } from '../../../test/support/scheduler-world.js';

describe('the scheduling loop', () => {
  let world: SchedulerWorld;
  beforeEach(async () => {
    world = await SchedulerWorld.create();
  });
  afterEach(() => world.stop());

  it('places a pod at once, and says what led to it', async () => {
    await world.scheduler();
    await world.join('n1');
    const before = world.clock.now();
    await world.pod('web');
    expect(world.placements()).toEqual({ web: 'n1' });
    expect(world.clock.now()).toBe(before);
    const [requested, scheduled] = [...world.events('PodRequested'), ...world.events('PodScheduled')];
    expect(scheduled).toMatchObject({
      actor: { kind: 'system', name: 'scheduler' },
      causationId: requested?.id,
      correlationId: requested?.correlationId,
      data: { by: 'scheduler', record: { asOf: requested?.revision, node: 'n1', queuePosition: 1 } },
    });
  });

  it('places what was waiting before it began', async () => {
    await world.join('n1');
    await world.pod('web');
    await world.scheduler();
    await world.pass(5);
    expect(world.placements()).toEqual({ web: 'n1' });
  });

  it('places a waiting pod as soon as a node joins, without being asked again', async () => {
    await world.scheduler();
    await world.join('n1', { cores: 1 });
    await world.pod('big', { cpu: '2' });
    expect(world.findPod('big')?.unschedulable?.message).toBe('0/1 nodes are available: 1 Insufficient cpu.');
    await world.join('n2');
    expect(world.placements()).toEqual({ big: 'n2' });
    const [ready] = world.events('NodeBecameReady').slice(-1);
    const [request] = world.events('PodRequested');
    const [scheduled] = world.events('PodScheduled');
    expect(scheduled).toMatchObject({ causationId: ready?.id, correlationId: request?.correlationId });
  });

  it('places a waiting pod as soon as capacity frees, a cordon is lifted or a gate is removed', async () => {
    await world.scheduler();
    await world.join('n1', { cores: 1 });
    await world.pod('first', { cpu: '1', spec: { restartPolicy: 'Never' } });
    await world.pod('second', { cpu: '1' });
    expect(world.placements()).toEqual({ first: 'n1', second: undefined });
    await world.exited('first', 0);
    expect(world.placements()).toEqual({ first: 'n1', second: 'n1' });

    await world.join('n2');
    await world.editNode('n2', { unschedulable: true });
    await world.pod('third', { cpu: '1' });
    expect(world.placements()).toMatchObject({ third: undefined });
    await world.editNode('n2', {});
    expect(world.placements()).toMatchObject({ third: 'n2' });
  });

  it('leaves pods with gates and pods of other schedulers alone, until the gates are gone', async () => {
    await world.scheduler();
    await world.join('n1');
    await world.pod('gated', { spec: { schedulingGates: [{ name: 'wait' }] } });
    await world.pod('foreign', { spec: { schedulerName: 'mine' } });
    await world.pass(60);
    expect(world.placements()).toEqual({ gated: undefined, foreign: undefined });
    expect(world.events('PodUnschedulable')).toEqual([]);
    const { schedulingGates: _, ...spec } = world.findPod('gated')?.spec ?? {};
    await world.onPod('gated', () => ({
      type: 'ChangePod',
      desired: { labels: {}, annotations: {}, ownerReferences: [], finalizers: [], spec: { ...spec } },
      preconditions: {},
      fieldManager: 'kubectl',
      operation: 'Update',
      managedFields: [],
    }));
    expect(world.placements()).toEqual({ gated: 'n1', foreign: undefined });
  });

  it('records a refusal when its reasons change, and changed counts a minute after the last', async () => {
    await world.scheduler();
    await world.join('n1', { cores: 1 });
    await world.pod('big', { cpu: '2' });
    const messages = () => world.events('PodUnschedulable').map(({ data }) => data['message']);
    const one = '0/1 nodes are available: 1 Insufficient cpu.';
    expect(messages()).toEqual([one]);
    await world.join('n2', { cores: 1 });
    await world.pass(50);
    expect(messages()).toEqual([
      one,
      '0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint {node.kubernetes.io/not-ready: }.',
      '0/2 nodes are available: 2 Insufficient cpu.',
    ]);
    await world.join('n3', { cores: 1 });
    await world.editNode('n3', { unschedulable: true });
    const before = messages().length;
    await world.editNode('n3', {});
    await world.pass(120);
    expect(messages().at(-1)).toBe('0/3 nodes are available: 3 Insufficient cpu.');
    expect(messages().length).toBeLessThanOrEqual(before + 2);
    const settled = messages().length;
    await world.pass(600);
    expect(messages()).toHaveLength(settled);
  });

  it('never puts more on a node than it holds, however many pods come at once', async () => {
    await world.scheduler();
    await world.join('n1', { cores: 2 });
    await world.join('n2', { cores: 2 });
    await Promise.all(Array.from({ length: 10 }, (_, index) => world.pod(`web-${index}`, { cpu: '500m' })));
    const counts = Object.values(world.placements());
    expect(counts.filter((node) => node === 'n1')).toHaveLength(4);
    expect(counts.filter((node) => node === 'n2')).toHaveLength(4);
    expect(counts.filter((node) => node === undefined)).toHaveLength(2);
  });

  it('does not place on a node that was cordoned after the plan was made; nobody else waits for that', async () => {
    await world.join('n1', { cores: 2 });
    await world.join('n2', { cores: 1 });
    let cordoned = false;
    await world.scheduler('scheduler', async (label, work) => {
      // Between the plan and the first append: n1, the better node, is cordoned.
      if (label.startsWith('log.append place/') && !cordoned) {
        cordoned = true;
        world.logState.append({
          commandId: 'cordon',
          context: { actor: { kind: 'user', name: 'test' }, requestId: 'r', correlationId: 'r' },
          writes: [
            {
              stream: nodeStream('n1'),
              expectedVersion: world.state.version(nodeStream('n1')),
              events: [
                {
                  type: 'NodeChanged',
                  data: {
                    changes: [{ path: ['spec', 'unschedulable'], to: true }],
                    fieldManager: 'kubectl',
                    operation: 'Update',
                    managedFields: [],
                  },
                },
              ],
            },
          ],
        });
      }
      return work();
    });
    await world.pass(5);
    await world.pod('a', { cpu: '600m' });
    await world.pod('b', { cpu: '300m' });
    expect(world.placements()).toEqual({ a: 'n2', b: 'n2' });
    expect(cordoned).toBe(true);
    expect(world.problems).toEqual([]);
  });

  it('binds a pod once, though the answer of the log was lost', async () => {
    await world.join('n1');
    await world.join('n2');
    let lost = 0;
    await world.scheduler('scheduler', async (label, work) => {
      const result = work();
      if (label.startsWith('log.append place/') && lost < 3) {
        lost += 1;
        throw new LogUnavailable('the answer was lost');
      }
      return result;
    });
    await world.pass(5);
    await world.pod('web');
    await world.pass(5);
    expect(lost).toBe(1);
    expect(world.events('PodScheduled')).toHaveLength(1);
    expect(Object.values(world.placements())).toHaveLength(1);
    expect(world.problems).toEqual([]);
  });
});
