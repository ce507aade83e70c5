import type { Recorded } from '../event.js';
import type { NamespaceState } from '../namespace/namespace.js';
import type { NodeState } from '../node/node.js';
import type { PlainObjectState } from '../plain/plain-object.js';
import type { PodState } from '../pod/pod.js';
import type { WorkloadState } from '../workload/workload.js';
import type { KubernetesEventState } from './kubernetes-event.js';

/** Anything that lives in the cluster, narrowed by `kind`. */
export type StoredObject =
  PodState | WorkloadState | NodeState | NamespaceState | PlainObjectState | KubernetesEventState;
export type Kind = StoredObject['kind'];
/** The objects of one kind. */
export type ObjectOf<K extends Kind> = Extract<StoredObject, { readonly kind: K }>;

/** What one event did to one object: `before` absent = it came, `after` absent = it went. */
export interface ObjectChange {
  readonly stream: string;
  readonly kind: Kind;
  readonly before?: StoredObject;
  readonly after?: StoredObject;
  readonly event: Recorded;
}
