import type { ObjectChange } from '../cluster/stored-object.js';
import type { PodState } from '../pod/pod.js';
import type { AssignedPod } from './assigned-pod.js';

/** A pod bound to a node, as that node is told of it. */
export function assignedPod(pod: PodState): AssignedPod {
  const { meta, spec, mainContainer, sharedFate, scheduledAt = 0, containers, sandbox, specChangedAt } = pod;
  const attempts: Record<string, number> = sandbox ? { '': sandbox.attempt } : {};
  for (const { name, attempt, running, terminated, last } of Object.values(containers)) {
    if (running ?? terminated ?? last) attempts[name] = attempt;
  }
  const reported = Object.values(containers).flatMap(({ containerId, reported: known, terminated }) => {
    if (containerId === undefined) return [];
    const run = terminated?.condemned ? { condemned: true } : known;
    return run ? [[containerId, run] as const] : [];
  });
  return {
    key: { uid: meta.uid, namespace: meta.namespace, name: meta.name },
    spec,
    labels: meta.labels,
    annotations: meta.annotations,
    mainContainer,
    sharedFate,
    scheduledAt,
    attempts,
    ...(specChangedAt !== undefined && { specChangedAt }),
    ...(reported.length > 0 && { reported: Object.fromEntries(reported) }),
    ...(meta.deletion && {
      deletion: { requestedAt: meta.deletion.requestedAt, gracePeriodSeconds: meta.deletion.gracePeriodSeconds },
    }),
    terminated: pod.terminated !== undefined,
  };
}

/** What one change means for a node: a pod to have, or (without `upsert`) one to forget. */
export interface AssignmentDelta {
  readonly node: string;
  readonly uid: string;
  readonly upsert?: AssignedPod;
}

/** The node that a change tells something, or `undefined` when it tells none anything new. */
export function nodeConcernedBy({ before, after }: Pick<ObjectChange, 'before' | 'after'>): string | undefined {
  const was = before?.kind === 'Pod' ? before : undefined;
  const is = after?.kind === 'Pod' ? after : undefined;
  return was && is && sameWish(was, is) ? undefined : (is?.nodeName ?? was?.nodeName);
}

/** What a change tells a node, or `undefined` when it tells it nothing new. */
export function assignmentDelta(change: ObjectChange): AssignmentDelta | undefined {
  const node = nodeConcernedBy(change);
  if (node === undefined) return undefined;
  const { before, after } = change;
  if (after?.kind === 'Pod') return { node, uid: after.meta.uid, upsert: assignedPod(after) };
  return before && { node, uid: before.meta.uid };
}

/** Nothing changed that a node acts on. Parts that did not change are the same value, because `evolve` shares them. */
function sameWish(a: PodState, b: PodState): boolean {
  return (
    a.nodeName === b.nodeName &&
    a.spec === b.spec &&
    a.meta.labels === b.meta.labels &&
    a.meta.annotations === b.meta.annotations &&
    a.meta.deletion?.gracePeriodSeconds === b.meta.deletion?.gracePeriodSeconds &&
    Boolean(a.terminated) === Boolean(b.terminated)
  );
}
