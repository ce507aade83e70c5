import {
  type ClusterState,
  decideNamespace,
  decideNode,
  decidePlain,
  decidePod,
  decideWorkload,
  isPlain,
  isWorkload,
  type PodState,
  type Propagation,
  type StoredObject,
  streamOfKind,
  type TerminationReason,
  type WorkloadState,
} from '#domain';
import type { StreamDecision } from '#eventlog';

/** The stream an object lives in. */
export function streamOfObject({ kind, meta }: StoredObject): string {
  return streamOfKind(kind, meta.namespace, meta.name);
}

export function podAt(state: ClusterState, stream: string): PodState | undefined {
  const object = state.get(stream);
  return object?.kind === 'Pod' ? object : undefined;
}

export function workloadAt(state: ClusterState, stream: string): WorkloadState | undefined {
  const object = state.get(stream);
  return object && isWorkload(object) ? object : undefined;
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
  if (isWorkload(current)) {
    const command = { type: 'DeleteWorkload', preconditions, propagation } as const;
    return [{ stream, events: decideWorkload(current.kind, command, current) }];
  }
  if (isPlain(current)) {
    const command = { type: 'DeletePlainObject', kind: current.kind, preconditions, propagation } as const;
    return [{ stream, events: decidePlain(command, current) }];
  }
  switch (current.kind) {
    case 'Pod': {
      const nodeReady = isNodeReady(state, current);
      const words = message === undefined ? {} : { message };
      const command = { type: 'TerminatePod', preconditions, propagation, reason, nodeReady, ...words } as const;
      return [{ stream, events: decidePod(command, current) }];
    }
    case 'Node':
      return [{ stream, events: decideNode({ type: 'DeleteNode', preconditions }, current) }];
    case 'Namespace':
      return [{ stream, events: decideNamespace({ type: 'DeleteNamespace', preconditions }, current) }];
    case 'Event':
      return [{ stream, events: [{ type: 'EventDeleted', data: { uid } }] }];
  }
}
