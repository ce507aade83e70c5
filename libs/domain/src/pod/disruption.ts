import type { TerminationReason } from './pod.js';

/** Condition of a pod that ends by no doing of its own. Source: Kubernetes, "Pod disruption conditions". */
export const DISRUPTION_TARGET = 'DisruptionTarget';

const DISRUPTIONS: Readonly<Partial<Record<TerminationReason, { readonly reason: string; readonly message: string }>>> =
  {
    Evicted: { reason: 'EvictionByEvictionAPI', message: 'Eviction API: evicting' },
    TaintNotTolerated: { reason: 'DeletionByTaintManager', message: 'Taint manager: deleting due to NoExecute taint' },
    NodeLost: { reason: 'DeletionByPodGC', message: 'PodGC: node no longer exists' },
  };

/** What the condition says of a pod that ends for a reason; `undefined` when the reason is its own, or its owner's wish. */
export const disruptionBy = (
  reason: TerminationReason,
): { readonly reason: string; readonly message: string } | undefined => DISRUPTIONS[reason];
