import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Propagation } from '#domain';
import { SchedulerWorld } from '../../../test/support/scheduler-world.js';

describe('deletion', () => {
  let world: SchedulerWorld;
  beforeEach(async () => {
    world = await SchedulerWorld.create();
    await world.scheduler();
    await world.join('n1');
    await world.replicaSet('web', 2);
  });
  afterEach(() => world.stop());

  const pods = () => [...world.state.pods()];
  const going = () => pods().filter(({ meta }) => meta.deletion).length;
  const remove = (propagation: Propagation) =>
    world.onReplicaSet('web', { type: 'DeleteWorkload', preconditions: {}, propagation });
  const allRemoved = async () => {
    for (const { meta } of pods()) await world.removed(meta.name);
  };

  it('in the background takes the owner first and its pods after it', async () => {
    await remove('Background');
    expect(world.findReplicaSet('web')).toBeUndefined();
    expect(going()).toBe(2);
    expect(pods().map(({ terminationReason }) => terminationReason)).toEqual(['OwnerGone', 'OwnerGone']);
    const [request] = world.events('ReplicaSetDeletionRequested');
    expect(world.events('PodTerminationRequested')[0]).toMatchObject({ causationId: request?.id });
    await allRemoved();
    expect(pods()).toEqual([]);
  });

  it('in the foreground keeps the owner until its pods are gone', async () => {
    await remove('Foreground');
    expect(going()).toBe(2);
    expect(world.findReplicaSet('web')?.meta.finalizers).toEqual(['foregroundDeletion']);
    expect(pods()).toHaveLength(2);
    await allRemoved();
    expect(pods()).toEqual([]);
    expect(world.findReplicaSet('web')).toBeUndefined();
  });

  it('orphaning leaves the pods, without their owner', async () => {
    await remove('Orphan');
    await world.pass(60);
    expect(world.findReplicaSet('web')).toBeUndefined();
    expect(pods().map(({ meta }) => [meta.ownerReferences, meta.deletion])).toEqual([
      [[], undefined],
      [[], undefined],
    ]);
  });

  it('of one of two owners leaves the dependent with the other', async () => {
    const owner = (name: string) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      name,
      uid: world.findPod(name)?.meta.uid ?? '',
    });
    await world.pod('a');
    await world.pod('b');
    await world.pod('child', { ownerReferences: [owner('a'), owner('b')] });
    await world.deletePod('a');
    await world.removed('a');
    expect(world.findPod('child')?.meta.ownerReferences.map(({ name }) => name)).toEqual(['b']);
    await world.deletePod('b');
    await world.removed('b');
    expect(world.findPod('child')?.meta.deletion).toBeDefined();
  });

  describe('of a pod that others depend on', () => {
    const dependent = (blockOwnerDeletion: boolean) => ({
      ownerReferences: [
        { apiVersion: 'v1', kind: 'Pod', name: 'a', uid: world.findPod('a')?.meta.uid ?? '', blockOwnerDeletion },
      ],
    });
    const remove = (propagation: 'Foreground' | 'Orphan') =>
      world.onPod('a', () => ({
        type: 'TerminatePod',
        preconditions: {},
        propagation,
        reason: 'Requested',
        nodeReady: true,
      }));

    it('in the foreground ends those first', async () => {
      await world.pod('a');
      await world.pod('child', dependent(true));
      await remove('Foreground');
      expect(world.findPod('a')?.meta.finalizers).toEqual(['foregroundDeletion']);
      expect(world.findPod('child')?.meta.deletion).toBeDefined();
      await world.removed('a');
      expect(world.findPod('a')).toBeDefined();
      await world.removed('child');
      expect(world.findPod('child')).toBeUndefined();
      expect(world.findPod('a')).toBeUndefined();
    });

    it('in the foreground does not wait for those that do not ask for it', async () => {
      await world.pod('a');
      await world.pod('child', dependent(false));
      await remove('Foreground');
      await world.removed('a');
      expect(world.findPod('a')).toBeUndefined();
      expect(world.findPod('child')?.meta.deletion).toBeDefined();
    });

    it('lets orphans live', async () => {
      await world.pod('a');
      await world.pod('child', dependent(true));
      await remove('Orphan');
      expect(world.findPod('child')?.meta.ownerReferences).toEqual([]);
      await world.removed('a');
      expect(world.findPod('a')).toBeUndefined();
      expect(world.findPod('child')?.meta.deletion).toBeUndefined();
    });
  });

  it('takes a pod whose owner never was', async () => {
    await world.pod('lost', { ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'nobody', uid: 'nobody' }] });
    expect(world.findPod('lost')?.meta.deletion).toBeDefined();
  });

  it('of a namespace takes everything in it, and then the namespace; no pod is made in the meantime', async () => {
    await world.deleteNamespace();
    expect(going()).toBe(2);
    expect(world.findReplicaSet('web')).toBeUndefined();
    expect(world.state.namespace('shop')).toBeDefined();
    await allRemoved();
    expect(world.state.namespace('shop')).toBeUndefined();
    expect(world.events('PodRequested')).toHaveLength(2);
    expect(world.events('NamespaceEmptied', 'NamespaceDeleted').map(({ type }) => type)).toEqual([
      'NamespaceEmptied',
      'NamespaceDeleted',
    ]);
    expect(world.state.list('Event', 'shop')).toEqual([]);
    expect(world.problems).toEqual([]);
  });

  it('waits for finalizers that are not its own', async () => {
    await world.pod('held', { finalizers: ['example.com/hold'] });
    await world.deleteNamespace();
    await world.pass(1);
    await allRemoved();
    await world.pass(60);
    expect(world.state.namespace('shop')).toBeDefined();
    expect(pods().map(({ meta }) => meta.name)).toEqual(['held']);
    await world.onPod('held', (pod) => ({
      type: 'ChangePod',
      desired: { labels: {}, annotations: {}, ownerReferences: [], finalizers: [], spec: pod?.spec ?? {} },
      preconditions: {},
      fieldManager: 'kubectl',
      operation: 'Update',
      managedFields: [],
    }));
    expect(world.state.namespace('shop')).toBeUndefined();
  });

  it('takes Event objects out of the live view after an hour, in one go, and never without need', async () => {
    expect(world.state.list('Event').length).toBeGreaterThan(0);
    await world.pass(3_500);
    expect(world.events('EventsExpired')).toEqual([]);
    await world.pass(500);
    expect(world.state.list('Event')).toEqual([]);
    const expired = world.events('EventsExpired').length;
    await world.pass(7_200);
    expect(world.events('EventsExpired')).toHaveLength(expired);
  });
});
