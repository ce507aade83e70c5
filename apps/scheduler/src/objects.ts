import {
  type ClusterState,
  decideNamespace,
  decideNode,
  decidePod,
  decideReplicaSet,
  namesOf,
  type PodState,
  type Propagation,
  type ReplicaSetState,
  type StoredObject,
  streamOf,
  type TerminationReason,
} from '#domain';
import type { StreamDecision } from '#eventlog';

/** The stream an object lives in. */
export function streamOfObject({ kind, meta }: StoredObject): string {
  const { group, plural } = namesOf(kind);
  return streamOf({ group, plural, namespace: meta.namespace, name: meta.name });
}

export function podAt(state: ClusterState, stream: string): PodState | undefined {
  const object = state.get(stream);
  return object?.kind === 'Pod' ? object : undefined;
}

export function replicaSetAt(state: ClusterState, stream: string): ReplicaSetState | undefined {
  const object = state.get(stream);
  return object?.kind === 'ReplicaSet' ? object : undefined;
}

/** Whether the node that a pod is bound to answers. */
export function isNodeReady(state: ClusterState, { nodeName }: PodState): boolean {
  return nodeName !== undefined && state.node(nodeName)?.ready.status === 'True';
}

export interface Removal {
  readonly reason: TerminationReason;
  readonly propagation: Propagation;
  readonly message?: string;
}

/** What deletes the object in a stream, whatever kind it is; nothing when it is another object by now, or gone. */
export function decideRemoval(
  state: ClusterState,
  object: StoredObject,
  stream: string,
  { reason, propagation, message }: Removal,
): readonly StreamDecision[] {
  const { uid } = object.meta;
  const current = state.get(stream);
  if (current?.kind !== object.kind || current.meta.uid !== uid) return [];
  const preconditions = { uid };
  switch (current.kind) {
    case 'Pod': {
      const nodeReady = isNodeReady(state, current);
      const words = message === undefined ? {} : { message };
      const command = { type: 'TerminatePod', preconditions, propagation, reason, nodeReady, ...words } as const;
      return [{ stream, events: decidePod(command, current) }];
    }
    case 'ReplicaSet':
      return [{ stream, events: decideReplicaSet({ type: 'DeleteReplicaSet', preconditions, propagation }, current) }];
    case 'Node':
      return [{ stream, events: decideNode({ type: 'DeleteNode', preconditions }, current) }];
    case 'Namespace':
      return [{ stream, events: decideNamespace({ type: 'DeleteNamespace', preconditions }, current) }];
    case 'Event':
      return [{ stream, events: [{ type: 'EventDeleted', data: { uid } }] }];
  }
}
