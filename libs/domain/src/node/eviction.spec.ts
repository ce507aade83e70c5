import { describe, expect, it } from '@jest/globals';
import { aNode, aRunningPod, type PodOptions } from '../../../../test/support/scheduling-builders.js';
import type { Taint, Toleration } from '../pod/pod-spec.js';
import { rfc3339 } from '../time.js';
import { type Evictions, evictByTaints, isInMassOutage, strandedPods } from './eviction.js';
import type { NodeState } from './node.js';

const ADDED = 1_000_000;
const out: Taint = { key: 'maintenance', value: 'disk', effect: 'NoExecute', timeAdded: rfc3339(ADDED) };
const tolerating = (...tolerations: Toleration[]): PodOptions => ({ spec: { tolerations } });
const named = ({ now, nextAt }: Evictions) => ({ now: now.map(({ pod }) => pod.meta.name), nextAt });
const evicted = (options: PodOptions, at: number, taints: Taint[] = [out]) =>
  named(evictByTaints(aNode('n1', { taints }), [aRunningPod('a', 'n1', options)], at));

describe('evictByTaints', () => {
  it('drives out at once what does not tolerate the taint, and says which taint it was', () => {
    expect(evicted({}, ADDED)).toEqual({ now: ['a'], nextAt: undefined });
    const [eviction] = evictByTaints(aNode('n1', { taints: [out] }), [aRunningPod('a', 'n1')], ADDED).now;
    expect(eviction?.message).toBe('taint maintenance=disk:NoExecute of node n1 is not tolerated');
  });

  it('lets stay what tolerates it without limit', () => {
    expect(evicted(tolerating({ operator: 'Exists' }), ADDED + 1e9)).toEqual({ now: [], nextAt: undefined });
  });

  it('waits for the least of the tolerations that match', () => {
    const patient = tolerating(
      { key: 'maintenance', operator: 'Exists', tolerationSeconds: 60 },
      { key: 'maintenance', operator: 'Equal', value: 'disk', tolerationSeconds: 10 },
      { key: 'other', operator: 'Exists', tolerationSeconds: 1 },
    );
    expect(evicted(patient, ADDED + 9_999)).toEqual({ now: [], nextAt: ADDED + 10_000 });
    expect(evicted(patient, ADDED + 10_000)).toEqual({ now: ['a'], nextAt: undefined });
  });

  it('counts from the coming of a pod that came after the taint', () => {
    const late = { scheduledAt: ADDED + 5_000, ...tolerating({ operator: 'Exists', tolerationSeconds: 10 }) };
    expect(evicted(late, ADDED + 14_999).nextAt).toBe(ADDED + 15_000);
  });

  it('heeds the first of several taints to drive a pod out', () => {
    const second = { ...out, key: 'power' };
    const options = tolerating(
      { key: 'maintenance', operator: 'Exists', tolerationSeconds: 60 },
      { key: 'power', operator: 'Exists', tolerationSeconds: 20 },
    );
    expect(evicted(options, ADDED, [out, second])).toEqual({ now: [], nextAt: ADDED + 20_000 });
  });

  it.each<[string, PodOptions, Taint[]]>([
    ['no taint is left', {}, []],
    ['the taint only keeps others away', {}, [{ ...out, effect: 'NoSchedule' }]],
    [
      'the taint is of silence, which is judged elsewhere',
      {},
      [{ key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' }],
    ],
    ['the pod has ended', { terminated: { phase: 'Succeeded', at: 1 } }, [out]],
    [
      'the pod is going',
      { meta: { deletion: { requestedAt: 1, propagation: 'Background', gracePeriodSeconds: 1 } } },
      [out],
    ],
  ])('does nothing when %s', (_, options, taints) => {
    expect(evicted(options, ADDED + 1e9, taints)).toEqual({ now: [], nextAt: undefined });
  });

  it('does nothing on a node that is not ready', () => {
    const ready = { status: 'Unknown', reason: '', message: '', since: 0 } as const;
    expect(evictByTaints(aNode('n1', { taints: [out], ready }), [aRunningPod('a', 'n1')], ADDED).now).toEqual([]);
  });
});

/** A node that has said since then that it cannot run pods. */
const outNode = (name: string, since = ADDED): NodeState =>
  aNode(name, {
    ready: { status: 'False', reason: 'KubeletNotReady', message: 'container runtime is down', since },
    taints: [
      { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' },
      { key: 'node.kubernetes.io/not-ready', effect: 'NoExecute', timeAdded: rfc3339(since) },
    ],
  });

describe('a node that says that it cannot run pods', () => {
  const evictedFrom = (options: PodOptions, at: number, patienceFrom?: number) =>
    named(evictByTaints(outNode('n1'), [aRunningPod('a', 'n1', options)], at, patienceFrom));
  const notReady = 'node.kubernetes.io/not-ready';

  it('loses its pods at the end of their toleration, 30 seconds for those that say nothing', () => {
    expect(evictedFrom({}, ADDED + 29_999)).toEqual({ now: [], nextAt: ADDED + 30_000 });
    expect(evictedFrom({}, ADDED + 30_000).now).toEqual(['a']);
    const patient = tolerating({ key: notReady, operator: 'Exists', tolerationSeconds: 60 });
    expect(evictedFrom(patient, ADDED + 30_000)).toEqual({ now: [], nextAt: ADDED + 60_000 });
    expect(evictedFrom(tolerating({ key: notReady, operator: 'Exists' }), ADDED + 1e9).now).toEqual([]);
  });

  it('keeps them while patience has not begun', () => {
    expect(evictedFrom({}, ADDED + 1e9, Infinity)).toEqual({ now: [], nextAt: undefined });
    expect(evictedFrom({}, ADDED + 99_999, ADDED + 70_000)).toEqual({ now: [], nextAt: ADDED + 100_000 });
  });

  it('still loses at once what does not tolerate a taint that somebody set', () => {
    const node = outNode('n1');
    const tainted = { ...node, taints: [...node.taints, out] };
    expect(named(evictByTaints(tainted, [aRunningPod('a', 'n1')], ADDED, Infinity)).now).toEqual(['a']);
  });

  it.each<[string, boolean, NodeState[]]>([
    ['it is the only one', true, []],
    ['no other is ready either', true, [aNode('n2', { ready: { ...outNode('').ready, status: 'Unknown' } })]],
    ['another is ready', false, [aNode('n2')]],
    ['half of the nodes say so', false, [outNode('n2'), aNode('n3'), aNode('n4')]],
    ['more than half of the nodes say so', true, [outNode('n2'), aNode('n3')]],
    ['others have said so for long', false, [outNode('n2', ADDED - 15_000), outNode('n3', 0), aNode('n4')]],
  ])('when %s: one of many is %s', (_, expected, others) => {
    expect(isInMassOutage(outNode('n1'), [outNode('n1'), ...others])).toBe(expected);
  });

  it('is something else than a node that is not heard', () => {
    const silent = aNode('n1', { ready: { ...outNode('').ready, status: 'Unknown' } });
    expect(isInMassOutage(silent, [silent])).toBe(false);
  });
});

describe('strandedPods', () => {
  const pods = [aRunningPod('a', 'n1', { scheduledAt: 5_000 })];

  it('are given up at once when their node was deleted', () => {
    expect(named(strandedPods('n1', pods, 5_000, { existed: true }))).toEqual({ now: ['a'], nextAt: undefined });
  });

  it('wait a while for a node that may still join', () => {
    expect(named(strandedPods('n1', pods, 49_999, { existed: false }))).toEqual({ now: [], nextAt: 50_000 });
    expect(named(strandedPods('n1', pods, 50_000, { existed: false }))).toEqual({ now: ['a'], nextAt: undefined });
  });

  it('are left alone once they have ended', () => {
    const ended = [aRunningPod('a', 'n1', { terminated: { phase: 'Failed', at: 1 } })];
    expect(strandedPods('n1', ended, 1e9, { existed: true }).now).toEqual([]);
  });
});
