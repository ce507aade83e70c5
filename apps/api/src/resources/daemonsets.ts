import { ageColumn, column, integerColumn, nameColumn, templateColumns } from './columns.js';
import { numberAt, textsAt } from './wire-values.js';
import { selectorText, workloadResource } from './workloads.js';

const count = (name: string, description: string, field: string) =>
  integerColumn(name, description, (set) => numberAt(set, 'status', field));

/** apps/v1 DaemonSet. */
export const daemonsets = workloadResource({
  group: 'apps',
  version: 'v1',
  singular: 'daemonset',
  kind: 'DaemonSet',
  shortNames: ['ds'],
  categories: ['all'],
  columns: [
    nameColumn,
    count('Desired', 'Number of nodes that should have a pod.', 'desiredNumberScheduled'),
    count('Current', 'Number of nodes that should have a pod and have one.', 'currentNumberScheduled'),
    count('Ready', 'Number of nodes whose pod is ready.', 'numberReady'),
    count('Up-to-date', 'Number of nodes whose pod is of the newest template.', 'updatedNumberScheduled'),
    count('Available', 'Number of nodes whose pod was ready for minReadySeconds.', 'numberAvailable'),
    column('Node Selector', 'Labels that a node must have.', (set) => {
      const selector = Object.entries(textsAt(set, 'spec', 'template', 'spec', 'nodeSelector'));
      return selector.map(([key, value]) => `${key}=${value}`).join(',') || '<none>';
    }),
    ageColumn,
    ...templateColumns(selectorText),
  ],
  fields: {},
});
