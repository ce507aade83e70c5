import type { Millis } from '../event.js';
import type { PodState } from '../pod/pod.js';
import type { Taint } from '../pod/pod-spec.js';
import { parseRfc3339 } from '../time.js';
import { derivedTaints, NOT_READY_TAINT, saysNotReady } from './evolve.js';
import { DEFAULT_TOLERATION_SECONDS, isMass, SILENCE_MS, TOGETHER_MS, tolerationSeconds } from './health.js';
import type { NodeState } from './node.js';

/** Pods that have to leave a node now, and when the next one has to. */
export interface Evictions {
  readonly now: readonly { readonly pod: PodState; readonly message: string }[];
  readonly nextAt?: Millis;
}

interface Due {
  readonly pod: PodState;
  readonly at: Millis;
  readonly message: string;
}

const split = (dues: readonly Due[], now: Millis): Evictions => {
  const nextAt = Math.min(...dues.filter(({ at }) => at > now).map(({ at }) => at));
  return {
    now: dues.filter(({ at }) => at <= now).map(({ pod, message }) => ({ pod, message })),
    ...(nextAt !== Infinity && { nextAt }),
  };
};

/**
 * Pods that a node's NoExecute taints drive out: at once when untolerated, else when the toleration has run out, counted from
 * the taint or from the pod's coming, whichever is later. Only on a node that is heard: what silence does is `assessNodes`'
 * business. `patienceFrom`: what the node's own trouble does counts from there at the earliest, `Infinity` while
 * {@link isInMassOutage}. Source: Kubernetes, "Taint based Evictions".
 */
export function evictByTaints(
  node: NodeState,
  pods: readonly PodState[],
  now: Millis,
  patienceFrom: Millis = 0,
): Evictions {
  const isOut = saysNotReady(node);
  const derived = derivedTaints(node.taints);
  const counts = (taint: Taint): boolean => !derived.includes(taint) || (isOut && taint.key === NOT_READY_TAINT);
  const taints = node.taints.filter((taint) => taint.effect === 'NoExecute' && counts(taint));
  if (taints.length === 0 || !(isOut || node.ready.status === 'True')) return { now: [] };
  const dues = pods
    .filter(({ terminated, meta }) => terminated === undefined && !meta.deletion)
    .flatMap((pod) =>
      taints.map((taint): Due => ({
        pod,
        at: derived.includes(taint)
          ? leavesAt(pod, taint, DEFAULT_TOLERATION_SECONDS, patienceFrom)
          : leavesAt(pod, taint, 0, 0),
        message: `taint ${taint.key}${taint.value ? `=${taint.value}` : ''}:NoExecute of node ${node.meta.name} is not tolerated`,
      })),
    );
  // One pod may have to leave for several taints: the first counts.
  const first = new Map<PodState, Due>();
  for (const due of dues) if (due.at < (first.get(due.pod)?.at ?? Infinity)) first.set(due.pod, due);
  return split([...first.values()], now);
}

function leavesAt(pod: PodState, taint: Taint, untoleratedSeconds: number, patienceFrom: Millis): Millis {
  const added = taint.timeAdded === undefined ? 0 : (parseRfc3339(taint.timeAdded) ?? 0);
  const seconds = tolerationSeconds(pod.spec.tolerations ?? [], taint) ?? untoleratedSeconds;
  return Math.max(added, pod.scheduledAt ?? 0, patienceFrom) + seconds * 1000;
}

/**
 * Whether a node's trouble is one of many: it says that it cannot run pods, and so do more than half of the nodes (at least
 * two) since about the same time, or no node is ready at all. Its pods are kept then: there is hardly a better place for
 * them. Source: Kubernetes' node lifecycle controller, which stops evictions under full disruption.
 */
export function isInMassOutage(node: NodeState, nodes: Iterable<NodeState>): boolean {
  if (!saysNotReady(node)) return false;
  let ready = 0;
  let together = 0;
  for (const other of nodes) {
    if (other.ready.status === 'True') ready += 1;
    else if (saysNotReady(other) && Math.abs(other.ready.since - node.ready.since) < TOGETHER_MS) together += 1;
  }
  return ready === 0 || isMass(together, together + ready);
}

/**
 * Pods bound to a node that is not there. One that was deleted is fenced, and its pods are given up now. One that has never
 * been may still join: its pods wait for it as long as for a node that is silent.
 */
export function strandedPods(
  node: string,
  pods: readonly PodState[],
  now: Millis,
  { existed }: { readonly existed: boolean },
): Evictions {
  const message = existed ? `node ${node} was deleted` : `node ${node} does not exist`;
  const patience = existed ? 0 : SILENCE_MS + DEFAULT_TOLERATION_SECONDS * 1000;
  const dues = pods
    .filter(({ terminated, meta }) => terminated === undefined || (meta.deletion && meta.finalizers.length === 0))
    .map((pod): Due => ({ pod, at: (pod.scheduledAt ?? 0) + patience, message }));
  return split(dues, now);
}
