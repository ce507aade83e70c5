import type { NodeState } from '../node/node.js';
import type { NodeSelector, PodSpec, Toleration } from '../pod/pod-spec.js';
import type { PodState } from '../pod/pod.js';
import { matchesNode, nodeDemandOf } from '../scheduling/node-affinity.js';
import { untoleratedTaint } from '../selector.js';

/**
 * What every pod of a daemon set puts up with: its node may be out of reach, short of something or closed to others. Source:
 * kube-controller-manager, `AddOrUpdateDaemonPodTolerations`.
 */
const DAEMON_TOLERATIONS: readonly Toleration[] = [
  { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/disk-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/pid-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/unschedulable', operator: 'Exists', effect: 'NoSchedule' },
];
const NETWORK_UNAVAILABLE: Toleration = {
  key: 'node.kubernetes.io/network-unavailable',
  operator: 'Exists',
  effect: 'NoSchedule',
};

/** The field by which a pod's affinity names its node. */
const NODE_NAME_FIELD = 'metadata.name';

/** The template's tolerations with those of every daemon; what the template says of the same taint is left out. */
function daemonTolerations({ tolerations = [], hostNetwork }: PodSpec): readonly Toleration[] {
  const added = hostNetwork === true ? [...DAEMON_TOLERATIONS, NETWORK_UNAVAILABLE] : DAEMON_TOLERATIONS;
  const isSame = (a: Toleration, b: Toleration): boolean => a.key === b.key && a.effect === b.effect;
  return [...tolerations.filter((given) => !added.some((one) => isSame(one, given))), ...added];
}

/** The spec of the pod for one node. The scheduler places it, there or nowhere, and keeps the record. Source: `ReplaceDaemonSetPodNodeNameNodeAffinity`. */
export function daemonPodSpec(template: PodSpec, node: string): PodSpec {
  const { nodeAffinity, ...affinity } = template.affinity ?? {};
  const required: NodeSelector = {
    nodeSelectorTerms: [{ matchFields: [{ key: NODE_NAME_FIELD, operator: 'In', values: [node] }] }],
  };
  return {
    ...template,
    affinity: {
      ...affinity,
      nodeAffinity: { ...nodeAffinity, requiredDuringSchedulingIgnoredDuringExecution: required },
    },
    tolerations: daemonTolerations(template),
  };
}

/** The node that a daemon's pod is on, or is for. */
export function nodeOfDaemonPod({ nodeName, spec }: Pick<PodState, 'nodeName' | 'spec'>): string | undefined {
  if (nodeName !== undefined) return nodeName;
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const [field] = required?.nodeSelectorTerms[0]?.matchFields ?? [];
  return field?.key === NODE_NAME_FIELD ? field.values?.[0] : undefined;
}

/** Whether a node is to get a pod of a daemon set, and whether one that it has may stay. */
export interface DaemonFit {
  readonly shouldRun: boolean;
  readonly mayStay: boolean;
}

/** Source: kube-controller-manager, `NodeShouldRunDaemonPod`. */
export function daemonFit(template: PodSpec, node: NodeState): DaemonFit {
  const isElsewhere = template.nodeName !== undefined && template.nodeName !== node.meta.name;
  if (isElsewhere || node.meta.deletion || !matchesNode(nodeDemandOf(template), node))
    return { shouldRun: false, mayStay: false };
  const tolerations = daemonTolerations(template);
  const drivesOut = untoleratedTaint(tolerations, node.taints, ['NoExecute']) !== undefined;
  const keepsOut = untoleratedTaint(tolerations, node.taints, ['NoSchedule', 'NoExecute']) !== undefined;
  return { shouldRun: !keepsOut, mayStay: !drivesOut };
}
