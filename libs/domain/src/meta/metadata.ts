import type { Kind } from '../cluster/stored-object.js';
import { DomainError } from '../errors.js';
import { extended } from '../extended.js';
import type { EventEnvelope } from '../event.js';
import type { JsonObject } from '../json.js';
import { refOf } from '../stream.js';
import { applyChanges, diffJson } from './changes.js';
import { qualified } from './kinds.js';
import type {
  ChangeRequest,
  ChangedData,
  Deletion,
  Editable,
  ManagedFieldsEntry,
  ObjectMeta,
  Preconditions,
  Propagation,
  RequestedMeta,
} from './object-meta.js';

/** Finalizers that stand for a propagation policy; only the garbage reconcile takes them off. */
export const FOREGROUND_FINALIZER = 'foregroundDeletion';
export const ORPHAN_FINALIZER = 'orphan';

/** Metadata of a new object: its stream gives the name, its event the time and the revision. */
export function newMeta(requested: RequestedMeta, event: EventEnvelope): ObjectMeta {
  const { namespace, name } = refOf(event.stream);
  return {
    name,
    namespace,
    uid: requested.uid,
    ...(requested.generateName !== undefined && { generateName: requested.generateName }),
    labels: requested.labels,
    annotations: requested.annotations,
    ownerReferences: requested.ownerReferences,
    finalizers: requested.finalizers,
    createdAt: event.time,
    generation: 1,
    resourceVersion: event.revision,
    managedFields: requested.managedFields,
  };
}

/** Refuses a command whose preconditions the object does not meet. */
export function checkPreconditions(kind: Kind, meta: ObjectMeta, { uid, resourceVersion }: Preconditions): void {
  if (uid !== undefined && uid !== meta.uid) {
    throw new DomainError(
      'Conflict',
      `Operation cannot be fulfilled on ${qualified(kind, meta.name)}: Precondition failed: UID in precondition: ${uid}, UID in object meta: ${meta.uid}`,
      [],
      { expected: uid, actual: meta.uid },
    );
  }
  if (resourceVersion !== undefined && resourceVersion !== String(meta.resourceVersion)) {
    throw new DomainError(
      'Conflict',
      `Operation cannot be fulfilled on ${qualified(kind, meta.name)}: the object has been modified; please apply your changes to the latest version and try again`,
      [],
      { expected: resourceVersion, actual: String(meta.resourceVersion) },
    );
  }
}

export function notFound(kind: Kind, name: string): DomainError {
  return new DomainError('NotFound', `${qualified(kind, name)} not found`);
}

export function alreadyExists(kind: Kind, name: string): DomainError {
  return new DomainError('AlreadyExists', `${qualified(kind, name)} already exists`);
}

/** The editable part of an object as the tree that change paths walk. */
const tree = ({ labels, annotations, ownerReferences, finalizers, spec }: Editable): JsonObject => ({
  metadata: {
    labels,
    annotations,
    ownerReferences,
    finalizers,
  },
  spec,
});

/** What an edit changes, or `undefined` when it changes nothing. Refuses new finalizers on an object being deleted. */
export function changedData(
  meta: ObjectMeta,
  current: Editable,
  request: ChangeRequest,
  status?: { readonly current: JsonObject; readonly desired: JsonObject },
): ChangedData | undefined {
  const added = request.desired.finalizers.filter((finalizer) => !current.finalizers.includes(finalizer));
  if (meta.deletion && added.length > 0) {
    throw new DomainError(
      'Invalid',
      'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted',
      [
        {
          field: 'metadata.finalizers',
          reason: 'FieldValueForbidden',
          message: `no new finalizers can be added if the object is being deleted, found new finalizers ${JSON.stringify(added)}`,
        },
      ],
    );
  }
  const changes = diffJson(tree(current), tree(request.desired));
  if (status) changes.push(...diffJson(status.current, status.desired, ['status']));
  if (changes.length === 0) return undefined;
  return {
    changes,
    fieldManager: request.fieldManager,
    operation: request.operation,
    ...(request.subresource !== undefined && { subresource: request.subresource }),
    managedFields: request.managedFields,
  };
}

/** An object after `<Kind>Changed`: its metadata, its spec and, where clients may write it, its status. */
export function afterChange(
  meta: ObjectMeta,
  current: Editable,
  status: JsonObject,
  data: ChangedData,
): { readonly meta: ObjectMeta; readonly spec: JsonObject; readonly status: JsonObject } {
  const changed = applyChanges({ ...tree(current), status }, data.changes) as {
    readonly metadata: Omit<Editable, 'spec'>;
    readonly spec: JsonObject;
    readonly status: JsonObject;
  };
  const specChanged = data.changes.some(({ path }) => path[0] === 'spec');
  return {
    meta: {
      ...meta,
      labels: changed.metadata.labels ?? {},
      annotations: changed.metadata.annotations ?? {},
      ownerReferences: changed.metadata.ownerReferences ?? [],
      finalizers: changed.metadata.finalizers ?? [],
      generation: meta.generation + (specChanged ? 1 : 0),
      managedFields: mergeManagedFields(meta.managedFields, data.managedFields),
    },
    spec: changed.spec,
    status: changed.status,
  };
}

const managerKey = (entry: ManagedFieldsEntry): string =>
  JSON.stringify([entry.manager, entry.operation, entry.apiVersion, entry.subresource ?? '']);

function mergeManagedFields(
  current: readonly ManagedFieldsEntry[],
  delta: readonly ManagedFieldsEntry[],
): readonly ManagedFieldsEntry[] {
  if (delta.length === 0) return current;
  const entries = new Map(current.map((entry) => [managerKey(entry), entry]));
  for (const entry of delta) {
    if (Object.keys(entry.fieldsV1).length === 0) entries.delete(managerKey(entry));
    else entries.set(managerKey(entry), entry);
  }
  return [...entries.values()];
}

/** Metadata once deletion was asked for: a repeat may only shorten the grace; foreground and orphan leave their finalizer. */
export function afterDeletionRequest(
  meta: ObjectMeta,
  requested: { readonly propagation: Propagation; readonly gracePeriodSeconds: number },
  event: EventEnvelope,
): ObjectMeta {
  const before = meta.deletion;
  const deletion: Deletion = before
    ? { ...before, gracePeriodSeconds: Math.min(before.gracePeriodSeconds, requested.gracePeriodSeconds) }
    : { requestedAt: event.time, propagation: requested.propagation, gracePeriodSeconds: requested.gracePeriodSeconds };
  const mark =
    requested.propagation === 'Foreground'
      ? FOREGROUND_FINALIZER
      : requested.propagation === 'Orphan'
        ? ORPHAN_FINALIZER
        : undefined;
  const finalizers =
    before || mark === undefined || meta.finalizers.includes(mark) ? meta.finalizers : [...meta.finalizers, mark];
  return extended(meta, { deletion, finalizers, generation: before ? meta.generation : meta.generation + 1 });
}

/** The finalizers that remain once the garbage reconcile has done its part. */
export function withoutPropagationFinalizers(finalizers: readonly string[]): readonly string[] {
  return finalizers.filter((finalizer) => finalizer !== FOREGROUND_FINALIZER && finalizer !== ORPHAN_FINALIZER);
}
