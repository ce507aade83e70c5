import type { Millis, NewEvent } from '../event.js';
import type { JsonObject } from '../json.js';
import type { ObjectMeta } from '../meta/object-meta.js';

/** A Kubernetes Event object (`kubectl get events`): derived from the log, or recorded for a client that writes its own. */
export interface KubernetesEventState {
  readonly kind: 'Event';
  readonly meta: ObjectMeta;
  /** Core/v1 shape without kind, apiVersion and metadata. */
  readonly body: JsonObject;
  /** Of a derived one: what makes the next occurrence the same Event. */
  readonly identity?: string;
  readonly lastSeenAt: Millis;
}

export type KubernetesEventEvent =
  | NewEvent<'EventRecorded', { readonly uid: string; readonly object: JsonObject; readonly fieldManager: string }>
  | NewEvent<'EventDeleted', { readonly uid: string }>
  /** Every Event object last seen at or before `through` leaves the live view; history keeps it. */
  | NewEvent<'EventsExpired', { readonly through: Millis }>;

/** What concerns the cluster as a whole. */
export type ClusterEvent =
  /** More than half of the nodes fell silent together: none of their pods are replaced. */
  | NewEvent<'NodesSilentTogether', { readonly nodes: readonly string[]; readonly total: number }>
  | NewEvent<'NodesHeardAgain', { readonly nodes: readonly string[] }>
  | NewEvent<'PodNetworkAllocated', { readonly node: string; readonly podCIDR: string }>;
