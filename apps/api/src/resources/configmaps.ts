import { ageColumn, column, nameColumn } from './columns.js';
import { plainResource } from './plain.js';
import { objectAt } from './wire-values.js';

/** core/v1 ConfigMap. */
export const configmaps = plainResource({
  kind: 'ConfigMap',
  version: 'v1',
  singular: 'configmap',
  shortNames: ['cm'],
  columns: [
    nameColumn,
    column('Data', 'How many keys it has.', (map) =>
      String([...Object.keys(objectAt(map, 'data')), ...Object.keys(objectAt(map, 'binaryData'))].length),
    ),
    ageColumn,
  ],
});
