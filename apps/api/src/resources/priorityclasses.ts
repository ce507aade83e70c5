import { DomainError, qualified, readPriorityClass, type ClusterState, type JsonObject } from '#domain';
import { ageColumn, column, integerColumn, nameColumn } from './columns.js';
import { plainResource } from './plain.js';
import { numberAt, textAt, valueAt } from './wire-values.js';

/** One class at most is for pods that name none. Source: Kubernetes' admission plug-in Priority. */
function refuseSecondDefault(name: string, object: JsonObject, state: ClusterState): void {
  if (valueAt(object, 'globalDefault') !== true) return;
  for (const other of state.all('PriorityClass')) {
    if (other.meta.name === name || !readPriorityClass(other).globalDefault) continue;
    const why = `PriorityClass ${other.meta.name} is already marked as default. Only one default can exist`;
    throw new DomainError('Forbidden', `${qualified('PriorityClass', name)} is forbidden: ${why}`);
  }
}

/** scheduling.k8s.io/v1 PriorityClass. */
export const priorityclasses = plainResource({
  kind: 'PriorityClass',
  version: 'v1',
  singular: 'priorityclass',
  shortNames: ['pc'],
  check: refuseSecondDefault,
  columns: [
    nameColumn,
    integerColumn('Value', 'The priority that pods of the class get.', (pc) => numberAt(pc, 'value')),
    {
      ...column(
        'Global-Default',
        'Whether pods that name no class are of this one.',
        (pc) => valueAt(pc, 'globalDefault') === true,
      ),
      type: 'boolean',
    },
    ageColumn,
    column(
      'PreemptionPolicy',
      'Whether its pods may take the place of others.',
      (pc) => textAt(pc, 'preemptionPolicy') ?? '',
    ),
  ],
});
