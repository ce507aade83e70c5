import type { Assignment } from '#bus';
import { AssignmentTracker } from './assignment-tracker.js';

const common = { cluster: 'c1', node: 'n1', nodeEpoch: 3 } as const;
const full = (revision: number, over: Partial<typeof common> = {}): Assignment =>
  ({ kind: 'full', ...common, ...over, revision, pods: [] }) as const;
const delta = (prev: number, revision: number, over: object = {}): Assignment =>
  ({ kind: 'delta', ...common, prev, revision, upserts: [], removed: [], ...over }) as const;

/** A node that has seen revision 10 of cluster c1. */
function tracker(): AssignmentTracker {
  const made = new AssignmentTracker('n1', undefined);
  made.take(full(10));
  return made;
}

describe('an assignment', () => {
  it.each([
    ['a delta that follows', delta(10, 12), 'apply'],
    ['the same delta again', delta(8, 10), 'old'],
    ['a delta after a lost one', delta(11, 12), 'gap'],
    ['a delta of another epoch', delta(10, 12, { nodeEpoch: 2 }), 'stale'],
    ['a delta of another cluster', delta(10, 12, { cluster: 'c2' }), 'foreign'],
    ['a delta for another node', delta(10, 12, { node: 'n2' }), 'stale'],
    ['a full one of now', full(10), 'apply'],
    ['a full one of later', full(20), 'apply'],
    ['a full one of before', full(9), 'behind'],
    ['a full one of another cluster', full(20, { cluster: 'c2' as 'c1' }), 'foreign'],
  ])('%s', (_, assignment, verdict) => {
    expect(tracker().judge(assignment, 3, false)).toBe(verdict);
  });

  it('counts from a restarted node only when it is full, and never from before what was seen', () => {
    const restarted = new AssignmentTracker('n1', { cluster: 'c1', revision: 10 });
    expect(restarted.judge(delta(10, 12), 3, false)).toBe('gap');
    expect(restarted.judge(full(9), 3, true)).toBe('behind');
    expect(restarted.judge(full(10), 3, true)).toBe('apply');
  });

  it('is asked for again after a registration, and when the control plane has a newer one', () => {
    const known = tracker();
    expect([known.isBehind(10), known.isBehind(11)]).toEqual([false, true]);
    known.reset();
    expect(known.isBehind(10)).toBe(true);
    expect(known.judge(delta(10, 12), 3, false)).toBe('gap');
  });
});
