import type { Millis, NewEvent, Revision } from '../event.js';
import type { JsonObject } from '../json.js';
import type { ObjectMeta } from '../meta/object-meta.js';

/** A Kubernetes Event object (`kubectl get events`): derived from the log, or recorded for a client that writes its own. */
export interface KubernetesEventState {
  readonly kind: 'Event';
  readonly meta: ObjectMeta;
  /** Of one that a client wrote: core/v1 shape without kind, apiVersion and metadata. */
  readonly body?: JsonObject;
  /** Of a derived one: what its body is made of when somebody looks at it. */
  readonly told?: Told;
  readonly lastSeenAt: Millis;
}

/** What `kubectl get events` says of a domain event, in the words Kubernetes' users look for. */
export interface EventText {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  /** `default-scheduler`, `kubelet`, `replicaset-controller` and the like. */
  readonly component: string;
  /** The container concerned. */
  readonly container?: string;
  /** How many occurrences it tells of; default 1. */
  readonly count?: number;
}

/** What a derived Event tells, and of how many occurrences. */
export interface Told {
  /** The object, as it was at the first occurrence. */
  readonly about: {
    readonly kind: string;
    readonly apiVersion: string;
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: Revision;
  };
  readonly text: EventText;
  /** Where it happened, when a node tells of it. */
  readonly host?: string;
  readonly firstAt: Millis;
  readonly count: number;
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
