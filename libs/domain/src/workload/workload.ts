import type { CronJobFact, CronJobLedger, CronJobSpec, CronJobStatus } from '../cron-job/cron-job.js';
import type { NewEvent } from '../event.js';
import type { JobFact, JobLedger, JobSpec, JobStatus } from '../job/job.js';
import type { JsonObject } from '../json.js';
import type {
  ChangeRequest,
  ChangedData,
  ObjectMeta,
  Preconditions,
  Propagation,
  RequestedMeta,
} from '../meta/object-meta.js';
import type { DaemonSetSpec, DaemonSetStatus } from '../daemon-set/daemon-set.js';
import type { DeploymentSpec, DeploymentStatus } from '../deployment/deployment.js';
import type { ReplicaSetSpec, ReplicaSetStatus } from '../replica-set/replica-set.js';

/**
 * The kinds that live one life: a client asks for one and edits it, a reconcile of the scheduler makes it true and tells how
 * it stands, and it goes when its dependents have gone or were let go. What a kind keeps of its own is its spec and its status.
 *
 * To add a kind: a line here; its traits in `evolve.ts`; its names in `meta/kinds.ts`; the five events in
 * `event-catalogue.ts`; its {@link WorkloadRules} (a pure reconcile) in `rules-of.ts`, which the scheduler runs; and in
 * apps/api a definition made by `workloadResource`, with defaults and validation as any kind has them. Storage, deciders,
 * garbage collection, namespace emptying, wire form, status subresource and the scheduler's loop follow from these.
 *
 * A kind whose status cannot be read off what is there now has facts of its own, recorded as `<Kind><Fact>`, and a ledger
 * that they are folded into: a job counts each pod once, also when it is gone.
 */
export interface WorkloadShapes {
  readonly ReplicaSet: WorkloadShape<ReplicaSetSpec, ReplicaSetStatus, true>;
  readonly DaemonSet: WorkloadShape<DaemonSetSpec, DaemonSetStatus, false>;
  readonly Deployment: WorkloadShape<DeploymentSpec, DeploymentStatus, true>;
  readonly Job: WorkloadShape<JobSpec, JobStatus, false, JobFact, JobLedger>;
  readonly CronJob: WorkloadShape<CronJobSpec, CronJobStatus, false, CronJobFact, CronJobLedger>;
}

/** `Scaled`: it has `spec.replicas`, which is kept apart from the spec because a wish for a number is a `ScaleRequested`. */
interface WorkloadShape<
  Spec extends JsonObject,
  Status extends JsonObject,
  Scaled extends boolean,
  Fact extends NewEvent<string, unknown> = never,
  Ledger extends JsonObject | undefined = undefined,
> {
  readonly spec: Spec;
  readonly status: Status;
  readonly scaled: Scaled;
  readonly fact: Fact;
  readonly ledger: Ledger;
}

export type WorkloadKind = keyof WorkloadShapes;

type Replicas<Scaled extends boolean> = Scaled extends true ? { readonly replicas: number } : unknown;
type Kept<Ledger> = Ledger extends JsonObject ? { readonly ledger: Ledger } : unknown;

/** A workload, folded from its stream. Narrowed by `kind` when `K` is a union. */
export type WorkloadState<K extends WorkloadKind = WorkloadKind> = {
  [P in K]: {
    readonly kind: P;
    readonly meta: ObjectMeta;
    /** Without `replicas`. */
    readonly spec: WorkloadShapes[P]['spec'];
    readonly status: WorkloadShapes[P]['status'];
  } & Replicas<WorkloadShapes[P]['scaled']> &
    Kept<WorkloadShapes[P]['ledger']>;
}[K];

/** A workload of a kind with replicas. */
export type ScaledKind = { [K in WorkloadKind]: WorkloadShapes[K]['scaled'] extends true ? K : never }[WorkloadKind];

export type ReplicaSetState = WorkloadState<'ReplicaSet'>;
export type JobState = WorkloadState<'Job'>;
export type CronJobState = WorkloadState<'CronJob'>;

