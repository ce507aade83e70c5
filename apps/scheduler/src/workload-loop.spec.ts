import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { bodyOfEvent, LogUnavailable } from '#domain';
import { aMeta } from '../../../test/support/builders.js';
import { SchedulerWorld } from '../../../test/support/scheduler-world.js';

describe('the replica set loop', () => {
  let world: SchedulerWorld;
  beforeEach(async () => {
    world = await SchedulerWorld.create();
    await world.join('n1');
  });
  afterEach(() => world.stop());

  const names = () => Object.keys(world.placements());
  const living = () =>
    [...world.state.pods()]
      .filter(({ meta, terminated }) => !meta.deletion && !terminated)
      .map(({ meta }) => meta.name);

  it('makes the pods a replica set asks for, which are placed, and tells how many there are', async () => {
    await world.scheduler();
    await world.pass(5);
    await world.replicaSet('web', 3);
    expect(names()).toHaveLength(3);
    for (const name of names()) expect(name).toMatch(/^web-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    expect(Object.values(world.placements())).toEqual(['n1', 'n1', 'n1']);
    expect(world.findReplicaSet('web')?.status).toMatchObject({ replicas: 3, readyReplicas: 0, observedGeneration: 1 });
    const [scale] = world.events('ScaleRequested');
    expect(world.events('PodRequested')[0]).toMatchObject({ correlationId: scale?.correlationId });
    expect([...world.state.events()].map((event) => bodyOfEvent(event)['reason'])).toContain('SuccessfulCreate');
  });

  it('makes more on a scale up, and ends some on a scale down', async () => {
    await world.scheduler();
    await world.replicaSet('web', 1);
    const [first] = names();
    await world.scale('web', 5);
    expect(living()).toHaveLength(5);
    expect(living()).toContain(first);
    await world.scale('web', 2);
    expect(living()).toHaveLength(2);
    expect(world.events('PodTerminationRequested').map(({ data }) => data['reason'])).toEqual(
      Array(3).fill('ScaledDown'),
    );
    await world.scale('web', 0);
    expect(living()).toEqual([]);
  });

  it('replaces a pod that was deleted, at once', async () => {
    await world.scheduler();
    await world.pass(5);
    await world.replicaSet('web', 2);
    const [victim = ''] = names();
    await world.deletePod(victim);
    expect(living()).toHaveLength(2);
    expect(living()).not.toContain(victim);
  });

  it('adopts a matching pod, and releases one whose labels change', async () => {
    await world.scheduler();
    await world.pod('stray', { labels: { app: 'web' } });
    await world.replicaSet('web', 2);
    expect(names()).toHaveLength(2);
    const owner = () =>
      world.findPod('stray')?.meta.ownerReferences.map(({ name, controller }) => ({ name, controller }));
    expect(owner()).toEqual([{ name: 'web', controller: true }]);
    await world.onPod('stray', (pod) => ({
      type: 'ChangePod',
      desired: {
        labels: { app: 'debug' },
        annotations: {},
        ownerReferences: pod?.meta.ownerReferences ?? [],
        finalizers: [],
        spec: pod?.spec ?? {},
      },
      preconditions: {},
      fieldManager: 'kubectl',
      operation: 'Update',
      managedFields: [],
    }));
    expect(owner()).toEqual([]);
    expect(living()).toHaveLength(3);
    expect(world.findReplicaSet('web')?.status.replicas).toBe(2);
  });

  it('makes no pod too many when the answer of the log was lost', async () => {
    let lost = 0;
    await world.scheduler('scheduler', async (label, work) => {
      const result = work();
      if (label.startsWith('log.append') && lost < 20) {
        lost += 1;
        throw new LogUnavailable('the answer was lost');
      }
      return result;
    });
    await world.replicaSet('web', 120);
    await world.pass(30);
    expect(lost).toBe(20);
    expect(world.events('PodRequested')).toHaveLength(120);
    expect(world.findReplicaSet('web')?.status.replicas).toBe(120);
    expect(world.problems).toEqual([]);
  });

  it('goes on until a large set is complete', async () => {
    await world.scheduler();
    await world.replicaSet('web', 1_200);
    await world.pass(1);
    expect(names()).toHaveLength(1_200);
    await world.scale('web', 0);
    await world.pass(1);
    expect(living()).toEqual([]);
  });

  it('is settled once it is done: a quiet cluster records nothing', async () => {
    await world.scheduler();
    await world.replicaSet('web', 3);
    await world.pass(30);
    const head = world.logState.head();
    await world.pass(600);
    expect(world.logState.head()).toBe(head);
  });

  it('counts a pod as available only after it was ready long enough', async () => {
    await world.scheduler();
    await world.pass(5);
    await world.replicaSet('web', 1);
    const set = world.findReplicaSet('web');
    await world.onReplicaSet('web', {
      type: 'ChangeWorkload',
      desired: {
        labels: {},
        annotations: {},
        ownerReferences: [],
        finalizers: [],
        spec: { ...set?.spec, replicas: 1, minReadySeconds: 10 },
      },
      preconditions: {},
      fieldManager: 'kubectl',
      operation: 'Update',
      managedFields: [],
    });
    const [name = ''] = names();
    await world.runs(name);
    expect(world.findReplicaSet('web')?.status).toMatchObject({ readyReplicas: 1, availableReplicas: 0 });
    await world.pass(9);
    expect(world.findReplicaSet('web')?.status.availableReplicas).toBe(0);
    await world.pass(1);
    expect(world.findReplicaSet('web')?.status.availableReplicas).toBe(1);
  });

  it('tells what keeps it from making pods, tries again, and no longer says so once it can', async () => {
    const failure = () =>
      world.findReplicaSet('web')?.status.conditions?.find(({ type }) => type === 'ReplicaFailure')?.message;
    await world.scheduler();
    await world.replicaSet('web', 2, { priorityClassName: 'high' });
    expect(failure()).toBe('pods "web-" is forbidden: no PriorityClass with name high was found');
    await world.pass(50);
    expect(world.events('CreationRefused')).toHaveLength(1);
    expect(world.state.list('Event')).toContainEqual(
      expect.objectContaining({
        told: expect.objectContaining({ text: expect.objectContaining({ reason: 'FailedCreate', type: 'Warning' }) }),
      }),
    );
    await world.pass(70);
    expect(world.events('CreationRefused')).toHaveLength(2);
    await world.onPlain('high', {
      type: 'RequestPlainObject',
      kind: 'PriorityClass',
      name: 'high',
      meta: aMeta({ uid: 'uid-high' }),
      body: { value: 1_000 },
    });
    await world.pass(31);
    expect(living()).toHaveLength(2);
    expect(failure()).toBeUndefined();
  });
});
