import type { Millis } from '../event.js';
import type { PodState } from '../pod/pod.js';
import type { Taint } from '../pod/pod-spec.js';
import { parseRfc3339 } from '../time.js';
import { derivedTaints } from './evolve.js';
import { DEFAULT_TOLERATION_SECONDS, SILENCE_MS, tolerationSeconds } from './health.js';
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
 * the taint or from the pod's coming, whichever is later. Only on a Ready node: what silence does is `assessNodes`' business.
 * Source: Kubernetes, "Taint based Evictions".
 */
export function evictByTaints(node: NodeState, pods: readonly PodState[], now: Millis): Evictions {
  const derived = derivedTaints(node.taints);
  const taints = node.taints.filter((taint) => taint.effect === 'NoExecute' && !derived.includes(taint));
  if (taints.length === 0 || node.ready.status !== 'True') return { now: [] };
  const dues = pods
    .filter(({ terminated, meta }) => terminated === undefined && !meta.deletion)
    .flatMap((pod) =>
      taints.map((taint): Due => ({
        pod,
        at: leavesAt(pod, taint),
        message: `taint ${taint.key}${taint.value ? `=${taint.value}` : ''}:NoExecute of node ${node.meta.name} is not tolerated`,
      })),
    );
  // One pod may have to leave for several taints: the first counts.
  const first = new Map<PodState, Due>();
  for (const due of dues) if (due.at < (first.get(due.pod)?.at ?? Infinity)) first.set(due.pod, due);
  return split([...first.values()], now);
}

function leavesAt(pod: PodState, taint: Taint): Millis {
  const added = taint.timeAdded === undefined ? 0 : (parseRfc3339(taint.timeAdded) ?? 0);
  const seconds = tolerationSeconds(pod.spec.tolerations ?? [], taint) ?? 0;
  return Math.max(added, pod.scheduledAt ?? 0) + seconds * 1000;
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
