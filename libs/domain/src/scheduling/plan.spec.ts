import { describe, expect, it } from '@jest/globals';
import { aNode, aPod, aRunningPod } from '../../../../test/support/scheduling-builders.js';
import type { NodeState } from '../node/node.js';
import type { PodState } from '../pod/pod.js';
import { plan } from './plan.js';
import { DEFAULT_POLICY, policyHash } from './policy.js';
import { SchedulingSnapshot } from './snapshot.js';

const input = { now: 1_000, batch: 1 };
const cluster = (nodes: NodeState[], pods: PodState[]) =>
  SchedulingSnapshot.of({ nodes: () => nodes, pods: () => pods, revision: 7 });
const planned = (nodes: NodeState[], pods: PodState[], more = {}) => {
  const snapshot = cluster(nodes, pods);
  return plan(snapshot, snapshot.pending(), { ...input, ...more });
};
const where = (result: ReturnType<typeof plan>) =>
  Object.fromEntries(result.placements.map(({ pod, node }) => [pod.meta.name, node]));

describe('plan', () => {
  it('places a pod where the most is free', () => {
    const result = planned([aNode('n1'), aNode('n2')], [aRunningPod('old', 'n1', { cpu: '1' }), aPod('web')]);
    expect(where(result)).toEqual({ web: 'n2' });
  });

  it('prefers the node on which cpu and memory are used alike, when as much is free', () => {
    const nodes = [aNode('n1', { cpuMillis: 4000 }), aNode('n2', { cpuMillis: 4000 })];
    const pods = [
      aRunningPod('cpu', 'n1', { cpu: '2', memory: '1Mi' }),
      aRunningPod('mixed', 'n2', { cpu: '1', memory: '2Gi' }),
      aPod('web', { cpu: '100m', memory: '1Mi' }),
    ];
    expect(where(planned(nodes, pods))).toEqual({ web: 'n2' });
  });

  it('spreads pods that ask for nothing evenly', () => {
    const nodes = Array.from({ length: 5 }, (_, index) => aNode(`n${index}`));
    const pods = Array.from({ length: 20 }, (_, index) => aPod(`web-${index}`));
    const counts = new Map<string, number>();
    for (const { node } of planned(nodes, pods).placements) counts.set(node, (counts.get(node) ?? 0) + 1);
    expect([...counts.values()]).toEqual([4, 4, 4, 4, 4]);
  });

  it('lets each pod see what those before it in the batch took', () => {
    const pods = ['a', 'b', 'c'].map((name, at) => aPod(name, { cpu: '3', meta: { createdAt: at } }));
    const result = planned([aNode('n1'), aNode('n2')], pods);
    expect(Object.values(where(result)).sort()).toEqual(['n1', 'n2']);
    expect(result.refusals.map(({ pod, message }) => [pod.meta.name, message])).toEqual([
      ['c', '0/2 nodes are available: 2 Insufficient cpu.'],
    ]);
  });

  it('serves first who came first', () => {
    const pods = [
      aPod('late', { cpu: '3', meta: { createdAt: 2 } }),
      aPod('early', { cpu: '3', meta: { createdAt: 1 } }),
    ];
    expect(where(planned([aNode('n1')], pods))).toEqual({ early: 'n1' });
  });

  it('lets a small pod pass a big one that fits nowhere', () => {
    const pods = [
      aPod('big', { cpu: '9', meta: { createdAt: 1 } }),
      aPod('small', { cpu: '1', meta: { createdAt: 2 } }),
    ];
    expect(where(planned([aNode('n1')], pods))).toEqual({ small: 'n1' });
  });

  it('counts a pod that is being deleted, and not one that has ended', () => {
    const deletion = { requestedAt: 1, propagation: 'Background', gracePeriodSeconds: 30 } as const;
    const going = aRunningPod('going', 'n1', { cpu: '3', meta: { deletion } });
    const ended = aRunningPod('ended', 'n2', { cpu: '3', terminated: { phase: 'Succeeded', at: 1 } });
    expect(where(planned([aNode('n1'), aNode('n2')], [going, ended, aPod('web', { cpu: '2' })]))).toEqual({
      web: 'n2',
    });
  });

  it.each<[string, PodState]>([
    ['held back by a gate', aPod('web', { spec: { schedulingGates: [{ name: 'wait' }] } })],
    ['of another scheduler', aPod('web', { spec: { schedulerName: 'mine' } })],
    ['already bound', aRunningPod('web', 'n1')],
    ['ended', aPod('web', { terminated: { phase: 'Failed', at: 1 } })],
    [
      'going',
      aPod('web', { meta: { deletion: { requestedAt: 1, propagation: 'Background', gracePeriodSeconds: 0 } } }),
    ],
  ])('ignores a pod that is %s', (_, pod) => {
    expect(planned([aNode('n1')], [pod])).toEqual({ placements: [], refusals: [], more: false });
  });

  it('places pods that ask for our name', () => {
    const pods = [aPod('web', { spec: { schedulerName: 'podledger' } })];
    expect(where(planned([aNode('n1')], pods))).toEqual({ web: 'n1' });
  });

  it('says that there are no nodes', () => {
    expect(planned([], [aPod('web')]).refusals.map(({ message }) => message)).toEqual([
      'no nodes available to schedule pods',
    ]);
  });

  it('keeps with a placement what it was decided on', () => {
    const nodes = [aNode('n1'), aNode('n2', { unschedulable: true })];
    const [placement] = planned(nodes, [aPod('web', { cpu: '1', memory: '2Gi' })]).placements;
    // A quarter of cpu and memory in use, and both alike: 7,500 of 10,000 and all of 10,000.
    expect(placement?.record).toEqual({
      asOf: 7,
      policy: 'spread/1',
      policyHash: policyHash(DEFAULT_POLICY),
      queuePosition: 1,
      batch: 1,
      now: 1_000,
      nodesConsidered: 2,
      node: 'n1',
      score: 17_500,
      refused: { NodeUnschedulable: { 'node(s) were unschedulable': 1 } },
      named: [{ node: 'n2', filter: 'NodeUnschedulable', reason: 'node(s) were unschedulable' }],
    });
  });

  it('counts every reason of a refusal and names at most 20 nodes', () => {
    const nodes = [
      ...Array.from({ length: 30 }, (_, index) => aNode(`cordoned-${index + 10}`, { unschedulable: true })),
      aNode('a-full', { cpuMillis: 100, pods: 0 }),
    ];
    const [refusal] = planned(nodes, [aPod('web', { cpu: '1' })]).refusals;
    expect(refusal?.message).toBe(
      '0/31 nodes are available: 1 Insufficient cpu, 1 Too many pods, 30 node(s) were unschedulable.',
    );
    expect(refusal?.record.named).toHaveLength(20);
    expect(refusal?.record.named[0]).toEqual({
      node: 'a-full',
      filter: 'NodeResourcesFit',
      reason: 'Too many pods',
    });
  });

  it('stops at the bound and says that there is more', () => {
    const pods = ['a', 'b', 'c'].map((name, at) => aPod(name, { meta: { createdAt: at } }));
    const result = planned([aNode('n1')], pods, { maxPlacements: 2 });
    expect(Object.keys(where(result))).toEqual(['a', 'b']);
    expect(result.more).toBe(true);
  });

  it('tells policies apart by their hash', () => {
    expect(policyHash({ ...DEFAULT_POLICY, balancedWeight: 2 })).not.toBe(policyHash(DEFAULT_POLICY));
  });
});
