import { invariant } from '../errors.js';
import type { Recorded } from '../event.js';
import { afterChange, afterDeletionRequest, newMeta } from '../meta/metadata.js';
import type { Editable } from '../meta/object-meta.js';
import type { ReplicaSetEvent, ReplicaSetSpec, ReplicaSetState } from './replica-set.js';

/** What clients may edit of a replica set: its spec as they see it, `replicas` included. */
export function editableReplicaSet(set: ReplicaSetState): Editable {
  const { labels, annotations, ownerReferences, finalizers } = set.meta;
  return { labels, annotations, ownerReferences, finalizers, spec: { replicas: set.replicas, ...set.spec } };
}

/** A replica set after one more event; `undefined` once deleted. */
export function evolveReplicaSet(
  set: ReplicaSetState | undefined,
  event: Recorded<ReplicaSetEvent>,
): ReplicaSetState | undefined {
  if (event.type === 'ReplicaSetRequested') {
    return {
      kind: 'ReplicaSet',
      meta: newMeta(event.data, event),
      spec: event.data.spec,
      replicas: 0,
      status: { replicas: 0, fullyLabeledReplicas: 0, readyReplicas: 0, availableReplicas: 0, observedGeneration: 0 },
    };
  }
  invariant(set, `${event.type} at revision ${event.revision}, but ${event.stream} holds no replica set`);
  const after = step(set, event);
  return after && { ...after, meta: { ...after.meta, resourceVersion: event.revision } };
}

function step(
  set: ReplicaSetState,
  event: Recorded<Exclude<ReplicaSetEvent, { type: 'ReplicaSetRequested' }>>,
): ReplicaSetState | undefined {
  switch (event.type) {
    case 'ScaleRequested':
      return {
        ...set,
        replicas: event.data.replicas,
        // The wish that comes with the creation is part of the first generation, that of a larger edit of the edit's.
        meta:
          event.data.previous === undefined || event.data.partOfEdit
            ? set.meta
            : { ...set.meta, generation: set.meta.generation + 1 },
      };
    case 'ReplicaSetChanged': {
      const { meta, spec } = afterChange(set.meta, { ...editableReplicaSet(set), spec: set.spec }, {}, event.data);
      return { ...set, meta, spec: spec as ReplicaSetSpec };
    }
    case 'ReplicaSetStatusChanged':
      return { ...set, status: event.data };
    case 'ReplicaSetDeletionRequested':
      return { ...set, meta: afterDeletionRequest(set.meta, { ...event.data, gracePeriodSeconds: 0 }, event) };
    case 'ReplicaSetDeleted':
      return undefined;
  }
}
