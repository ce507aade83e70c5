import type { Kind, ObjectChange, ObjectOf, StoredObject } from '../cluster/stored-object.js';
import type { Millis } from '../event.js';
import type { JsonObject } from '../json.js';
import { namesOf } from '../meta/kinds.js';
import type { Editable, OwnerReference, Propagation, RequestedMeta } from '../meta/object-meta.js';
import type { NodeState } from '../node/node.js';
import type { PlainState } from '../plain/plain-object.js';
import type { LabelSelector, PodSpec } from '../pod/pod-spec.js';
import type { PodState, TerminationReason } from '../pod/pod.js';
import { matchesSelector } from '../selector.js';
import { isWorkload } from './evolve.js';
import type { AnyWorkload, WorkloadKind, WorkloadShapes, WorkloadState } from './workload.js';

/** What workloads are made of: pods, or workloads again. */
export type ChildKind = 'Pod' | WorkloadKind;
export type ChildState = PodState | WorkloadState;

/** What a step may be about: a child, or a template kept for a rollback. */
export type Handled = ChildState | PlainState<'ControllerRevision'>;

/** Something to make. The shell draws the uid, and the end of the name where only `meta.generateName` is given. */
interface Creation {
  readonly type: 'Create';
  readonly name?: string;
  readonly meta: Omit<RequestedMeta, 'uid'>;
}

/** One thing to do to make a workload true. Each becomes a command of its own; pods to make are taken together. */
export type WorkloadStep =
  | (Creation & { readonly kind: 'Pod'; readonly spec: PodSpec })
  /** `spec` is the whole body. */
  | (Creation & { readonly kind: 'ControllerRevision'; readonly spec: JsonObject })
  | (Creation & { readonly kind: WorkloadKind; readonly spec: JsonObject; readonly replicas?: number })
  /** An edit of metadata or spec, `replicas` included; what is absent stays. */
  | { readonly type: 'Edit'; readonly object: Handled; readonly desired: Partial<Editable> }
  | {
      readonly type: 'Delete';
      readonly object: Handled;
      readonly reason: TerminationReason;
      readonly propagation: Propagation;
      readonly message?: string;
    };

/** What it takes to make a workload true. */
export interface WorkloadPlan<K extends WorkloadKind = WorkloadKind> {
  readonly steps: readonly WorkloadStep[];
  /** Recorded after the steps, if anything in it is new. Absent: it waits until what the steps lead to can be seen. */
  readonly status?: WorkloadShapes[K]['status'];
  /** Facts of the workload's own, recorded after the status. */
  readonly facts?: readonly WorkloadShapes[K]['fact'][];
  /** All of the plan is one command: all of it happens, or nothing. Who plans so keeps plans small. */
  readonly together?: true;
  /** When to look again though nothing changes; a time that is over means at once. */
  readonly again?: Millis;
}

/** What has become of an object that a reconcile asked about. */
export interface Elsewhere {
  /** It is gone; otherwise it is there, and somebody else's. */
  readonly gone: boolean;
  /** What it is, or was last. */
  readonly object?: ChildState;
}

/** An object that a plan had made, as it was named. */
export interface Made {
  readonly uid: string;
  readonly name: string;
  readonly meta: Pick<RequestedMeta, 'labels' | 'annotations'>;
}

/** What of the cluster a reconcile may look at. `ClusterState` is one. */
export interface ClusterView {
  get(stream: string): StoredObject | undefined;
  nodes(): Iterable<NodeState>;
  all<K extends Kind>(kind: K): Iterable<ObjectOf<K>>;
  objectByUid(uid: string): StoredObject | undefined;
  dependentsOf(ownerUid: string): readonly StoredObject[];
}

/** What a reconcile is given besides the workload. */
export interface Surroundings {
  /** Objects of the child kind that name the workload among their owners, and those of its namespace without a controller. */
  readonly children: readonly ChildState[];
  readonly cluster: ClusterView;
  /** By uid: what the rules asked about ({@link WorkloadRules.alsoAsked}). */
  readonly elsewhere?: ReadonlyMap<string, Elsewhere>;
  readonly now: Millis;
}

