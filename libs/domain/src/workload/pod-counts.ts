import type { Millis } from '../event.js';
import type { PodState } from '../pod/pod.js';
import type { ChildState } from './rules.js';

/** Counts towards a workload: neither ended nor being deleted. Source: kube-controller-manager, `FilterActivePods`. */
export const isActivePod = ({ terminated, meta }: PodState): boolean =>
  terminated === undefined && meta.deletion === undefined;

/** Since when a pod is ready; `undefined` when it is not. */
export const readySince = ({ conditions }: PodState): Millis | undefined => {
  const ready = conditions['Ready'];
  return ready?.status === 'True' ? ready.lastTransitionAt : undefined;
};

/**
 * When a pod is, or becomes, available: ready for `minReadySeconds`, counted from when it became so. `undefined` when it is not
 * ready. Source: Kubernetes, `IsPodAvailable`.
 */
export const availableAt = (pod: PodState, minReadySeconds = 0): Millis | undefined => {
  const since = readySince(pod);
  return since === undefined ? undefined : since + minReadySeconds * 1000;
};

/** Whether a pod is available: without `minReadySeconds` as soon as it is ready, whatever the clock says. */
export const isAvailable = (pod: PodState, minReadySeconds: number | undefined, now: Millis): boolean => {
  const at = availableAt(pod, minReadySeconds);
  return at !== undefined && (!minReadySeconds || at <= now);
};

/** Whether a change of a pod can make a difference to a workload that counts pods. */
export function podCountsDiffer(before: ChildState | undefined, after: ChildState | undefined): boolean {
  if (before?.kind !== 'Pod' || after?.kind !== 'Pod' || before.meta.uid !== after.meta.uid) return true;
  return (
    before.meta.labels !== after.meta.labels ||
    before.meta.ownerReferences !== after.meta.ownerReferences ||
    (before.meta.deletion === undefined) !== (after.meta.deletion === undefined) ||
    before.terminated !== after.terminated ||
    before.conditions['Ready']?.status !== after.conditions['Ready']?.status
  );
}
