import type { JsonObject } from '#domain';
import { ageColumn, column, integerColumn, nameColumn } from './columns.js';
import { plainResource } from './plain.js';
import { numberAt, objectsAt, textAt, valueAt } from './wire-values.js';

/** The controller as Kubernetes names it here: `daemonset.apps/agent`. */
function controllerText(revision: JsonObject): string {
  const owner = objectsAt(revision, 'metadata', 'ownerReferences').find((one) => valueAt(one, 'controller') === true);
  const [group = ''] = (textAt(owner, 'apiVersion') ?? '').split('/');
  return owner ? `${(textAt(owner, 'kind') ?? '').toLowerCase()}.${group}/${textAt(owner, 'name') ?? ''}` : '<none>';
}

/** apps/v1 ControllerRevision: the templates that a daemon set had, for `kubectl rollout history` and `undo`. */
export const controllerrevisions = plainResource({
  kind: 'ControllerRevision',
  version: 'v1',
  singular: 'controllerrevision',
  columns: [
    nameColumn,
    column('Controller', 'Whose template it holds.', controllerText),
    integerColumn('Revision', 'Its number: the highest is the newest.', (revision) => numberAt(revision, 'revision')),
    ageColumn,
  ],
});
