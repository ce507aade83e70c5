import { describe, expect, it } from '@jest/globals';
import type { Wire } from '../schema/wire-type.js';
import { nodeAffinityFaults } from './node-affinity.js';

const terms = 'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms';

describe('nodeAffinityFaults', () => {
  const faults = (...nodeSelectorTerms: Wire<'core.v1.NodeSelectorTerm'>[]) =>
    nodeAffinityFaults(
      { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } } },
      'spec.affinity',
    ).map(({ field }) => field.replace(terms, ''));
  const expression = (key: string, operator: string, ...values: string[]) => ({
    matchExpressions: [{ key, operator, values }],
  });
  const field = (key: string, operator: string, ...values: string[]) => ({ matchFields: [{ key, operator, values }] });

  it('finds nothing wrong with demands that can be met', () => {
    expect(
      faults(
        expression('zone', 'In', 'a', 'b'),
        expression('zone', 'Exists'),
        expression('cores', 'Gt', '4'),
        field('metadata.name', 'In', 'n1'),
      ),
    ).toEqual([]);
    expect(nodeAffinityFaults({}, 'spec.affinity')).toEqual([]);
  });

  it.each<[string, Wire<'core.v1.NodeSelectorTerm'>[], string[]]>([
    ['no terms', [], ['']],
    ['a list without values', [expression('zone', 'In')], ['[0].matchExpressions[0].values']],
    ['values that nothing is done with', [expression('zone', 'Exists', 'a')], ['[0].matchExpressions[0].values']],
    ['two limits', [expression('cores', 'Gt', '1', '2')], ['[0].matchExpressions[0].values']],
    ['a limit that is no number', [expression('cores', 'Lt', 'x')], ['[0].matchExpressions[0].values[0]']],
    ['an operator there is not', [expression('zone', 'Near', 'a')], ['[0].matchExpressions[0].operator']],
    ['a bad key', [expression('a b', 'Exists')], ['[0].matchExpressions[0].key']],
    ['a field that is not the name', [field('spec.x', 'In', 'a')], ['[0].matchFields[0].key']],
    ['two names', [field('metadata.name', 'In', 'a', 'b')], ['[0].matchFields[0].values']],
    ['names that exist', [field('metadata.name', 'Exists')], ['[0].matchFields[0].operator']],
  ])('names %s', (_, given, fields) => {
    expect(faults(...given)).toEqual(fields);
  });
});
