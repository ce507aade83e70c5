import { scaledValue } from '../workload/int-or-percent.js';
import type { ReplicaSetState, WorkloadState } from '../workload/workload.js';

type Deployment = WorkloadState<'Deployment'>;

/** A replica set with how many pods it is to have, and how many of them are available now. */
export interface Sized {
  readonly set: ReplicaSetState;
  readonly replicas: number;
  /** Never more than `replicas`: scaled down, a set ends pods that are not available first. */
  readonly available: number;
}

/** What a resize makes of replica sets, by uid; those that stay as they are are absent. */
export type Sizes = ReadonlyMap<string, number>;

export interface Fenceposts {
  /** Pods beyond `spec.replicas` that there may be. */
  readonly maxSurge: number;
  /** Pods short of `spec.replicas` that may be unavailable. */
  readonly maxUnavailable: number;
}

/**
 * How far a rolling update may go. Surge is rounded up and unavailability down; where both come to nothing, one pod may be
 * unavailable, for else nothing could move. Source: kube-controller-manager, `ResolveFenceposts`, `MaxSurge` and
 * `MaxUnavailable`.
 */
export function fencepostsOf({ spec: { strategy }, replicas }: Pick<Deployment, 'spec' | 'replicas'>): Fenceposts {
  if (strategy?.type === 'Recreate') return { maxSurge: 0, maxUnavailable: 0 };
  const { maxSurge: surge = '25%', maxUnavailable: unavailable = '25%' } = strategy?.rollingUpdate ?? {};
  const maxSurge = scaledValue(surge, replicas, 'up');
  const maxUnavailable = scaledValue(unavailable, replicas, 'down');
  if (maxSurge === 0 && maxUnavailable === 0) return { maxSurge, maxUnavailable: Math.min(1, replicas) };
  return { maxSurge, maxUnavailable: Math.min(maxUnavailable, replicas) };
}

const total = (sizes: readonly Sized[], count: 'replicas' | 'available' = 'replicas'): number =>
  sizes.reduce((sum, one) => sum + one[count], 0);

/** How many pods the new replica set may have beside the old ones. Source: kube-controller-manager, `NewRSNewReplicas`. */
export function newReplicas(deployment: Deployment, newest: number, all: readonly Sized[]): number {
  if (deployment.spec.strategy?.type === 'Recreate') return deployment.replicas;
  const room = deployment.replicas + fencepostsOf(deployment).maxSurge - total(all);
  if (room <= 0) return newest;
  return newest + Math.min(room, deployment.replicas - newest);
}

/**
 * One step of a rolling update: the new replica set grows as far as the surge allows; when it cannot, the old ones shrink as far
 * as unavailability allows, those of their pods that are not available first, the oldest set first. Empty: it has to wait, or
 * is done. Source: kube-controller-manager, `reconcileNewReplicaSet` and `reconcileOldReplicaSets`.
 */
export function rollingStep(deployment: Deployment, newest: Sized, old: readonly Sized[]): Sizes {
  const wanted = deployment.replicas;
  const size = newest.replicas > wanted ? wanted : newReplicas(deployment, newest.replicas, [...old, newest]);
  if (size !== newest.replicas) return new Map([[newest.set.meta.uid, size]]);
  return shrinkOld(deployment, newest, old);
}

function shrinkOld(deployment: Deployment, newest: Sized, old: readonly Sized[]): Sizes {
  const minAvailable = deployment.replicas - fencepostsOf(deployment).maxUnavailable;
  const ageing = [...old].sort(oldestFirst);
  const sizes = new Map<string, number>();
  let unhealthy = total([...old, newest]) - minAvailable - (newest.replicas - newest.available);
  if (unhealthy <= 0) return sizes;
  for (const { set, replicas, available } of ageing) {
    const less = Math.min(unhealthy, replicas - available);
    if (less <= 0) continue;
    sizes.set(set.meta.uid, replicas - less);
    unhealthy -= less;
  }
  let spare = total([...old, newest], 'available') - minAvailable;
  for (const { set, replicas } of ageing) {
    const current = sizes.get(set.meta.uid) ?? replicas;
    const less = Math.min(spare, current);
    if (less <= 0) continue;
    sizes.set(set.meta.uid, current - less);
    spare -= less;
  }
  return sizes;
}

/**
 * What a changed `spec.replicas` does to replica sets between which a rolling update is under way: each gets its share of the
 * difference, the largest what is left over. Source: kube-controller-manager, `scale` and `GetProportion`.
 */
export function proportionalSizes(deployment: Deployment, active: readonly Sized[]): Sizes {
  const { maxSurge } = fencepostsOf(deployment);
  const allowed = deployment.replicas > 0 ? deployment.replicas + maxSurge : 0;
  const difference = allowed - total(active);
  const order = [...active].sort((a, b) => b.replicas - a.replicas || (difference > 0 ? -1 : 1) * oldestFirst(a, b));
  const sizes = new Map<string, number>();
  let added = 0;
  for (const { set, replicas } of order) {
    const share = difference === 0 ? 0 : proportion(deployment, set, difference - added);
    sizes.set(set.meta.uid, replicas + share);
    added += share;
  }
  const [first] = order;
  if (first) {
    const { uid } = first.set.meta;
    sizes.set(uid, Math.max(0, (sizes.get(uid) ?? first.replicas) + difference - added));
  }
  return sizes;
}

/** A set's share of what is to be added (or, below zero, taken away), and no more than is left of it. */
function proportion(deployment: Deployment, set: ReplicaSetState, left: number): number {
  if (set.replicas === 0 || left === 0) return 0;
  const share = shareOf(deployment, set);
  return left > 0 ? Math.min(share, left) : Math.max(share, left);
}

function shareOf(deployment: Deployment, set: ReplicaSetState): number {
  if (deployment.replicas === 0) return -set.replicas;
  const before = maxReplicasOf(set) || deployment.status.replicas;
  if (before === 0) return 0;
  const after = deployment.replicas + fencepostsOf(deployment).maxSurge;
  return Math.round((set.replicas * after) / before) - set.replicas;
}

/** On a replica set: `spec.replicas` of its deployment when it was last sized. */
export const DESIRED_REPLICAS = 'deployment.kubernetes.io/desired-replicas';
/** On a replica set: the same with the surge of that time. */
export const MAX_REPLICAS = 'deployment.kubernetes.io/max-replicas';

const integerIn = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;

const maxReplicasOf = ({ meta }: ReplicaSetState): number => integerIn(meta.annotations[MAX_REPLICAS]) ?? 0;

/** `spec.replicas` of the deployment when the set was last sized; `undefined` when nobody noted it. */
export const desiredReplicasOf = ({ meta }: ReplicaSetState): number | undefined =>
  integerIn(meta.annotations[DESIRED_REPLICAS]);

/** Oldest first, by name among those of one moment. */
export const oldestFirst = (a: Pick<Sized, 'set'>, b: Pick<Sized, 'set'>): number =>
  a.set.meta.createdAt - b.set.meta.createdAt || (a.set.meta.name < b.set.meta.name ? -1 : 1);
