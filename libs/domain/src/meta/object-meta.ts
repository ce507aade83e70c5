import type { Millis, Revision } from '../event.js';
import type { Json, JsonObject } from '../json.js';

export interface OwnerReference extends JsonObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

/** One manager's fields, as Kubernetes shows them in `metadata.managedFields`. */
export interface ManagedFieldsEntry extends JsonObject {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  /** RFC 3339, whole seconds. */
  readonly time?: string;
  readonly fieldsType: 'FieldsV1';
  readonly fieldsV1: JsonObject;
  readonly subresource?: string;
}

/** What is to become of an object's dependents when it goes. */
export type Propagation = 'Background' | 'Foreground' | 'Orphan';

/** A deletion that was asked for and is under way. It is never taken back. */
export interface Deletion {
  readonly requestedAt: Millis;
  readonly propagation: Propagation;
  /** Pods: seconds from `requestedAt` to SIGKILL; may only shrink. `0` for every other kind. */
  readonly gracePeriodSeconds: number;
}

/** What every object has. Shared by all kinds; each kind's state is `{ meta, ... }`. */
export interface ObjectMeta {
  readonly name: string;
  /** Empty for cluster-scoped kinds. */
  readonly namespace: string;
  readonly uid: string;
  readonly generateName?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly ownerReferences: readonly OwnerReference[];
  readonly finalizers: readonly string[];
  readonly createdAt: Millis;
  /** Grows by one with every change of the spec, from 1. */
  readonly generation: number;
  /** Revision of the last event that changed the wire form. */
  readonly resourceVersion: Revision;
  readonly deletion?: Deletion;
  readonly managedFields: readonly ManagedFieldsEntry[];
}

/** What a client gives for a new object's metadata, with the uid that the API drew for it. */
export interface RequestedMeta {
  readonly uid: string;
  readonly generateName?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly ownerReferences: readonly OwnerReference[];
  readonly finalizers: readonly string[];
  readonly fieldManager: string;
  readonly managedFields: readonly ManagedFieldsEntry[];
}

/** The part of an object that clients edit: metadata's four editable maps and lists, and the spec. */
export interface Editable {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly ownerReferences: readonly OwnerReference[];
  readonly finalizers: readonly string[];
  readonly spec: JsonObject;
}

/** One edit: the value at a path of the wire form becomes `to`, or goes when `to` is absent. List indexes are decimal strings. */
export interface Change {
  readonly path: readonly string[];
  readonly to?: Json;
}

/** Data of every `<Kind>Changed` event. */
export interface ChangedData {
  readonly changes: readonly Change[];
  readonly fieldManager: string;
  readonly operation: 'Apply' | 'Update';
  readonly subresource?: string;
  /** Delta: entries that replace the same (manager, operation, subresource); an empty `fieldsV1` removes it. */
  readonly managedFields: readonly ManagedFieldsEntry[];
}

/** What must be true of the object for a command to be carried out. */
export interface Preconditions {
  readonly uid?: string;
  readonly resourceVersion?: string;
}

/** An edit of an object, as a command. `desired` is the whole editable part after the edit. */
export interface ChangeRequest {
  readonly desired: Editable;
  readonly preconditions: Preconditions;
  readonly fieldManager: string;
  readonly operation: 'Apply' | 'Update';
  readonly subresource?: string;
  readonly managedFields: readonly ManagedFieldsEntry[];
}
