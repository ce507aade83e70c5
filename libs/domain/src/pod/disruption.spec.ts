import { describe, expect, it } from '@jest/globals';
import {
  decidePod,
  evolvePod,
  type JsonObject,
  type PodCommand,
  type PodEvent,
  type PodState,
  podStream,
  summarizeStatus,
  type TerminationReason,
} from '#domain';
import { aMeta, aPodSpec } from '../../../../test/support/builders.js';
import { given } from '../../../../test/support/given.js';

const pod = given<PodCommand, PodEvent, PodState>({
  stream: podStream('shop', 'web'),
  decide: decidePod,
  evolve: evolvePod,
});
const placed: PodEvent[] = [
  { type: 'PodRequested', data: { ...aMeta(), spec: aPodSpec(), mainContainer: 'app', sharedFate: true } },
  { type: 'PodScheduled', data: { uid: 'uid-1', node: 'n1', by: 'scheduler' } },
];
const told = (reason: TerminationReason): PodEvent => ({
  type: 'PodTerminationRequested',
  data: { gracePeriodSeconds: 30, propagation: 'Background', reason },
});
const lost: PodEvent = { type: 'PodTerminated', data: { phase: 'Failed', reason: 'NodeLost', message: '' } };
const disruptionOf = (...events: PodEvent[]): unknown => {
  const { conditions } = summarizeStatus(pod(...placed, ...events).state());
  return (conditions as readonly JsonObject[]).find(({ type }) => type === 'DisruptionTarget')?.['reason'];
};

describe('a pod that ends', () => {
  it.each<[TerminationReason, string | undefined]>([
    ['Evicted', 'EvictionByEvictionAPI'],
    ['TaintNotTolerated', 'DeletionByTaintManager'],
    ['Requested', undefined],
    ['ScaledDown', undefined],
  ])('because it is %s tells of a disruption: %s', (reason, expected) =>
    expect(disruptionOf(told(reason))).toBe(expected),
  );

  it('with its node tells of a disruption, and is not ready', () => {
    expect(disruptionOf(lost)).toBe('DeletionByPodGC');
    expect(pod(...placed, lost).state().conditions['Ready']?.status).toBe('False');
  });

  it('by the first wish tells of that', () => {
    expect(disruptionOf(told('Requested'), told('Evicted'))).toBeUndefined();
    expect(disruptionOf(told('TaintNotTolerated'), lost)).toBe('DeletionByTaintManager');
  });
});
