import { describe, expect, it } from '@jest/globals';
import { aNode } from '../../../../test/support/scheduling-builders.js';
import type { NodeSelectorTerm } from '../pod/pod-spec.js';
import { matchesNode, nodeDemandOf } from './node-affinity.js';

const node = aNode('n1', { meta: { labels: { zone: 'a', cores: '8' } } });
const matches = (...nodeSelectorTerms: NodeSelectorTerm[]): boolean =>
  matchesNode({ nodeSelector: {}, nodeAffinity: { nodeSelectorTerms } }, node);
const expression = (
  key: string,
  operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'Gt' | 'Lt',
  ...values: string[]
) => ({
  matchExpressions: [{ key, operator, ...(values.length > 0 && { values }) }],
});

describe('a node matches', () => {
  it.each<[string, NodeSelectorTerm, boolean]>([
    ['a listed value', expression('zone', 'In', 'b', 'a'), true],
    ['a value that is not listed', expression('zone', 'In', 'b'), false],
    ['none of the values that are ruled out', expression('zone', 'NotIn', 'b'), true],
    ['a label that may be absent', expression('disk', 'NotIn', 'ssd'), true],
    ['a label that is there', expression('zone', 'Exists'), true],
    ['a label that must be absent', expression('zone', 'DoesNotExist'), false],
    ['a greater number', expression('cores', 'Gt', '4'), true],
    ['a smaller number', expression('cores', 'Lt', '8'), false],
    ['no number', expression('zone', 'Gt', '4'), false],
    ['its own name', { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n1'] }] }, true],
    ['the name of another', { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n2'] }] }, false],
    ['a term that asks for nothing', {}, false],
  ])('%s', (_, term, expected) => {
    expect(matches(term)).toBe(expected);
  });

  it('one of several terms, and within a term everything', () => {
    expect(matches(expression('zone', 'In', 'b'), expression('cores', 'Exists'))).toBe(true);
    const both = [...expression('zone', 'In', 'a').matchExpressions, ...expression('disk', 'Exists').matchExpressions];
    expect(matches({ matchExpressions: both })).toBe(false);
  });

  it('the selector of a spec beside its affinity', () => {
    expect(matchesNode(nodeDemandOf({ nodeSelector: { zone: 'b' } }), node)).toBe(false);
    expect(matchesNode(nodeDemandOf({}), node)).toBe(true);
  });
});
