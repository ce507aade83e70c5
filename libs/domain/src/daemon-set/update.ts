import type { Millis } from '../event.js';
import type { PodState } from '../pod/pod.js';
import { scaledValue } from '../workload/int-or-percent.js';
import { isActivePod, isAvailable } from '../workload/pod-counts.js';
import type { WorkloadState } from '../workload/workload.js';

/** Label of a daemon set's pods: which template they are of. */
export const CONTROLLER_REVISION_HASH = 'controller-revision-hash';

/** A node that is to have a pod of a daemon set, with those it has. */
export interface DaemonNode {
  readonly name: string;
  readonly pods: readonly PodState[];
}

export interface Update {
  /** Pods of old templates that give way. */
  readonly remove: readonly PodState[];
  /** Nodes that get a new pod beside the old one. */
  readonly surge: readonly string[];
}

const NONE: Update = { remove: [], surge: [] };

type Limits = { readonly maxSurge: number; readonly maxUnavailable: number };

/** How many nodes may be without, or with a second pod. Both are rounded up; where both are nothing, one may be without. */
function limitsOf({ spec: { updateStrategy } }: WorkloadState<'DaemonSet'>, nodes: number): Limits {
  const { maxUnavailable: unavailable = 1, maxSurge: surge = 0 } = updateStrategy?.rollingUpdate ?? {};
  const maxSurge = scaledValue(surge, nodes, 'up');
  const maxUnavailable = scaledValue(unavailable, nodes, 'up');
  return { maxSurge, maxUnavailable: maxSurge === 0 && maxUnavailable === 0 ? 1 : maxUnavailable };
}

/** What there is on a node of the newest template and of older ones; `unclear`: more than one of either, which is put right first. */
interface OnNode {
  readonly name: string;
  readonly fresh?: PodState;
  readonly stale?: PodState;
  readonly unclear: boolean;
}

function sortOut({ name, pods }: DaemonNode, hash: string): OnNode {
  const living = pods.filter(isActivePod);
  const isFresh = ({ meta }: PodState): boolean => meta.labels[CONTROLLER_REVISION_HASH] === hash;
  const fresh = living.filter(isFresh);
  const stale = living.filter((pod) => !isFresh(pod));
  return {
    name,
    ...(fresh[0] && { fresh: fresh[0] }),
    ...(stale[0] && { stale: stale[0] }),
    unclear: fresh.length > 1 || stale.length > 1,
  };
}

/**
 * The next step of a rolling update: pods of old templates that are not available go at once, the others as far as the limit
 * allows; with a surge, a new pod comes first. Source: kube-controller-manager, daemon `rollingUpdate`, but that a node
 * without any pod counts as unavailable too.
 */
export function updateStep(
  set: WorkloadState<'DaemonSet'>,
  nodes: readonly DaemonNode[],
  hash: string,
  now: Millis,
): Update {
  if (set.spec.updateStrategy?.type === 'OnDelete') return NONE;
  const { maxSurge, maxUnavailable } = limitsOf(set, nodes.length);
  const isUp = (pod: PodState): boolean => isAvailable(pod, set.spec.minReadySeconds, now);
  const sorted = nodes.map((node) => sortOut(node, hash));
  return maxSurge > 0 ? surgeStep(sorted, maxSurge, isUp) : replaceStep(sorted, maxUnavailable, isUp);
}

function replaceStep(nodes: readonly OnNode[], maxUnavailable: number, isUp: (pod: PodState) => boolean): Update {
  const stale = nodes.flatMap(({ stale: pod, fresh, unclear }) => (pod && !fresh && !unclear ? [pod] : []));
  const isCovered = ({ fresh, stale: old, unclear }: OnNode): boolean => {
    const only = fresh && old ? undefined : (fresh ?? old);
    return !unclear && only !== undefined && isUp(only);
  };
  const unavailable = nodes.filter((node) => !isCovered(node)).length;
  const room = Math.max(0, maxUnavailable - unavailable);
  const down = stale.filter((pod) => !isUp(pod));
  const up = stale.filter(isUp);
  return { remove: [...down, ...up.slice(0, room)], surge: [] };
}

function surgeStep(nodes: readonly OnNode[], maxSurge: number, isUp: (pod: PodState) => boolean): Update {
  const clear = nodes.filter(({ unclear }) => !unclear);
  const alone = clear.filter(({ stale, fresh }) => stale && !fresh);
  const both = clear.filter(({ stale, fresh }) => stale && fresh);
  const surging = nodes.length - clear.length + both.filter(({ fresh }) => !(fresh && isUp(fresh))).length;
  const room = Math.max(0, maxSurge - surging);
  const down = alone.filter(({ stale }) => stale && !isUp(stale));
  const up = alone.filter(({ stale }) => stale && isUp(stale));
  return {
    remove: both.flatMap(({ stale, fresh }) => (stale && fresh && isUp(fresh) ? [stale] : [])),
    surge: [...down, ...up.slice(0, room)].map(({ name }) => name),
  };
}
