import { sameJson } from '../meta/changes.js';
import {
  alreadyExists,
  changedData,
  checkPreconditions,
  notFound,
  withoutPropagationFinalizers,
} from '../meta/metadata.js';
import { editableReplicaSet } from './evolve.js';
import type { ReplicaSetCommand, ReplicaSetEvent, ReplicaSetSpec, ReplicaSetState } from './replica-set.js';

type Command<Type extends ReplicaSetCommand['type']> = Extract<ReplicaSetCommand, { type: Type }>;

/** What a command makes happen to a replica set; nothing when it is already so. Throws `DomainError` when it is refused. */
export function decideReplicaSet(command: ReplicaSetCommand, set: ReplicaSetState | undefined): ReplicaSetEvent[] {
  if (command.type === 'RequestReplicaSet') return request(command, set);
  if (!set) throw notFound('ReplicaSet', '');
  switch (command.type) {
    case 'ChangeReplicaSet':
      return change(command, set);
    case 'ScaleReplicaSet':
      checkPreconditions('ReplicaSet', set.meta, command.preconditions);
      return scale(set, command.replicas, command.fieldManager);
    case 'RecordReplicaSetStatus':
      if (command.uid !== set.meta.uid || sameJson({ ...command.status }, { ...set.status })) return [];
      return [{ type: 'ReplicaSetStatusChanged', data: command.status }];
    case 'DeleteReplicaSet':
      return remove(command, set);
    case 'FinishReplicaSetDeletion':
      return finish(command, set);
  }
}

function request(
  { name, meta, spec, replicas }: Command<'RequestReplicaSet'>,
  set: ReplicaSetState | undefined,
): ReplicaSetEvent[] {
  if (set) throw alreadyExists('ReplicaSet', name);
  return [
    { type: 'ReplicaSetRequested', data: { ...meta, spec } },
    { type: 'ScaleRequested', data: { uid: meta.uid, replicas, fieldManager: meta.fieldManager } },
  ];
}

function scale(set: ReplicaSetState, replicas: number, fieldManager: string, partOfEdit = false): ReplicaSetEvent[] {
  if (replicas === set.replicas) return [];
  return [
    {
      type: 'ScaleRequested',
      data: { uid: set.meta.uid, replicas, previous: set.replicas, fieldManager, ...(partOfEdit && { partOfEdit }) },
    },
  ];
}

function change(command: Command<'ChangeReplicaSet'>, set: ReplicaSetState): ReplicaSetEvent[] {
  checkPreconditions('ReplicaSet', set.meta, command.preconditions);
  const { replicas, ...spec } = command.desired.spec as ReplicaSetSpec & { readonly replicas?: number };
  const current = { ...editableReplicaSet(set), spec: set.spec };
  const data = changedData(set.meta, current, { ...command, desired: { ...command.desired, spec } });
  const events: ReplicaSetEvent[] = data ? [{ type: 'ReplicaSetChanged', data }] : [];
  const partOfEdit = data?.changes.some(({ path }) => path[0] === 'spec') ?? false;
  events.push(...scale(set, replicas ?? set.replicas, command.fieldManager, partOfEdit));
  if (set.meta.deletion && command.desired.finalizers.length === 0) {
    events.push({ type: 'ReplicaSetDeleted', data: { uid: set.meta.uid } });
  }
  return events;
}

/** In the background it goes at once, and its pods after it; else it waits for the garbage reconcile, or for foreign finalizers. */
function remove({ preconditions, propagation }: Command<'DeleteReplicaSet'>, set: ReplicaSetState): ReplicaSetEvent[] {
  checkPreconditions('ReplicaSet', set.meta, preconditions);
  if (set.meta.deletion) return [];
  const events: ReplicaSetEvent[] = [{ type: 'ReplicaSetDeletionRequested', data: { propagation } }];
  if (propagation === 'Background' && set.meta.finalizers.length === 0) {
    events.push({ type: 'ReplicaSetDeleted', data: { uid: set.meta.uid } });
  }
  return events;
}

function finish({ uid }: Command<'FinishReplicaSetDeletion'>, set: ReplicaSetState): ReplicaSetEvent[] {
  if (set.meta.uid !== uid || !set.meta.deletion) return [];
  const current = { ...editableReplicaSet(set), spec: set.spec };
  const finalizers = withoutPropagationFinalizers(set.meta.finalizers);
  const data = changedData(set.meta, current, {
    desired: { ...current, finalizers },
    preconditions: {},
    fieldManager: 'podledger-garbage-collector',
    operation: 'Update',
    managedFields: [],
  });
  const events: ReplicaSetEvent[] = data ? [{ type: 'ReplicaSetChanged', data }] : [];
  if (finalizers.length === 0) events.push({ type: 'ReplicaSetDeleted', data: { uid } });
  return events;
}
