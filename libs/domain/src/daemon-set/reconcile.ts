import type { Millis } from '../event.js';
import type { PodState } from '../pod/pod.js';
import { availableAt, isAvailable, readySince } from '../workload/pod-counts.js';
import { podFromTemplate } from '../workload/pod-from-template.js';
import {
  claim,
  controllerReference,
  ownershipSteps,
  type Surroundings,
  type WorkloadPlan,
  type WorkloadStep,
} from '../workload/rules.js';
import type { WorkloadState } from '../workload/workload.js';
import type { DaemonSetStatus } from './daemon-set.js';
import { historyOf } from './history.js';
import { daemonFit, daemonPodSpec, nodeOfDaemonPod } from './nodes.js';
import { CONTROLLER_REVISION_HASH, type DaemonNode, updateStep } from './update.js';

type DaemonSet = WorkloadState<'DaemonSet'>;
type Plan = WorkloadPlan<'DaemonSet'>;

export const DAEMON_SET_MANAGER = 'podledger-daemonset-controller';

/** Pods made in one pass; the next pass goes on. Source: kube-controller-manager, daemon `BurstReplicas`. */
export const MAX_DAEMONS_PER_PASS = 250;

/**
 * How long a pod that ended stays before another takes its place: a pod that its node refuses must not be made again and
 * again. Milliseconds. (Kubernetes: 1 s, doubling to 15 minutes.)
 */
export const ENDED_DAEMON_MS = 5_000;

interface Found extends DaemonNode {
  readonly shouldRun: boolean;
  readonly mayStay: boolean;
}

/**
 * Compares a daemon set with the nodes and with its pods: one on every node that fits. Pure. Source: kube-controller-manager,
 * daemon `manage`, `rollingUpdate` and `updateDaemonSetStatus`.
 */
