import {
  decideWorkload,
  editableWorkload,
  evolveWorkload,
  isScaledKind,
  isWorkload,
  metadataOf,
  namesOf,
  streamOfKind,
  DomainError,
  wireOf,
  type JsonObject,
  type Recorded,
  type StoredObject,
  type WorkloadEvent,
  type WorkloadKind,
  type WorkloadState,
} from '#domain';
import { formatLabelSelector, labelSelectorOf } from '../wire/index.js';
import { changeRequest } from './editing.js';
import type { Column, ResourceDefinition, Subresource } from './resource.js';
import { numberAt, objectAt } from './wire-values.js';

/** What tells one kind of workload from another. */
export interface WorkloadResource extends Pick<
  ResourceDefinition,
  'group' | 'version' | 'singular' | 'shortNames' | 'categories' | 'fields'
> {
  readonly kind: WorkloadKind;
  readonly columns: readonly Column[];
}

/** The text of a workload's `spec.selector`. */
export const selectorText = (workload: JsonObject): string =>
  formatLabelSelector(labelSelectorOf(objectAt(workload, 'spec', 'selector')));

/** A kind of workload as the API serves it, with `/status` and, where it has replicas, `/scale`. */
export function workloadResource({ kind, group, version, columns, ...own }: WorkloadResource): ResourceDefinition {
  const streamOf = (namespace: string, name: string): string => streamOfKind(kind, namespace, name);
  return {
    group,
    version,
    plural: namesOf(kind).plural,
    kind,
    stored: kind,
    namespaced: true,
    verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
    subresources: [...(isScaledKind(kind) ? [scale] : []), statusOf(group, version, kind)],
    columns,
    ...own,
    streamOf,
    wire: wireOf,
    create: ({ namespace, name, meta, object }, state) => {
      const existing = state.get(streamOf(namespace, name));
      const { replicas, ...rest } = objectAt(object, 'spec');
      const isScaled = isScaledKind(kind);
      const command = {
        type: 'RequestWorkload',
        namespace,
        name,
        meta,
        spec: isScaled ? rest : objectAt(object, 'spec'),
        ...(isScaled && typeof replicas === 'number' && { replicas }),
      } as const;
      return decideWorkload(kind, command, existing && workload(existing));
    },
    change: (request, current) => {
      const known = workload(current);
      return decideWorkload(
        kind,
        { type: 'ChangeWorkload', ...changeRequest(request, editableWorkload(known)) },
        known,
      );
    },
    remove: ({ preconditions, propagation }, current) =>
      decideWorkload(kind, { type: 'DeleteWorkload', preconditions, propagation }, workload(current)),
    evolve: (current, event) => evolveWorkload(kind, current && workload(current), event as Recorded<WorkloadEvent>),
  };
}

/** Narrows a stored object. What is kept in a kind's streams is of that kind, or the log is broken. */
function workload(object: StoredObject): WorkloadState {
  if (!isWorkload(object)) throw new DomainError('NotFound', `${object.meta.name} is no workload`);
  return object;
}

/** `/status`: what the reconcile tells. Clients may write it, and labels and annotations with it; the spec stays. */
const statusOf = (group: string, version: string, kind: WorkloadKind): Subresource => ({
  name: 'status',
  kind: { group, version, kind },
  verbs: ['get', 'patch', 'update'],
  view: wireOf,
  change: (request, current) => {
    const known = workload(current);
    const edit = changeRequest(request, editableWorkload(known), true);
    const status = objectAt(request.after, 'status');
    return decideWorkload(kind, { type: 'ChangeWorkload', ...edit, status }, known);
  },
});

/** autoscaling/v1 Scale: how many there are to be, and are. Clients that scale need to know nothing else of a kind. */
function scaleOf(object: StoredObject): JsonObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metadataOf(object.meta);
  const wire = wireOf(object);
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: numberAt(wire, 'spec', 'replicas') },
    status: { replicas: numberAt(wire, 'status', 'replicas'), selector: selectorText(wire) },
  };
}

const scale: Subresource = {
  name: 'scale',
  kind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
  verbs: ['get', 'patch', 'update'],
  view: scaleOf,
  faultsOf: (body) => {
    const replicas = numberAt(body, 'spec', 'replicas');
    const message = `Invalid value: ${replicas}: must be greater than or equal to 0`;
    return replicas < 0 ? [{ field: 'spec.replicas', reason: 'FieldValueInvalid', message }] : [];
  },
  change: ({ after, preconditions, fieldManager }, current) => {
    const known = workload(current);
    const replicas = numberAt(after, 'spec', 'replicas');
    return decideWorkload(known.kind, { type: 'ScaleWorkload', replicas, preconditions, fieldManager }, known);
  },
};
