import { describe, expect, it } from '@jest/globals';
import { aReplicaSet, metaOf } from '../../../../test/support/scheduling-builders.js';
import type { WorkloadState } from '../workload/workload.js';
import { type IntOrPercent, scaledValue } from '../workload/int-or-percent.js';
import { DESIRED_REPLICAS, fencepostsOf, MAX_REPLICAS, proportionalSizes, rollingStep } from './rolling.js';

function aDeployment(
  replicas: number,
  maxSurge: IntOrPercent = '25%',
  maxUnavailable: IntOrPercent = '25%',
): WorkloadState<'Deployment'> {
  const { spec } = aReplicaSet('web');
  return {
    kind: 'Deployment',
    meta: metaOf('web'),
    spec: { ...spec, strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } } },
    replicas,
    status: {
      observedGeneration: 1,
      replicas: 0,
      updatedReplicas: 0,
      readyReplicas: 0,
      availableReplicas: 0,
      unavailableReplicas: 0,
    },
  };
}

/** A set of this size; its age follows from its name. */
const sized = (name: string, replicas: number, available = replicas, max = 0) => ({
  set: aReplicaSet(name, {
    replicas,
    meta: {
      createdAt: name.charCodeAt(0),
      annotations: max > 0 ? { [MAX_REPLICAS]: String(max), [DESIRED_REPLICAS]: String(max) } : {},
    },
  }),
  replicas,
  available,
});
const named = (sizes: ReadonlyMap<string, number>) =>
  Object.fromEntries([...sizes].map(([uid, size]) => [uid.replace('uid-', ''), size]));

describe('scaledValue', () => {
  it.each<[IntOrPercent, number, number, number]>([
    [3, 10, 3, 3],
    ['25%', 10, 3, 2],
    ['25%', 4, 1, 1],
    ['10%', 3, 1, 0],
    ['0%', 9, 0, 0],
    ['100%', 7, 7, 7],
  ])('%s of %i is %i rounded up and %i rounded down', (value, total, up, down) => {
    expect([scaledValue(value, total, 'up'), scaledValue(value, total, 'down')]).toEqual([up, down]);
  });
});

describe('fencepostsOf', () => {
  it('lets one pod be unavailable where nothing else may move', () => {
    expect(fencepostsOf(aDeployment(3, 0, '10%'))).toEqual({ maxSurge: 0, maxUnavailable: 1 });
  });

  it('lets no more be unavailable than there are', () => {
    expect(fencepostsOf(aDeployment(2, 0, 5))).toEqual({ maxSurge: 0, maxUnavailable: 2 });
    expect(fencepostsOf(aDeployment(0, 1, 5))).toEqual({ maxSurge: 1, maxUnavailable: 0 });
  });

  it('gives no room to one that is recreated', () => {
    const recreated = aDeployment(4);
    expect(fencepostsOf({ ...recreated, spec: { ...recreated.spec, strategy: { type: 'Recreate' } } })).toEqual({
      maxSurge: 0,
      maxUnavailable: 0,
    });
  });
});

describe('rollingStep', () => {
  const step = (
    deployment: WorkloadState<'Deployment'>,
    newest: ReturnType<typeof sized>,
    ...old: ReturnType<typeof sized>[]
  ) => named(rollingStep(deployment, newest, old));

  it('grows the newest set as far as the surge allows', () => {
    expect(step(aDeployment(10, 3, 2), sized('new', 0), sized('a', 10))).toEqual({ new: 3 });
    expect(step(aDeployment(10, 3, 2), sized('new', 9, 0), sized('a', 0))).toEqual({ new: 10 });
  });

  it('shrinks a newest set that is too large', () => {
    expect(step(aDeployment(2), sized('new', 5))).toEqual({ new: 2 });
  });

  it('shrinks old sets by what may be unavailable, the oldest first', () => {
    expect(step(aDeployment(10, 3, 2), sized('new', 3, 0), sized('b', 4), sized('a', 6))).toEqual({ a: 4 });
    expect(step(aDeployment(4, 2, 2), sized('new', 2, 2), sized('b', 2), sized('a', 2))).toEqual({ a: 0, b: 0 });
  });

  it('takes away first what is not available anyway', () => {
    expect(step(aDeployment(4, 1, 0), sized('new', 1, 0), sized('a', 2), sized('b', 2, 1))).toEqual({});
    expect(step(aDeployment(4, 0, 1), sized('new', 0, 0), sized('a', 2), sized('b', 2, 1))).toEqual({ b: 1 });
  });

  it('waits while new pods are not available', () => {
    expect(step(aDeployment(3, 1, 0), sized('new', 1, 0), sized('a', 3))).toEqual({});
  });
});

describe('proportionalSizes', () => {
  const sizes = (deployment: WorkloadState<'Deployment'>, ...sets: ReturnType<typeof sized>[]) =>
    named(proportionalSizes(deployment, sets));

  it('gives each set its share of what is added, and the largest what is left over', () => {
    // Source: Kubernetes, "Deployments", proportional scaling: 10 -> 15 with surge 3 adds 3 and 2.
    expect(sizes(aDeployment(15, 3, 2), sized('a', 8, 8, 13), sized('b', 5, 0, 13))).toEqual({ a: 11, b: 7 });
  });

  it('takes its share from each, and never more than there is', () => {
    expect(sizes(aDeployment(5, 0, 1), sized('a', 8, 8, 10), sized('b', 2, 0, 10))).toEqual({ a: 4, b: 1 });
    expect(sizes(aDeployment(0, 3, 1), sized('a', 8, 8, 10), sized('b', 2, 0, 10))).toEqual({ a: 0, b: 0 });
  });
});
