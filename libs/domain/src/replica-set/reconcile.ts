import { admissionDefaults } from '../pod/admission-defaults.js';
import type { Millis } from '../event.js';
import type { OwnerReference, RequestedMeta } from '../meta/object-meta.js';
import { podPhase } from '../pod/readiness.js';
import type { PodSpec } from '../pod/pod-spec.js';
import type { PodState } from '../pod/pod.js';
import { matchesSelector } from '../selector.js';
import type { ReplicaSetState, ReplicaSetStatus } from './replica-set.js';

/** Pods made or ended in one pass; the next pass goes on. Source: kube-controller-manager, replicaset `BurstReplicas`. */
export const MAX_PODS_PER_PASS = 500;

/** Annotation by which a user says which pods to end first: the lower, the sooner. */
export const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost';

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

const controllerOf = (pod: PodState): OwnerReference | undefined =>
  pod.meta.ownerReferences.find(({ controller }) => controller === true);

/** Counts towards a set: neither ended nor being deleted. Source: kube-controller-manager, `FilterActivePods`. */
const isActive = (pod: PodState): boolean => pod.terminated === undefined && pod.meta.deletion === undefined;

const readyAt = (pod: PodState): Millis | undefined => {
  const ready = pod.conditions['Ready'];
  return ready?.status === 'True' ? ready.lastTransitionAt : undefined;
};

/**
 * Compares a replica set with the pods of its namespace (at least those it owns or selects). Pure; adopted pods count at
 * once, released ones no longer. A set that is being deleted only counts.
 */
export function reconcileReplicaSet(set: ReplicaSetState, pods: Iterable<PodState>, now: Millis): ReplicaSetPlan {
  const owned: PodState[] = [];
  const adopt: PodState[] = [];
  const release: PodState[] = [];
  for (const pod of pods) {
    if (pod.meta.namespace !== set.meta.namespace || !isActive(pod)) continue;
    const controller = controllerOf(pod);
    const matches = matchesSelector(set.spec.selector, pod.meta.labels);
    if (controller?.uid === set.meta.uid) (matches ? owned : release).push(pod);
    else if (!controller && matches && !set.meta.deletion) adopt.push(pod);
  }
  const members = [...owned, ...adopt];
  const missing = set.meta.deletion ? 0 : set.replicas - members.length;
  const add = Math.min(Math.max(missing, 0), MAX_PODS_PER_PASS);
  const remove = missing < 0 ? leastUseful(members).slice(0, Math.min(-missing, MAX_PODS_PER_PASS)) : [];
  const { status, availableAt } = countStatus(set, members, now);
  return {
    add,
    remove,
    adopt,
    release,
    status,
    more: Math.abs(missing) > MAX_PODS_PER_PASS,
    ...(availableAt !== undefined && { availableAt }),
  };
}

function countStatus(
  set: ReplicaSetState,
  members: readonly PodState[],
  now: Millis,
): { readonly status: ReplicaSetStatus; readonly availableAt?: Millis } {
  const templateLabels = Object.entries(set.spec.template.metadata?.labels ?? {});
  const waitMs = (set.spec.minReadySeconds ?? 0) * 1000;
  let fullyLabeledReplicas = 0;
  let readyReplicas = 0;
  let availableReplicas = 0;
  let availableAt = Infinity;
  for (const pod of members) {
    if (templateLabels.every(([key, value]) => pod.meta.labels[key] === value)) fullyLabeledReplicas += 1;
    const since = readyAt(pod);
    if (since === undefined) continue;
    readyReplicas += 1;
    // Ready for the asked time, counted from when it became so; without such a time, at once.
    if (waitMs === 0 || since + waitMs <= now) availableReplicas += 1;
    else availableAt = Math.min(availableAt, since + waitMs);
  }
  const status = {
    replicas: members.length,
    fullyLabeledReplicas,
    readyReplicas,
    availableReplicas,
    observedGeneration: set.meta.generation,
  };
  return { status, ...(availableAt !== Infinity && { availableAt }) };
}

const PHASE_RANK = { Pending: 0, Running: 1, Succeeded: 2, Failed: 2 } as const;

/**
 * Pods in the order in which they can be spared: not scheduled, Pending before Running, not ready, lower deletion cost, more
 * of the set's pods on the same node, ready for a shorter time, more restarts, newer, and last the uid. Source:
 * kube-controller-manager, `ActivePodsWithRanks` (which rounds the two ages to powers of two; ours are exact).
 */
function leastUseful(members: readonly PodState[]): PodState[] {
  const onNode = new Map<string, number>();
  for (const { nodeName } of members) if (nodeName !== undefined) onNode.set(nodeName, (onNode.get(nodeName) ?? 0) + 1);
  const keyed = members.map((pod) => ({
    pod,
    rank: [
      pod.nodeName === undefined ? 0 : 1,
      PHASE_RANK[podPhase(pod)],
      readyAt(pod) === undefined ? 0 : 1,
      deletionCost(pod),
      pod.nodeName === undefined ? 0 : -(onNode.get(pod.nodeName) ?? 0),
      -(readyAt(pod) ?? 0),
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

/** The reference by which a pod belongs to its replica set. */
export function controllerReference({ meta }: ReplicaSetState): OwnerReference {
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    name: meta.name,
    uid: meta.uid,
    controller: true,
    blockOwnerDeletion: true,
  };
}

/** A new pod of a set, made from its template; the shell adds the uid and the name. */
export function podFromTemplate(set: ReplicaSetState): {
  readonly generateName: string;
  readonly meta: Omit<RequestedMeta, 'uid'>;
  readonly spec: PodSpec;
} {
  const { metadata, spec } = set.spec.template;
  const generateName = `${set.meta.name}-`;
  return {
    generateName,
    meta: {
      generateName,
      labels: metadata?.labels ?? {},
      annotations: metadata?.annotations ?? {},
      ownerReferences: [controllerReference(set)],
      finalizers: [],
      fieldManager: 'podledger-replicaset-controller',
      managedFields: [],
    },
    spec: admissionDefaults(spec),
  };
}

/** Letters of generated names: no vowels and nothing that looks like one, so that no words appear. Source: apimachinery, `util/rand`. */
const NAME_LETTERS = 'bcdfghjklmnpqrstvwxz2456789';
const SUFFIX_LENGTH = 5;
/** Names longer than this leave no room for the suffix in 63 characters. Source: apiserver, `names.SimpleNameGenerator`. */
const LONGEST_BASE = 58;

/** A name for `generateName`; `random` gives numbers in [0, 1). */
export function generatedName(generateName: string, random: () => number): string {
  let name = generateName.slice(0, LONGEST_BASE);
  for (let count = 0; count < SUFFIX_LENGTH; count += 1) {
    name += NAME_LETTERS.charAt(Math.floor(random() * NAME_LETTERS.length));
  }
  return name;
}
