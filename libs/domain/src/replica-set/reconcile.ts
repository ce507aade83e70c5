import type { Millis } from '../event.js';
import type { PodState } from '../pod/pod.js';
import { podPhase } from '../pod/readiness.js';
import { withoutCondition } from '../workload/conditions.js';
import { availableAt, isActivePod, isAvailable, readySince } from '../workload/pod-counts.js';
import { claim } from '../workload/rules.js';
import type { ReplicaSetState } from '../workload/workload.js';
import type { ReplicaSetStatus } from './replica-set.js';

/** Pods made or ended in one pass; the next pass goes on. Source: kube-controller-manager, replicaset `BurstReplicas`. */
export const MAX_PODS_PER_PASS = 500;

/** Annotation by which a user says which pods to end first: the lower, the sooner. */
export const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost';

/** Condition: pods of the set were refused. It goes when there is nothing more to make. */
export const REPLICA_FAILURE = 'ReplicaFailure';

/** What it takes to make a replica set true. */
export interface ReplicaSetPlan {
  /** How many pods to make. */
  readonly add: number;
  /** Pods to end, the least useful first. */
  readonly remove: readonly PodState[];
  /** Pods that match and belong to no controller: they become this set's. */
  readonly adopt: readonly PodState[];
  /** Pods of this set that no longer match: they go their own way. */
  readonly release: readonly PodState[];
  readonly status: ReplicaSetStatus;
  /** There is more to add or remove than one pass does. */
  readonly more: boolean;
  /** When a ready pod becomes available though nothing else happens. */
  readonly availableAt?: Millis;
}

/**
 * Compares a replica set with the pods of its namespace (at least those it owns or selects). Pure; adopted pods count at
 * once, released ones no longer. A set that is being deleted only counts.
 */
export function reconcileReplicaSet(set: ReplicaSetState, pods: Iterable<PodState>, now: Millis): ReplicaSetPlan {
  const active = [...pods].filter(isActivePod);
  const { owned, adopt, release } = claim(set, set.spec.selector, active);
  const members = [...owned, ...adopt];
  const missing = set.meta.deletion ? 0 : set.replicas - members.length;
  const add = Math.min(Math.max(missing, 0), MAX_PODS_PER_PASS);
  const remove = missing < 0 ? leastUseful(members).slice(0, Math.min(-missing, MAX_PODS_PER_PASS)) : [];
  const counted = countStatus(set, members, now);
  return {
    add,
    remove,
    adopt,
    release,
    more: Math.abs(missing) > MAX_PODS_PER_PASS,
    ...counted,
  };
}

function countStatus(
  set: ReplicaSetState,
  members: readonly PodState[],
  now: Millis,
): { readonly status: ReplicaSetStatus; readonly availableAt?: Millis } {
  const templateLabels = Object.entries(set.spec.template.metadata?.labels ?? {});
  const { minReadySeconds } = set.spec;
  const ready = members.filter((pod) => readySince(pod) !== undefined);
  const available = ready.filter((pod) => isAvailable(pod, minReadySeconds, now));
  const waiting = ready.filter((pod) => !available.includes(pod));
  const nextAt = Math.min(...waiting.map((pod) => availableAt(pod, minReadySeconds) ?? Infinity));
  const conditions = withoutCondition(set.status.conditions ?? [], REPLICA_FAILURE);
  const status = {
    replicas: members.length,
    fullyLabeledReplicas: members.filter(({ meta }) =>
      templateLabels.every(([key, value]) => meta.labels[key] === value),
    ).length,
    readyReplicas: ready.length,
    availableReplicas: available.length,
    observedGeneration: set.meta.generation,
    ...(conditions.length > 0 && { conditions }),
  };
  return { status, ...(nextAt !== Infinity && { availableAt: nextAt }) };
}

const PHASE_RANK = { Pending: 0, Running: 1, Succeeded: 2, Failed: 2 } as const;

/**
 * Pods in the order in which they can be spared: not scheduled, Pending before Running, not ready, lower deletion cost, more
 * of the set's pods on the same node, ready for a shorter time, more restarts, newer, and last the uid. Source:
 * kube-controller-manager, `ActivePodsWithRanks` (which rounds the two ages to powers of two; ours are exact).
 */
export function leastUseful(members: readonly PodState[]): PodState[] {
  const onNode = new Map<string, number>();
  for (const { nodeName } of members) if (nodeName !== undefined) onNode.set(nodeName, (onNode.get(nodeName) ?? 0) + 1);
  const keyed = members.map((pod) => ({
    pod,
    rank: [
      pod.nodeName === undefined ? 0 : 1,
      PHASE_RANK[podPhase(pod)],
      readySince(pod) === undefined ? 0 : 1,
      deletionCost(pod),
      pod.nodeName === undefined ? 0 : -(onNode.get(pod.nodeName) ?? 0),
      -(readySince(pod) ?? 0),
      -restarts(pod),
      -pod.meta.createdAt,
    ],
  }));
  keyed.sort((a, b) => {
    const at = a.rank.findIndex((value, index) => value !== b.rank[index]);
    if (at >= 0) return (a.rank[at] ?? 0) - (b.rank[at] ?? 0);
    return a.pod.meta.uid < b.pod.meta.uid ? -1 : 1;
  });
  return keyed.map(({ pod }) => pod);
}

/** An annotation that is no 32-bit integer counts as none. Source: Kubernetes, "Pod deletion cost". */
function deletionCost({ meta }: PodState): number {
  const text = meta.annotations[DELETION_COST];
  if (text === undefined || !/^(0|-?[1-9]\d*)$/.test(text)) return 0;
  const cost = Number(text);
  return Math.abs(cost) < 2 ** 31 ? cost : 0;
}

const restarts = ({ containers }: PodState): number =>
  Math.max(0, ...Object.values(containers).map(({ attempt }) => attempt));