/** How workloads of a kind are made true. Pure, and the same for the same state and time. */
export interface WorkloadRules<K extends WorkloadKind = WorkloadKind> {
  readonly kind: K;
  /** Who edits, in managed fields: `podledger-replicaset-controller`. */
  readonly manager: string;
  readonly child: ChildKind;
  /** Which children it may adopt; absent: none. */
  selectorOf?(workload: WorkloadState<K>): LabelSelector;
  /** Whether a change of a child can matter to its workload. Absent: every change does. */
  isChildChange?(before: ChildState | undefined, after: ChildState | undefined): boolean;
  /** Uids of workloads of the kind that a change concerns though it is of no child: a node that joined, say. */
  alsoConcerned?(change: ObjectChange, cluster: ClusterView): readonly string[];
  /** Pods that the reconcile has to know of though they are not among the children: gone by now, or somebody else's. */
  alsoAsked?(
    workload: WorkloadState<K>,
    children: readonly ChildState[],
  ): readonly { readonly uid: string; readonly stream: string }[];
  /** What the workload itself records of pods, in the command that makes them. Only of plans that are carried out together. */
  factsOf?(made: readonly Made[]): readonly WorkloadShapes[K]['fact'][];
  /** The status of a workload for which something could not be made, and why. Absent: its status does not tell. */
  refused?(workload: WorkloadState<K>, message: string, now: Millis): WorkloadShapes[K]['status'];
  reconcile(workload: WorkloadState<K>, surroundings: Surroundings): WorkloadPlan<K>;
}

/** Narrows an object of any kind to what workloads may be made of. */
export const isChild = (object: StoredObject): object is ChildState => object.kind === 'Pod' || isWorkload(object);

export const controllerOf = ({ meta }: Pick<StoredObject, 'meta'>): OwnerReference | undefined =>
  meta.ownerReferences.find(({ controller }) => controller === true);

export const isControlledBy = (object: Pick<StoredObject, 'meta'>, { meta }: Pick<AnyWorkload, 'meta'>): boolean =>
  controllerOf(object)?.uid === meta.uid;

/** The reference by which a child belongs to its workload. */
export function controllerReference({ kind, meta }: Pick<AnyWorkload, 'kind' | 'meta'>): OwnerReference {
  return {
    apiVersion: namesOf(kind).apiVersion,
    kind,
    name: meta.name,
    uid: meta.uid,
    controller: true,
    blockOwnerDeletion: true,
  };
}

/** Whom a workload has, takes in and lets go. */
export interface Claim<Child> {
  readonly owned: readonly Child[];
  readonly adopt: readonly Child[];
  readonly release: readonly Child[];
}

/**
 * Sorts children by whose they are: one that matches and has no controller is adopted, unless the workload or the child is
 * going; one that no longer matches is released. Source: kube-controller-manager, `BaseControllerRefManager.ClaimObject`.
 */
export function claim<Child extends Pick<ChildState, 'meta'>>(
  workload: Pick<AnyWorkload, 'meta'>,
  selector: LabelSelector,
  children: Iterable<Child>,
): Claim<Child> {
  const owned: Child[] = [];
  const adopt: Child[] = [];
  const release: Child[] = [];
  for (const child of children) {
    if (child.meta.namespace !== workload.meta.namespace) continue;
    const controller = controllerOf(child);
    const matches = matchesSelector(selector, child.meta.labels);
    if (controller?.uid === workload.meta.uid) (matches ? owned : release).push(child);
    else if (!controller && matches && !workload.meta.deletion && !child.meta.deletion) adopt.push(child);
  }
  return { owned, adopt, release };
}

/** The edits that make a claim so. */
export function ownershipSteps(
  workload: Pick<AnyWorkload, 'kind' | 'meta'>,
  { adopt, release }: Pick<Claim<ChildState>, 'adopt' | 'release'>,
): WorkloadStep[] {
  const others = ({ meta }: ChildState): OwnerReference[] =>
    meta.ownerReferences.filter(({ uid }) => uid !== workload.meta.uid);
  const edit = (object: ChildState, ownerReferences: readonly OwnerReference[]): WorkloadStep => ({
    type: 'Edit',
    object,
    desired: { ownerReferences },
  });
  return [
    ...adopt.map((child) => edit(child, [...others(child), controllerReference(workload)])),
    ...release.map((child) => edit(child, others(child))),
  ];
}
