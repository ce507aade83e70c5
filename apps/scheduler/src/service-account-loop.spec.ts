import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { aMeta } from '../../../test/support/builders.js';
import { SchedulerWorld } from '../../../test/support/scheduler-world.js';

describe('a namespace', () => {
  let world: SchedulerWorld;
  beforeEach(async () => {
    world = await SchedulerWorld.create();
  });
  afterEach(() => world.stop());

  const accounts = () => world.state.list('ServiceAccount').map(({ meta }) => `${meta.namespace}/${meta.name}`);

  it('that was there before the scheduler, and one that comes later, has a default service account', async () => {
    expect(accounts()).toEqual([]);
    await world.scheduler();
    expect(accounts()).toEqual(['shop/default']);
    await world.namespace('later');
    expect(accounts()).toEqual(['later/default', 'shop/default']);
  });

  it('gets it again when somebody deletes it', async () => {
    await world.scheduler();
    const [before] = world.state.list('ServiceAccount', 'shop');
    await world.onPlain('default', {
      type: 'DeletePlainObject',
      kind: 'ServiceAccount',
      preconditions: {},
      propagation: 'Background',
    });
    const [after] = world.state.list('ServiceAccount', 'shop');
    expect(after?.meta.uid).not.toBe(before?.meta.uid);
    expect(after?.meta.name).toBe('default');
  });

  it('that goes takes it along, and whatever else is written in it', async () => {
    await world.scheduler();
    const request = { type: 'RequestPlainObject', meta: aMeta(), body: {} } as const;
    await world.onPlain('settings', { ...request, kind: 'ConfigMap', name: 'settings' });
    await world.deleteNamespace();
    await world.pass(1);
    expect(world.state.namespace('shop')).toBeUndefined();
    expect([...world.state.list('ConfigMap'), ...world.state.list('ServiceAccount')]).toEqual([]);
    expect(world.problems).toEqual([]);
  });
});

describe('what is written and owned', () => {
  it('goes with its owner, in the foreground before it', async () => {
    const world = await SchedulerWorld.create();
    await world.scheduler();
    const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: 'owner-uid', blockOwnerDeletion: true };
    const request = { type: 'RequestPlainObject', body: {} } as const;
    await world.onPlain('owner', { ...request, kind: 'ConfigMap', name: 'owner', meta: aMeta({ uid: 'owner-uid' }) });
    await world.onPlain('owned', {
      ...request,
      kind: 'Secret',
      name: 'owned',
      meta: aMeta({ uid: 'owned-uid', ownerReferences: [owner] }),
    });
    await world.onPlain('owner', {
      type: 'DeletePlainObject',
      kind: 'ConfigMap',
      preconditions: {},
      propagation: 'Foreground',
    });
    await world.pass(1);
    expect([...world.state.list('ConfigMap'), ...world.state.list('Secret')]).toEqual([]);
    const gone = world.events('SecretChanged', 'ConfigMapChanged').filter(({ data }) => data['change'] === 'Deleted');
    expect(gone.map(({ type }) => type)).toEqual(['SecretChanged', 'ConfigMapChanged']);
    expect(world.problems).toEqual([]);
    await world.stop();
  });
});
