import {
  decideNamespace,
  editableOf,
  evolveNamespace,
  namespaceStream,
  wireOf,
  type NamespaceEvent,
  type Recorded,
} from '#domain';
import { ownConditions } from './client-status.js';
import { ageColumn, column, nameColumn } from './columns.js';
import { changeRequest, ofKind } from './editing.js';
import type { ResourceDefinition, Subresource } from './resource.js';
import { selectableField, stringsAt, textAt } from './wire-values.js';

const core = { group: '', version: 'v1', kind: 'Namespace' };

/** `/finalize`: takes `kubernetes` off `spec.finalizers`, and with it the last hold on a namespace that is being deleted. */
const finalize: Subresource = {
  name: 'finalize',
  kind: core,
  verbs: ['update'],
  view: wireOf,
  change: ({ after }, current) => {
    const namespace = ofKind('Namespace', current);
    if (stringsAt(after, 'spec', 'finalizers').length > 0) return [];
    return decideNamespace({ type: 'FinalizeNamespace', uid: namespace.meta.uid }, namespace);
  },
};

/** `/status`: the phase is derived; clients write conditions of their own, labels and annotations. */
const status: Subresource = {
  name: 'status',
  kind: core,
  verbs: ['get', 'patch', 'update'],
  view: wireOf,
  change: (request, current) => {
    const namespace = ofKind('Namespace', current);
    const edit = changeRequest(request, editableOf(namespace), true);
    return decideNamespace({ type: 'ChangeNamespace', ...edit, status: ownConditions(request, []) }, namespace);
  },
};

/** core/v1 Namespace. */
export const namespaces: ResourceDefinition = {
  group: '',
  version: 'v1',
  plural: 'namespaces',
  singular: 'namespace',
  kind: 'Namespace',
  stored: 'Namespace',
  namespaced: false,
  verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
  shortNames: ['ns'],
  subresources: [finalize, status],
  columns: [
    nameColumn,
    column('Status', 'The status of the namespace.', (namespace) => textAt(namespace, 'status', 'phase') ?? ''),
    ageColumn,
  ],
  fields: { 'status.phase': selectableField('status.phase') },
  streamOf: (_namespace, name) => namespaceStream(name),
  wire: wireOf,
  create: ({ name, meta }, state) => {
    const existing = state.get(namespaceStream(name));
    return decideNamespace({ type: 'RequestNamespace', name, meta }, existing && ofKind('Namespace', existing));
  },
  change: (request, current) => {
    const namespace = ofKind('Namespace', current);
    return decideNamespace({ type: 'ChangeNamespace', ...changeRequest(request, editableOf(namespace)) }, namespace);
  },
  remove: ({ preconditions }, current) =>
    decideNamespace({ type: 'DeleteNamespace', preconditions }, ofKind('Namespace', current)),
  evolve: (current, event) =>
    evolveNamespace(current && ofKind('Namespace', current), event as Recorded<NamespaceEvent>),
};
