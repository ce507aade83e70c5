import { ageColumn, column, integerColumn, nameColumn, templateColumns } from './columns.js';
import { numberAt } from './wire-values.js';
import { selectorText, workloadResource } from './workloads.js';

/** apps/v1 Deployment. */
export const deployments = workloadResource({
  group: 'apps',
  version: 'v1',
  singular: 'deployment',
  kind: 'Deployment',
  shortNames: ['deploy'],
  categories: ['all'],
  columns: [
    nameColumn,
    column(
      'Ready',
      'Number of ready pods of those that are wanted.',
      (deployment) => `${numberAt(deployment, 'status', 'readyReplicas')}/${numberAt(deployment, 'spec', 'replicas')}`,
    ),
    integerColumn('Up-to-date', 'Number of pods of the newest template.', (deployment) =>
      numberAt(deployment, 'status', 'updatedReplicas'),
    ),
    integerColumn('Available', 'Number of pods that were ready for minReadySeconds.', (deployment) =>
      numberAt(deployment, 'status', 'availableReplicas'),
    ),
    ageColumn,
    ...templateColumns(selectorText),
  ],
  fields: {},
});