/** A workload whatever its kind, for code that treats all alike. */
export interface AnyWorkload {
  readonly kind: WorkloadKind;
  readonly meta: ObjectMeta;
  readonly spec: JsonObject;
  readonly status: JsonObject;
  readonly replicas?: number;
  readonly ledger?: JsonObject;
}

export type ScaleRequested = NewEvent<
  'ScaleRequested',
  {
    readonly uid: string;
    readonly replicas: number;
    readonly previous?: number;
    readonly fieldManager: string;
    /** The same edit changed the spec besides: one edit is one generation. */ readonly partOfEdit?: true;
  }
>;

/** What a workload needs was refused: a pod of its template is not taken in. Recorded when the words change, else once a minute. */
export type CreationRefused = NewEvent<
  'CreationRefused',
  { readonly uid: string; readonly reason: string; readonly message: string }
>;

/** What only some kinds have happen to them, without the kind's name before it. */
export type WorkloadFact = WorkloadShapes[WorkloadKind]['fact'];

type FactEvent<P extends string, Fact> =
  Fact extends NewEvent<infer Type, infer Data> ? NewEvent<`${P}${Type}`, Data> : never;

/** What can happen to a workload of a kind. */
export type WorkloadEvent<K extends WorkloadKind = WorkloadKind> =
  | {
      [P in K]:
        | NewEvent<`${P}Requested`, RequestedMeta & { readonly spec: WorkloadShapes[P]['spec'] }>
        | NewEvent<`${P}Changed`, ChangedData>
        | NewEvent<`${P}StatusChanged`, WorkloadShapes[P]['status']>
        | NewEvent<`${P}DeletionRequested`, { readonly propagation: Propagation }>
        | NewEvent<`${P}Deleted`, { readonly uid: string }>
        | FactEvent<P, WorkloadShapes[P]['fact']>;
    }[K]
  | CreationRefused
  | ScaleRequested;

/** The same without the kind's name before it: how deciders and folds of all kinds see it. */
export type BareWorkloadEvent =
  | NewEvent<'Requested', RequestedMeta & { readonly spec: JsonObject }>
  | NewEvent<'Changed', ChangedData>
  | NewEvent<'StatusChanged', JsonObject>
  | NewEvent<'DeletionRequested', { readonly propagation: Propagation }>
  | NewEvent<'Deleted', { readonly uid: string }>
  | WorkloadFact
  | CreationRefused
  | ScaleRequested;

/** What may be wished of a workload of any kind. */
export type WorkloadCommand =
  | {
      readonly type: 'RequestWorkload';
      readonly namespace: string;
      readonly name: string;
      readonly meta: RequestedMeta;
      /** Without `replicas`. */
      readonly spec: JsonObject;
      /** Of scaled kinds only. */
      readonly replicas?: number;
    }
  /** `desired.spec` includes `replicas`, as clients send it. `status` is written by way of the subresource of that name. */
  | ({ readonly type: 'ChangeWorkload'; readonly status?: JsonObject } & ChangeRequest)
  | {
      readonly type: 'ScaleWorkload';
      readonly replicas: number;
      readonly preconditions: Preconditions;
      readonly fieldManager: string;
    }
  /** `facts` come after the status, which is what it was before them but for what was counted anew. */
  | {
      readonly type: 'RecordWorkloadStatus';
      readonly uid: string;
      readonly status: JsonObject;
      readonly facts?: readonly WorkloadFact[];
    }
  | { readonly type: 'RecordCreationRefused'; readonly uid: string; readonly reason: string; readonly message: string }
  | { readonly type: 'DeleteWorkload'; readonly preconditions: Preconditions; readonly propagation: Propagation }
  /** The garbage reconcile's last step: dependents are gone or orphaned, the finalizers of propagation are taken off. */
  | { readonly type: 'FinishWorkloadDeletion'; readonly uid: string };
