import type { StoredObject } from '../cluster/stored-object.js';
import { KINDS } from '../meta/kinds.js';
import { FOREGROUND_FINALIZER, ORPHAN_FINALIZER } from '../meta/metadata.js';
import type { OwnerReference, Propagation } from '../meta/object-meta.js';

/** Who owns whom; `ClusterState` answers it. */
export interface Ownership {
  objectByUid(uid: string): StoredObject | undefined;
  dependentsOf(ownerUid: string): readonly StoredObject[];
}

/** One step of garbage collection. Each leads to a change that makes the next step visible. */
export type GarbageStep =
  /** None of its owners is left to it. */
  | { readonly type: 'Delete'; readonly object: StoredObject; readonly propagation: Propagation }
  /** Some owners are gone, or being orphaned from; it stays. */
  | { readonly type: 'DropOwners'; readonly object: StoredObject; readonly ownerUids: readonly string[] }
  /** Its dependents are gone or have been let go: the finalizers of propagation come off. */
  | { readonly type: 'FinishDeletion'; readonly object: StoredObject };

const known = new Set(KINDS.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`));

/**
 * What garbage collection has to do about one object, as a dependent and as an owner. Source: Kubernetes, "Garbage
 * Collection", and kube-controller-manager's `attemptToDeleteItem`.
 */
export function collectGarbage(object: StoredObject, ownership: Ownership): GarbageStep[] {
  return [...asDependent(object, ownership), ...asOwner(object, ownership)];
}

function asDependent(object: StoredObject, ownership: Ownership): GarbageStep[] {
  const { ownerReferences, finalizers, deletion } = object.meta;
  if (ownerReferences.length === 0 || deletion) return [];
  const standing = ownerReferences.map((reference) => ({
    uid: reference.uid,
    is: judge(object, reference, ownership),
  }));
  const lost = standing.filter(({ is }) => is !== 'there').map(({ uid }) => uid);
  if (lost.length < standing.length) {
    return lost.length === 0 ? [] : [{ type: 'DropOwners', object, ownerUids: [...new Set(lost)] }];
  }
  const isAwaited = standing.some(({ is }) => is === 'waiting');
  const hasDependents = ownership.dependentsOf(object.meta.uid).length > 0;
  const propagation =
    isAwaited && hasDependents
      ? 'Foreground'
      : finalizers.includes(ORPHAN_FINALIZER)
        ? 'Orphan'
        : finalizers.includes(FOREGROUND_FINALIZER)
          ? 'Foreground'
          : 'Background';
  return [{ type: 'Delete', object, propagation }];
}

/** `waiting`: the owner is being deleted in the foreground, that is, it waits for this dependent to go first. */
function judge(object: StoredObject, reference: OwnerReference, ownership: Ownership): 'there' | 'waiting' | 'gone' {
  // Of a kind we do not keep nobody can say that it is gone; Kubernetes does not collect such objects either.
  if (!known.has(`${reference.apiVersion} ${reference.kind}`)) return 'there';
  const owner = ownership.objectByUid(reference.uid);
  if (!owner || owner.kind !== reference.kind || owner.meta.name !== reference.name) return 'gone';
  // An owner in another namespace is no owner. Source: Kubernetes, "Owners and Dependents".
  if (owner.meta.namespace !== '' && owner.meta.namespace !== object.meta.namespace) return 'gone';
  return owner.meta.deletion && owner.meta.finalizers.includes(FOREGROUND_FINALIZER) ? 'waiting' : 'there';
}

function asOwner(owner: StoredObject, ownership: Ownership): GarbageStep[] {
  const { deletion, finalizers, uid } = owner.meta;
  if (!deletion) return [];
  if (finalizers.includes(ORPHAN_FINALIZER)) {
    const dependents = ownership.dependentsOf(uid);
    if (dependents.length === 0) return [{ type: 'FinishDeletion', object: owner }];
    return dependents.map((object) => ({ type: 'DropOwners', object, ownerUids: [uid] }));
  }
  if (finalizers.includes(FOREGROUND_FINALIZER)) {
    const isWaiting = ownership.dependentsOf(uid).some((dependent) => blocks(dependent, owner, ownership));
    return isWaiting ? [] : [{ type: 'FinishDeletion', object: owner }];
  }
  return [];
}

/** A dependent holds its owner back when it says so, unless the two wait for each other in a circle. */
function blocks(dependent: StoredObject, owner: StoredObject, ownership: Ownership): boolean {
  const asks = dependent.meta.ownerReferences.some(
    ({ uid, blockOwnerDeletion }) => uid === owner.meta.uid && blockOwnerDeletion === true,
  );
  return asks && !dependsOn(owner, dependent, ownership);
}

/** Whether `object` is among the direct or indirect dependents of `on`. */
function dependsOn(object: StoredObject, on: StoredObject, ownership: Ownership): boolean {
  const seen = new Set<string>();
  const open = [on.meta.uid];
  for (let uid = open.pop(); uid !== undefined; uid = open.pop()) {
    if (seen.has(uid)) continue;
    seen.add(uid);
    for (const dependent of ownership.dependentsOf(uid)) {
      if (dependent.meta.uid === object.meta.uid) return true;
      open.push(dependent.meta.uid);
    }
  }
  return false;
}
