import type { PodState } from '../pod/pod.js';

/** Names in `spec.schedulerName` that mean us. */
const OUR_NAMES = new Set(['default-scheduler', 'podledger']);

/** Whether a pod waits to be placed by us: neither bound, ended or being deleted, nor held back by a gate, nor another scheduler's. */
export function awaitsPlacement({ nodeName, terminated, meta, spec }: PodState): boolean {
  return (
    nodeName === undefined &&
    terminated === undefined &&
    meta.deletion === undefined &&
    (spec.schedulingGates ?? []).length === 0 &&
    OUR_NAMES.has(spec.schedulerName)
  );
}

/** Whether a pod takes room on its node: bound, and not ended. One that is being deleted takes it until it has gone. */
export function occupiesNode(pod: PodState): pod is PodState & { readonly nodeName: string } {
  return pod.nodeName !== undefined && pod.terminated === undefined;
}

/** First come, first served: by creation, which grows along revisions; pods of one instant by uid. */
export function compareInQueue(a: PodState, b: PodState): number {
  return a.meta.createdAt - b.meta.createdAt || (a.meta.uid < b.meta.uid ? -1 : a.meta.uid > b.meta.uid ? 1 : 0);
}
