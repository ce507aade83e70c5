import {
  decideReplicaSet,
  editableOf,
  evolveReplicaSet,
  metadataOf,
  replicaSetStream,
  wireOf,
  type JsonObject,
  type Recorded,
  type ReplicaSetEvent,
  type ReplicaSetSpec,
  type ReplicaSetState,
} from '#domain';
import { formatLabelSelector, labelSelectorOf } from '../wire/index.js';
import { ageColumn, integerColumn, nameColumn, templateColumns } from './columns.js';
import { changeRequest, ofKind } from './editing.js';
import type { ResourceDefinition, Subresource } from './resource.js';
import { numberAt, objectAt, selectableField } from './wire-values.js';

const selectorText = (set: ReplicaSetState): string => formatLabelSelector(labelSelectorOf(set.spec.selector));

/** autoscaling/v1 Scale: how many there are to be, and are. Clients that scale need to know nothing else of a kind. */
function scaleOf(set: ReplicaSetState): JsonObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metadataOf(set.meta);
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: set.replicas },
    status: { replicas: set.status.replicas, selector: selectorText(set) },
  };
}

const scale: Subresource = {
  name: 'scale',
  kind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
  verbs: ['get', 'patch', 'update'],
  view: (object) => scaleOf(ofKind('ReplicaSet', object)),
  faultsOf: (body) => {
    const replicas = numberAt(body, 'spec', 'replicas');
    const message = `Invalid value: ${replicas}: must be greater than or equal to 0`;
    return replicas < 0 ? [{ field: 'spec.replicas', reason: 'FieldValueInvalid', message }] : [];
  },
  change: ({ after, preconditions, fieldManager }, current) => {
    const replicas = numberAt(after, 'spec', 'replicas');
    return decideReplicaSet(
      { type: 'ScaleReplicaSet', replicas, preconditions, fieldManager },
      ofKind('ReplicaSet', current),
    );
  },
};

const status: Subresource = {
  name: 'status',
  kind: { group: 'apps', version: 'v1', kind: 'ReplicaSet' },
  verbs: ['get'],
  view: wireOf,
};

/** apps/v1 ReplicaSet. */
export const replicasets: ResourceDefinition = {
  group: 'apps',
  version: 'v1',
  plural: 'replicasets',
  singular: 'replicaset',
  kind: 'ReplicaSet',
  stored: 'ReplicaSet',
  namespaced: true,
  verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
  shortNames: ['rs'],
  categories: ['all'],
  subresources: [scale, status],
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
    ...templateColumns((set) => formatLabelSelector(labelSelectorOf(objectAt(set, 'spec', 'selector')))),
  ],
  fields: {
    'status.replicas': selectableField('status.replicas'),
  },
  streamOf: replicaSetStream,
  wire: wireOf,
  create: ({ namespace, name, meta, object }, state) => {
    const existing = state.get(replicaSetStream(namespace, name));
    const { replicas = 1, ...spec } = objectAt(object, 'spec');
    return decideReplicaSet(
      {
        type: 'RequestReplicaSet',
        namespace,
        name,
        meta,
        spec: spec as ReplicaSetSpec,
        replicas: typeof replicas === 'number' ? replicas : 1,
      },
      existing && ofKind('ReplicaSet', existing),
    );
  },
  change: (request, current) => {
    const set = ofKind('ReplicaSet', current);
    return decideReplicaSet({ type: 'ChangeReplicaSet', ...changeRequest(request, editableOf(set)) }, set);
  },
  remove: ({ preconditions, propagation }, current) =>
    decideReplicaSet({ type: 'DeleteReplicaSet', preconditions, propagation }, ofKind('ReplicaSet', current)),
  evolve: (current, event) =>
    evolveReplicaSet(current && ofKind('ReplicaSet', current), event as Recorded<ReplicaSetEvent>),
};