export function reconcileDaemonSet(set: DaemonSet, { children, cluster, now }: Surroundings): Plan {
  const pods = children.filter((child): child is PodState => child.kind === 'Pod');
  const { owned, adopt, release } = claim(set, set.spec.selector, pods);
  if (adopt.length + release.length > 0) return { steps: ownershipSteps(set, { adopt, release }) };
  const byNode = groupByNode(owned);
  const nodes = [...cluster.nodes()]
    .map((node): Found => {
      const { name } = node.meta;
      return { name, pods: byNode.get(name) ?? [], ...daemonFit(set.spec.template.spec, node) };
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const history = historyOf(set, owned, cluster, DAEMON_SET_MANAGER);
  const { hash } = history;
  const { status, again } = statusOf(set, nodes, hash, now);
  if (set.meta.deletion) return { steps: [], status };
  if (history.collided) return { steps: [], status: { ...status, collisionCount: (status.collisionCount ?? 0) + 1 } };
  const known = new Set(nodes.map(({ name }) => name));
  const stranded = owned.filter((pod) => !pod.meta.deletion && !known.has(nodeOfDaemonPod(pod) ?? ''));
  const spare = nodes.flatMap((node) => surplusOf(set, node, hash, now));
  const ended = nodes.flatMap(endedOn);
  const due = ended.filter(({ terminated }) => (terminated?.at ?? 0) + ENDED_DAEMON_MS <= now);
  const missing = nodes.filter((node) => node.shouldRun && node.pods.length === 0).map(({ name }) => name);
  const wanted = nodes.filter(({ shouldRun }) => shouldRun);
  const update = updateStep(set, wanted, hash, now);
  const add = [...missing, ...update.surge];
  const steps = [
    ...history.steps,
    ...[...new Set([...stranded, ...spare, ...due, ...update.remove])].map(removal),
    ...add.slice(0, MAX_DAEMONS_PER_PASS).map((node) => creation(set, node, hash)),
  ];
  const later = ended
    .filter((pod) => !due.includes(pod))
    .map(({ terminated }) => (terminated?.at ?? 0) + ENDED_DAEMON_MS);
  const next = Math.min(again ?? Infinity, ...later, add.length > MAX_DAEMONS_PER_PASS ? now : Infinity);
  return { steps, ...(steps.length === 0 && { status }), ...(next !== Infinity && { again: next }) };
}

/** By the node they are on or for; those that stay first, then by age. */
function groupByNode(pods: readonly PodState[]): ReadonlyMap<string, readonly PodState[]> {
  const byNode = new Map<string, PodState[]>();
  const isGoing = ({ meta }: PodState): number => (meta.deletion ? 1 : 0);
  for (const pod of [...pods].sort((a, b) => isGoing(a) - isGoing(b) || oldestFirst(a, b))) {
    const node = nodeOfDaemonPod(pod) ?? '';
    byNode.set(node, [...(byNode.get(node) ?? []), pod]);
  }
  return byNode;
}

const oldestFirst = (a: PodState, b: PodState): number =>
  a.meta.createdAt - b.meta.createdAt || (a.meta.name < b.meta.name ? -1 : 1);

const endedOn = ({ pods, mayStay }: Found): readonly PodState[] =>
  mayStay ? pods.filter(({ terminated, meta }) => terminated !== undefined && !meta.deletion) : [];

/** Pods that a node has and should not: all of them where the node no longer fits, else those beyond one (and one of an update). */
function surplusOf(set: DaemonSet, { pods, mayStay }: Found, hash: string, now: Millis): readonly PodState[] {
  const living = pods.filter(({ meta }) => !meta.deletion);
  if (!mayStay) return living;
  const running = living.filter(({ terminated }) => terminated === undefined);
  const isFresh = ({ meta }: PodState): boolean => meta.labels[CONTROLLER_REVISION_HASH] === hash;
  const [fresh, ...moreFresh] = running.filter(isFresh);
  const [stale, ...moreStale] = running.filter((pod) => !isFresh(pod));
  const more = [...moreFresh, ...moreStale];
  if (!fresh || !stale) return more;
  if (!canSurge(set)) return [...more, [fresh, stale].sort(oldestFirst)[1] ?? fresh];
  const isDone = readySince(stale) === undefined || isAvailable(fresh, set.spec.minReadySeconds, now);
  return isDone ? [...more, stale] : more;
}

/** Whether an update may put a second pod on a node. */
function canSurge({ spec: { updateStrategy } }: DaemonSet): boolean {
  const { maxSurge = 0 } = updateStrategy?.rollingUpdate ?? {};
  return updateStrategy?.type !== 'OnDelete' && maxSurge !== 0 && maxSurge !== '0%';
}

function statusOf(
  set: DaemonSet,
  nodes: readonly Found[],
  hash: string,
  now: Millis,
): { readonly status: DaemonSetStatus; readonly again?: Millis } {
  const { minReadySeconds } = set.spec;
  const wanted = nodes.filter(({ shouldRun }) => shouldRun);
  const first = wanted.flatMap(({ pods }) => pods[0] ?? []);
  const ready = first.filter((pod) => readySince(pod) !== undefined);
  const available = ready.filter((pod) => isAvailable(pod, minReadySeconds, now));
  const dues = ready
    .filter((pod) => !available.includes(pod))
    .map((pod) => availableAt(pod, minReadySeconds) ?? Infinity);
  const again = Math.min(...dues);
  const { conditions, collisionCount } = set.status;
  const status = {
    currentNumberScheduled: first.length,
    numberMisscheduled: nodes.filter(({ shouldRun, pods }) => !shouldRun && pods.length > 0).length,
    desiredNumberScheduled: wanted.length,
    numberReady: ready.length,
    observedGeneration: set.meta.generation,
    updatedNumberScheduled: wanted.filter(({ pods }) => pods[0]?.meta.labels[CONTROLLER_REVISION_HASH] === hash).length,
    numberAvailable: available.length,
    numberUnavailable: wanted.length - available.length,
    ...(collisionCount !== undefined && { collisionCount }),
    ...(conditions && { conditions }),
  };
  return { status, ...(again !== Infinity && { again }) };
}

const removal = (object: PodState): WorkloadStep => ({
  type: 'Delete',
  object,
  reason: 'ScaledDown',
  propagation: 'Background',
});

function creation(set: DaemonSet, node: string, hash: string): WorkloadStep {
  const { template } = set.spec;
  const { meta, spec } = podFromTemplate({ ...template, spec: daemonPodSpec(template.spec, node) });
  return {
    type: 'Create',
    kind: 'Pod',
    meta: {
      generateName: `${set.meta.name}-`,
      labels: { ...meta.labels, [CONTROLLER_REVISION_HASH]: hash },
      annotations: meta.annotations,
      ownerReferences: [controllerReference(set)],
      finalizers: [],
      fieldManager: DAEMON_SET_MANAGER,
      managedFields: [],
    },
    spec,
  };
}
