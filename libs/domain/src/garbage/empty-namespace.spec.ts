import { describe, expect, it } from '@jest/globals';
import { aPod, metaOf } from '../../../../test/support/scheduling-builders.js';
import { emptyNamespace } from './empty-namespace.js';

const deletion = { requestedAt: 1, propagation: 'Background', gracePeriodSeconds: 0 } as const;
const namespace = (going: boolean) => ({
  kind: 'Namespace' as const,
  meta: metaOf('shop', { namespace: '', ...(going && { deletion }) }),
  specFinalizers: ['kubernetes'],
});
const pod = aPod('web');
const goingPod = aPod('old', { meta: { deletion } });

describe('emptyNamespace', () => {
  it('leaves a namespace that stays alone', () => {
    expect(emptyNamespace(namespace(false), [pod])).toEqual({ remove: [], finalize: false });
  });
  it('tells everything in it to go that has not been told', () => {
    expect(emptyNamespace(namespace(true), [pod, goingPod])).toEqual({ remove: [pod], finalize: false });
  });
  it('waits for what is going', () => {
    expect(emptyNamespace(namespace(true), [goingPod])).toEqual({ remove: [], finalize: false });
  });
  it('finalizes an empty one', () => {
    expect(emptyNamespace(namespace(true), [])).toEqual({ remove: [], finalize: true });
  });
});
