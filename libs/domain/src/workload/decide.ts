import type { JsonObject } from '../json.js';
import { sameJson } from '../meta/changes.js';
import {
  alreadyExists,
  changedData,
  checkPreconditions,
  notFound,
  withoutPropagationFinalizers,
} from '../meta/metadata.js';
import { admitted, editableWorkload, isScaledKind } from './evolve.js';
import type { AnyWorkload, BareWorkloadEvent, WorkloadCommand, WorkloadEvent, WorkloadKind } from './workload.js';

type Command<Type extends WorkloadCommand['type']> = Extract<WorkloadCommand, { type: Type }>;

/**
 * What a command makes happen to a workload of a kind; nothing when it is already so. Throws `DomainError` when it is refused.
 */
export function decideWorkload(
  kind: WorkloadKind,
  command: WorkloadCommand,
  workload: AnyWorkload | undefined,
): WorkloadEvent[] {
  return decide(kind, command, workload).map((event) =>
    event.type === 'ScaleRequested' || event.type === 'CreationRefused'
      ? event
      : ({ ...event, type: `${kind}${event.type}` } as WorkloadEvent),
  );
}

function decide(kind: WorkloadKind, command: WorkloadCommand, workload: AnyWorkload | undefined): BareWorkloadEvent[] {
  if (command.type === 'RequestWorkload') return request(kind, command, workload);
  if (!workload) throw notFound(kind, '');
  switch (command.type) {
    case 'ChangeWorkload':
      return change(command, workload);
    case 'ScaleWorkload':
      checkPreconditions(kind, workload.meta, command.preconditions);
      return scale(workload, command.replicas, command.fieldManager);
    case 'RecordWorkloadStatus':
      return record(command, workload);
    case 'RecordCreationRefused': {
      const { uid, reason, message } = command;
      return uid === workload.meta.uid ? [{ type: 'CreationRefused', data: { uid, reason, message } }] : [];
    }
    case 'DeleteWorkload':
      return remove(command, workload);
    case 'FinishWorkloadDeletion':
      return finish(command, workload);
  }
}

function request(
  kind: WorkloadKind,
  { name, meta, spec, replicas = 1 }: Command<'RequestWorkload'>,
  workload: AnyWorkload | undefined,
): BareWorkloadEvent[] {
  if (workload) throw alreadyExists(kind, name);
  const taken = admitted(kind, { name, meta, spec });
  const requested = { type: 'Requested', data: { ...taken.meta, spec: taken.spec } } as const;
  if (!isScaledKind(kind)) return [requested];
  return [requested, { type: 'ScaleRequested', data: { uid: meta.uid, replicas, fieldManager: meta.fieldManager } }];
}

function record(
  { uid, status, facts = [] }: Command<'RecordWorkloadStatus'>,
  workload: AnyWorkload,
): BareWorkloadEvent[] {
  if (uid !== workload.meta.uid) return [];
  const events: BareWorkloadEvent[] = sameJson(status, workload.status)
    ? []
    : [{ type: 'StatusChanged', data: status }];
  return [...events, ...facts];
}

function scale(
  { meta, replicas: previous = 0 }: AnyWorkload,
  replicas: number,
  fieldManager: string,
  partOfEdit = false,
): BareWorkloadEvent[] {
  if (replicas === previous) return [];
  const data = { uid: meta.uid, replicas, previous, fieldManager, ...(partOfEdit && ({ partOfEdit } as const)) };
  return [{ type: 'ScaleRequested', data }];
}

function change(command: Command<'ChangeWorkload'>, workload: AnyWorkload): BareWorkloadEvent[] {
  const { kind, meta } = workload;
  checkPreconditions(kind, meta, command.preconditions);
  const { replicas, ...rest } = command.desired.spec;
  const spec: JsonObject = isScaledKind(kind) ? rest : command.desired.spec;
  const current = { ...editableWorkload(workload), spec: workload.spec };
  const status = command.status && { current: workload.status, desired: command.status };
  const data = changedData(meta, current, { ...command, desired: { ...command.desired, spec } }, status);
  const events: BareWorkloadEvent[] = data ? [{ type: 'Changed', data }] : [];
  if (isScaledKind(kind) && typeof replicas === 'number') {
    const partOfEdit = data?.changes.some(({ path }) => path[0] === 'spec') ?? false;
    events.push(...scale(workload, replicas, command.fieldManager, partOfEdit));
  }
  if (meta.deletion && command.desired.finalizers.length === 0) {
    events.push({ type: 'Deleted', data: { uid: meta.uid } });
  }
  return events;
}

/** In the background it goes at once, and its dependents after it; else it waits for the garbage reconcile, or for foreign finalizers. */
function remove(
  { preconditions, propagation }: Command<'DeleteWorkload'>,
  { kind, meta }: AnyWorkload,
): BareWorkloadEvent[] {
  checkPreconditions(kind, meta, preconditions);
  if (meta.deletion) return [];
  const events: BareWorkloadEvent[] = [{ type: 'DeletionRequested', data: { propagation } }];
  if (propagation === 'Background' && meta.finalizers.length === 0) {
    events.push({ type: 'Deleted', data: { uid: meta.uid } });
  }
  return events;
}

function finish({ uid }: Command<'FinishWorkloadDeletion'>, workload: AnyWorkload): BareWorkloadEvent[] {
  const { meta } = workload;
  if (meta.uid !== uid || !meta.deletion) return [];
  const current = { ...editableWorkload(workload), spec: workload.spec };
  const finalizers = withoutPropagationFinalizers(meta.finalizers);
  const data = changedData(meta, current, {
    desired: { ...current, finalizers },
    preconditions: {},
    fieldManager: 'podledger-garbage-collector',
    operation: 'Update',
    managedFields: [],
  });
  const events: BareWorkloadEvent[] = data ? [{ type: 'Changed', data }] : [];
  if (finalizers.length === 0) events.push({ type: 'Deleted', data: { uid } });
  return events;
}
