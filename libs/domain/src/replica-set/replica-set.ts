import type { NewEvent } from '../event.js';
import type { JsonObject } from '../json.js';
import type {
  ChangeRequest,
  ChangedData,
  ObjectMeta,
  Preconditions,
  Propagation,
  RequestedMeta,
} from '../meta/object-meta.js';
import type { LabelSelector, PodSpec } from '../pod/pod-spec.js';

export interface PodTemplate extends JsonObject {
  readonly metadata?: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: PodSpec;
}

/** `spec` without `replicas`: how many is a wish of its own ({@link ReplicaSetState.replicas}). */
export interface ReplicaSetSpec extends JsonObject {
  readonly selector: LabelSelector & JsonObject;
  readonly template: PodTemplate;
  readonly minReadySeconds?: number;
}

/** What the scheduler saw of a replica set's pods. */
export interface ReplicaSetStatus {
  readonly replicas: number;
  readonly fullyLabeledReplicas: number;
  readonly readyReplicas: number;
  readonly availableReplicas: number;
  readonly observedGeneration: number;
}

export type ReplicaSetEvent =
  | NewEvent<'ReplicaSetRequested', RequestedMeta & { readonly spec: ReplicaSetSpec }>
  | NewEvent<
      'ScaleRequested',
      {
        readonly uid: string;
        readonly replicas: number;
        readonly previous?: number;
        readonly fieldManager: string;
        /** The same edit changed the spec besides: one edit is one generation. */ readonly partOfEdit?: true;
      }
    >
  | NewEvent<'ReplicaSetChanged', ChangedData>
  | NewEvent<'ReplicaSetStatusChanged', ReplicaSetStatus>
  | NewEvent<'ReplicaSetDeletionRequested', { readonly propagation: Propagation }>
  | NewEvent<'ReplicaSetDeleted', { readonly uid: string }>;

export interface ReplicaSetState {
  readonly kind: 'ReplicaSet';
  readonly meta: ObjectMeta;
  readonly spec: ReplicaSetSpec;
  readonly replicas: number;
  readonly status: ReplicaSetStatus;
}

export type ReplicaSetCommand =
  | {
      readonly type: 'RequestReplicaSet';
      readonly namespace: string;
      readonly name: string;
      readonly meta: RequestedMeta;
      readonly spec: ReplicaSetSpec;
      readonly replicas: number;
    }
  /** `desired.spec` includes `replicas`, as clients send it. */
  | ({ readonly type: 'ChangeReplicaSet' } & ChangeRequest)
  | {
      readonly type: 'ScaleReplicaSet';
      readonly replicas: number;
      readonly preconditions: Preconditions;
      readonly fieldManager: string;
    }
  | { readonly type: 'RecordReplicaSetStatus'; readonly uid: string; readonly status: ReplicaSetStatus }
  | { readonly type: 'DeleteReplicaSet'; readonly preconditions: Preconditions; readonly propagation: Propagation }
  /** The reconcile's last step: dependents are gone or orphaned, the finalizers of propagation are taken off. */
  | { readonly type: 'FinishReplicaSetDeletion'; readonly uid: string };
