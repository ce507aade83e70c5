import type { JsonObject } from '#domain';
import { ageOf } from './age.js';
import type { Column } from './resource.js';
import { objectsAt, textAt } from './wire-values.js';

type CellOf = Column['cell'];

/** A column of texts that `kubectl get` always shows. */
export const column = (name: string, description: string, cell: CellOf): Column => ({
  name,
  type: 'string',
  format: '',
  priority: 0,
  description,
  cell,
});

/** A column that only `-o wide` shows. */
export const wideColumn = (name: string, description: string, cell: CellOf): Column => ({
  ...column(name, description, cell),
  priority: 1,
});

export const integerColumn = (name: string, description: string, cell: CellOf): Column => ({
  ...column(name, description, cell),
  type: 'integer',
});

export const nameColumn: Column = {
  ...column('Name', 'Name must be unique within a namespace.', (object) => textAt(object, 'metadata', 'name') ?? ''),
  format: 'name',
};

export const ageColumn: Column = column(
  'Age',
  'CreationTimestamp is a timestamp representing the server time when this object was created.',
  (object, now) => ageOf(textAt(object, 'metadata', 'creationTimestamp'), now),
);

const joined = (texts: readonly (string | undefined)[]): string => texts.map((text) => text ?? '').join(',');

/** Names and images of a pod template's containers, and the selector of what makes pods from it. */
export const templateColumns = (selector: (object: JsonObject) => string): readonly Column[] => [
  wideColumn('Containers', 'Names of each container in the template.', (object) =>
    joined(objectsAt(object, 'spec', 'template', 'spec', 'containers').map((container) => textAt(container, 'name'))),
  ),
  wideColumn('Images', 'Images referenced by each container in the template.', (object) =>
    joined(objectsAt(object, 'spec', 'template', 'spec', 'containers').map((container) => textAt(container, 'image'))),
  ),
  wideColumn('Selector', 'Label selector over pods that should match the replica count.', selector),
];
