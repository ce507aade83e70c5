import type {
  ClusterState,
  FieldFault,
  Json,
  JsonObject,
  Kind,
  ManagedFieldsEntry,
  Millis,
  NewEvent,
  Preconditions,
  Propagation,
  Recorded,
  RequestedMeta,
  StoredObject,
} from '#domain';
import type { ObjectKey } from '../secrets/object-key.js';
import type { ColumnDefinition, ResourceInfo, SubresourceInfo } from '../wire/index.js';

/** One column of a Table and how its cell is read off an object's wire form. */
export interface Column extends ColumnDefinition {
  readonly cell: (object: JsonObject, now: Millis) => Json;
}

/** A new object as the API has accepted it: decoded, defaulted and validated. */
export interface CreateRequest {
  readonly namespace: string;
  readonly name: string;
  readonly meta: RequestedMeta;
  /** The whole object in its wire form. */
  readonly object: JsonObject;
  /** Its key, of kinds that have {@link ResourceDefinition.reveal}. */
  readonly key?: ObjectKey;
}

/** An edit: the wire form before and after, and who makes it. */
export interface ChangeOf {
  readonly before: JsonObject;
  readonly after: JsonObject;
  readonly preconditions: Preconditions;
  readonly fieldManager: string;
  readonly operation: 'Apply' | 'Update';
  /** The subresource written through, if any. */
  readonly subresource?: string;
  readonly managedFields: readonly ManagedFieldsEntry[];
  /** The object's key, of kinds that have {@link ResourceDefinition.reveal}; absent when it is destroyed. */
  readonly key?: ObjectKey;
}

/** A wish that an object go. */
export interface RemovalRequest {
  readonly preconditions: Preconditions;
  /** Seconds; only pods heed it. */
  readonly gracePeriodSeconds?: number;
  readonly propagation: Propagation;
  readonly reason: 'Requested' | 'Evicted';
}

/** What a decision comes to: events for the object's own stream. */
export type Decided = readonly NewEvent<string, unknown>[];

/** A path below an object, and what can be done there besides being listed in discovery. */
export interface Subresource extends SubresourceInfo {
  /** What GET shows, and PUT and PATCH start from. Absent: nothing to show. */
  view?(object: StoredObject): JsonObject;
  /** Why it is not served, where clients would look for it. */
  readonly notYet?: string;
  /** What is wrong with a body. */
  faultsOf?(body: JsonObject): readonly FieldFault[];
  /** PUT and PATCH: the view before and after. */
  change?(request: ChangeOf, current: StoredObject, state: ClusterState): Decided;
  /** POST: a wish about the object, such as binding or eviction. */
  act?(body: JsonObject, current: StoredObject, state: ClusterState): Decided;
}

/**
 * A kind, as everything that serves it reads it: discovery, OpenAPI, routing, Tables, selectors and the verbs. The
 * functions decide on a state and return events; they throw `DomainError` to refuse. Adding a kind is adding one of these.
 */
export interface ResourceDefinition extends ResourceInfo {
  /** How the cluster's state keeps it. */
  readonly stored: Kind;
  readonly subresources: readonly Subresource[];
  readonly columns: readonly Column[];
  /** Fields a list can be selected by, besides name and namespace. */
  readonly fields: Readonly<Record<string, (object: JsonObject) => string | undefined>>;
  /** Stream of an object. */
  streamOf(namespace: string, name: string): string;
  /** The wire form in this group and version. */
  wire(object: StoredObject): JsonObject;
  /**
   * Of kinds that the log keeps encrypted: an object as clients see it, to be shown and never to be stored. Without a key, what
   * is left of it.
   */
  reveal?(object: StoredObject, key: ObjectKey | undefined): StoredObject;
  /** An update with what it may leave out and keeps all the same, before anything else looks at it. */
  settle?(before: JsonObject, after: JsonObject): JsonObject;
  create(request: CreateRequest, state: ClusterState): Decided;
  change(request: ChangeOf, current: StoredObject, state: ClusterState): Decided;
  remove(request: RemovalRequest, current: StoredObject, state: ClusterState): Decided;
  /** The domain's fold for the stored kind: tells what a dry run would lead to. */
  evolve(current: StoredObject | undefined, event: Recorded): StoredObject | undefined;
}
