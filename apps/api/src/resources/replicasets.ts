import { ageColumn, integerColumn, nameColumn, templateColumns } from './columns.js';
import { numberAt, selectableField } from './wire-values.js';
import { selectorText, workloadResource } from './workloads.js';

/** apps/v1 ReplicaSet. */
export const replicasets = workloadResource({
  group: 'apps',
  version: 'v1',
  singular: 'replicaset',
  kind: 'ReplicaSet',
  shortNames: ['rs'],
  categories: ['all'],
  columns: [
    nameColumn,
    integerColumn('Desired', 'Number of desired pods.', (set) => numberAt(set, 'spec', 'replicas')),
    integerColumn('Current', 'The most recently observed number of pods.', (set) =>
      numberAt(set, 'status', 'replicas'),
    ),
    integerColumn('Ready', 'The number of pods with a Ready condition.', (set) =>
      numberAt(set, 'status', 'readyReplicas'),
    ),
    ageColumn,
    ...templateColumns(selectorText),
  ],
  fields: { 'status.replicas': selectableField('status.replicas') },
});
