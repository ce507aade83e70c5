import { describe, expect, it } from '@jest/globals';
import type { PlacementRecord } from './placement-record.js';
import { refusalDueAt, refusalMessage } from './refusal.js';

const record = (refused: PlacementRecord['refused'], now = 100_000): PlacementRecord => ({
  asOf: 1,
  policy: 'spread/1',
  policyHash: '',
  queuePosition: 1,
  batch: 1,
  now,
  nodesConsidered: 3,
  refused,
  named: [],
});
const cpu = (count: number, now?: number) => record({ NodeResourcesFit: { 'Insufficient cpu': count } }, now);

describe('refusalMessage', () => {
  it('counts per reason, in the order of the alphabet', () => {
    const message = refusalMessage(
      record({
        NodeUnschedulable: { 'node(s) were unschedulable': 2 },
        NodeResourcesFit: { 'Insufficient cpu': 1 },
      }),
    );
    expect(message).toBe('0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable.');
  });
});

describe('refusalDueAt', () => {
  const due = (before: PlacementRecord | undefined, after: PlacementRecord) =>
    refusalDueAt(
      before && { message: refusalMessage(before), at: 90_000, record: before },
      refusalMessage(after),
      after,
    );

  it('is at once when there is none on record', () => expect(due(undefined, cpu(3))).toBe(100_000));
  it('is at once when the reasons differ', () =>
    expect(due(record({ NodeReady: { 'node(s) were not ready': 3 } }), cpu(3))).toBe(100_000));
  it('is a minute after the last when only counts differ', () => expect(due(cpu(2), cpu(3))).toBe(150_000));
  it('is half an hour after the last when nothing differs', () => expect(due(cpu(3), cpu(3))).toBe(1_890_000));
});
