import type { NewEvent } from '../event.js';
import type { JsonObject } from '../json.js';
import type { ChangeRequest, ChangedData, ObjectMeta, Preconditions, RequestedMeta } from '../meta/object-meta.js';

export type NamespaceEvent =
  | NewEvent<'NamespaceRequested', RequestedMeta & { readonly finalizers: readonly string[] }>
  | NewEvent<'NamespaceChanged', ChangedData>
  | NewEvent<'NamespaceDeletionRequested', Record<string, never>>
  /** Everything in it is gone: its `spec.finalizers` are cleared. */
  | NewEvent<'NamespaceEmptied', Record<string, never>>
  | NewEvent<'NamespaceDeleted', { readonly uid: string }>;

export interface NamespaceState {
  readonly kind: 'Namespace';
  readonly meta: ObjectMeta;
  /** `spec.finalizers`: `kubernetes` until emptied. */
  readonly specFinalizers: readonly string[];
  /** What clients wrote through `/status`: conditions of their own. */
  readonly clientStatus?: JsonObject;
}

export type NamespaceCommand =
  | { readonly type: 'RequestNamespace'; readonly name: string; readonly meta: RequestedMeta }
  | ({ readonly type: 'ChangeNamespace'; readonly status?: JsonObject } & ChangeRequest)
  | { readonly type: 'DeleteNamespace'; readonly preconditions: Preconditions }
  /** The reconcile found it empty, or a client finalized it. */
  | { readonly type: 'FinalizeNamespace'; readonly uid: string };
