import { ageColumn, column, nameColumn } from './columns.js';
import { plainResource } from './plain.js';
import { objectsAt } from './wire-values.js';

/** core/v1 ServiceAccount: who a pod's pull secrets come from. There are no tokens. */
export const serviceaccounts = plainResource({
  kind: 'ServiceAccount',
  version: 'v1',
  singular: 'serviceaccount',
  shortNames: ['sa'],
  subresources: [
    {
      name: 'token',
      kind: { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' },
      verbs: [],
      notYet: 'serviceaccounts/token is not supported yet by Podledger',
    },
  ],
  columns: [
    nameColumn,
    column('Secrets', 'How many secrets it names.', (account) => String(objectsAt(account, 'secrets').length)),
    ageColumn,
  ],
});
