import { anAssignedPod, T0 } from '../../../test/support/model-engine.js';
import { deadlineOf, newestWish, type PodWish } from './pod-wish.js';

const pod = anAssignedPod();
const assigned = (over: Partial<typeof pod> = {}): PodWish => ({ kind: 'assigned', pod: { ...pod, ...over } });
const deleted = (afterSeconds: number, gracePeriodSeconds: number): PodWish =>
  assigned({ deletion: { requestedAt: T0 + afterSeconds * 1_000, gracePeriodSeconds } });
const unassigned = (afterSeconds: number): PodWish => ({
  kind: 'unassigned',
  key: pod.key,
  deadline: T0 + afterSeconds * 1_000,
});

describe('the newest wish for a pod', () => {
  it('is what came last', () => {
    const edited = assigned({ labels: { a: 'b' } });
    expect(newestWish(assigned(), edited)).toEqual(edited);
  });

  it.each([
    ['a deletion is not taken back', deleted(0, 30), assigned(), 30],
    ['a shorter grace period counts', deleted(0, 30), deleted(0, 5), 5],
    ['a longer one does not', deleted(0, 5), deleted(0, 30), 5],
    ['what is assigned no more ends as soon as that', deleted(0, 30), unassigned(10), 10],
    ['what is assigned no more ends no later than it would have', deleted(0, 5), unassigned(10), 5],
    ['what was assigned no more is not assigned again', unassigned(10), assigned(), 10],
  ] as const)('%s', (_, before, next, seconds) => {
    const wish = newestWish(before, next);
    expect(deadlineOf(wish)).toBe(T0 + seconds * 1_000);
    if (before.kind === 'unassigned' || next.kind === 'unassigned') expect(wish.kind).toBe('unassigned');
  });

  it('does not bring back a pod that has ended', () => {
    expect(newestWish(assigned({ terminated: true }), assigned())).toEqual(assigned({ terminated: true }));
  });
});
