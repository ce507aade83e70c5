import {
  applyChanges,
  diffJson,
  DomainError,
  type ChangeRequest,
  type Editable,
  type JsonObject,
  type OwnerReference,
  type StoredObject,
} from '#domain';
import type { ChangeOf } from './resource.js';
import { objectAt, objectsAt, stringsAt, textsAt } from './wire-values.js';

/** The parts of a wire form that clients edit, in the shape of the domain's change paths. */
const editableTree = (wire: JsonObject): JsonObject => ({
  metadata: {
    labels: textsAt(wire, 'metadata', 'labels'),
    annotations: textsAt(wire, 'metadata', 'annotations'),
    ownerReferences: objectsAt(wire, 'metadata', 'ownerReferences'),
    finalizers: stringsAt(wire, 'metadata', 'finalizers'),
  },
  spec: objectAt(wire, 'spec'),
});

/** Owner references of a wire form; validation has seen that each is complete. */
export function ownerReferencesOf(wire: JsonObject): readonly OwnerReference[] {
  return objectsAt(wire, 'metadata', 'ownerReferences').map(
    ({ apiVersion, kind, name, uid, controller, blockOwnerDeletion }) => ({
      apiVersion: String(apiVersion),
      kind: String(kind),
      name: String(name),
      uid: String(uid),
      ...(typeof controller === 'boolean' && { controller }),
      ...(typeof blockOwnerDeletion === 'boolean' && { blockOwnerDeletion }),
    }),
  );
}

/**
 * What the client wishes the editable part to become: what is stored, with the client's changes of the wire form made to it.
 * So what the wire form merely derives cannot be mistaken for an edit.
 */
export function desiredOf(current: Editable, { before, after }: Pick<ChangeOf, 'before' | 'after'>): Editable {
  const { labels, annotations, ownerReferences, finalizers, spec } = current;
  const stored: JsonObject = {
    metadata: { labels, annotations, ownerReferences: ownerReferences.map((owner) => ({ ...owner })), finalizers },
    spec,
  };
  const wished = applyChanges(stored, diffJson(editableTree(before), editableTree(after)));
  return {
    labels: textsAt(wished, 'metadata', 'labels'),
    annotations: textsAt(wished, 'metadata', 'annotations'),
    ownerReferences: ownerReferencesOf(wished),
    finalizers: stringsAt(wished, 'metadata', 'finalizers'),
    spec: objectAt(wished, 'spec'),
  };
}

/** The domain's form of an edit. `metadataOnly` leaves the spec as it is, as writes to `/status` do. */
export function changeRequest(request: ChangeOf, current: Editable, metadataOnly = false): ChangeRequest {
  const { preconditions, fieldManager, operation, subresource, managedFields } = request;
  const desired = desiredOf(current, request);
  return {
    desired: metadataOnly ? { ...current, labels: desired.labels, annotations: desired.annotations } : desired,
    preconditions,
    fieldManager,
    operation,
    ...(subresource !== undefined && { subresource }),
    managedFields,
  };
}

/** Narrows a stored object to a kind. What is kept in a kind's streams is of that kind, or the log is broken. */
export function ofKind<K extends StoredObject['kind']>(
  kind: K,
  object: StoredObject,
): Extract<StoredObject, { kind: K }>;
export function ofKind(kind: StoredObject['kind'], object: StoredObject): StoredObject {
  if (object.kind !== kind) throw new DomainError('NotFound', `${object.meta.name} is no ${kind}`);
  return object;
}
