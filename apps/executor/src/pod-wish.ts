import type { AssignedPod, Millis, PodKey } from '#domain';

/** What is wanted of a pod on this node: that it is as assigned, or that nothing of it is left. */
export type PodWish =
  | { readonly kind: 'assigned'; readonly pod: AssignedPod }
  /** The control plane knows it no more. Nothing is reported of it, and its exits are nobody's. */
  | { readonly kind: 'unassigned'; readonly key: PodKey; readonly deadline: Millis };

/** When the engine is to kill what is left of a pod; `undefined` while it may live. */
export function deadlineOf(wish: PodWish): Millis | undefined {
  if (wish.kind === 'unassigned') return wish.deadline;
  const { deletion } = wish.pod;
  return deletion && deletion.requestedAt + deletion.gracePeriodSeconds * 1000;
}

/**
 * The wish after a newer one: the newest wins, but a termination is never taken back, its deadline only comes nearer, and
 * a pod that has ended does not run again, in whatever order the news arrive.
 */
export function newestWish(before: PodWish | undefined, next: PodWish): PodWish {
  if (before === undefined) return next;
  const earlier = deadlineOf(before);
  const later = deadlineOf(next);
  const deadline = earlier === undefined ? later : later === undefined ? earlier : Math.min(earlier, later);
  if (before.kind === 'unassigned' || next.kind === 'unassigned') {
    const gone = before.kind === 'unassigned' ? before : next;
    return { kind: 'unassigned', key: keyOf(gone), deadline: deadline ?? 0 };
  }
  const deletion =
    later !== undefined && later === deadline ? next.pod.deletion : (before.pod.deletion ?? next.pod.deletion);
  const terminated = before.pod.terminated || next.pod.terminated;
  return { kind: 'assigned', pod: { ...next.pod, terminated, ...(deletion && { deletion }) } };
}

export const keyOf = (wish: PodWish): PodKey => (wish.kind === 'assigned' ? wish.pod.key : wish.key);
