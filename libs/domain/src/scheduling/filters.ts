import { tolerates, untoleratedTaint } from '../selector.js';
import { hostPortsCollide } from '../units.js';
import type { NodeState } from '../node/node.js';
import { matchesNode } from './node-affinity.js';
import type { NodeView } from './node-info.js';
import type { FilterReason } from './placement-record.js';
import type { PodDemand } from './pod-demand.js';

/** One question to a node about a pod. */
export interface Filter {
  /** Kubernetes' plugin name where there is one. */
  readonly name: string;
  /** Why the node will not do, in Kubernetes' words; empty when it will. Pure. */
  readonly refuse: (demand: PodDemand, node: NodeView & { readonly state: NodeState }) => readonly FilterReason[];
}

/** The first filter that turned a node down, and all its reasons. */
export interface Verdict {
  readonly filter: string;
  readonly reasons: readonly FilterReason[];
}

const PASSES: readonly FilterReason[] = [];

/** The taint that follows from a cordon; a pod that tolerates it is placed all the same. Source: kube-scheduler, nodeunschedulable. */
const CORDON = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' } as const;

const nodeUnschedulable: Filter = {
  name: 'NodeUnschedulable',
  refuse: ({ tolerations }, { state }) =>
    state.unschedulable && !tolerations.some((toleration) => tolerates(toleration, CORDON))
      ? ['node(s) were unschedulable']
      : PASSES,
};

const nodeName: Filter = {
  name: 'NodeName',
  refuse: (demand, node) =>
    demand.nodeName !== undefined && demand.nodeName !== node.name
      ? ["node(s) didn't match the requested node name"]
      : PASSES,
};

const taintToleration: Filter = {
  name: 'TaintToleration',
  refuse: ({ tolerations }, { state }) => {
    if (state.taints.length === 0) return PASSES;
    const taint = untoleratedTaint(tolerations, state.taints, ['NoSchedule', 'NoExecute']);
    return taint ? [`node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`] : PASSES;
  },
};

const nodeAffinity: Filter = {
  name: 'NodeAffinity',
  refuse: (demand, { state }) =>
    matchesNode(demand, state) ? PASSES : ["node(s) didn't match Pod's node affinity/selector"],
};

/** Ours: a node that does not answer gets no pod, even one that tolerates the taint, because nothing fences it yet. */
const nodeReady: Filter = {
  name: 'NodeReady',
  refuse: (_demand, { state }) => {
    if (state.meta.deletion) return ['node(s) were being deleted'];
    return state.ready.status === 'True' && !state.lost ? PASSES : ['node(s) were not ready'];
  },
};

const nodePorts: Filter = {
  name: 'NodePorts',
  refuse: ({ hostPorts }, node) =>
    hostPorts.some((wanted) => node.hostPorts.some((taken) => hostPortsCollide(wanted, taken)))
      ? ["node(s) didn't have free ports for the requested pod ports"]
      : PASSES,
};

/** What is not asked for is not checked: a node over its memory still takes a pod that asks for none. Source: kube-scheduler, noderesources/fit. */
const nodeResourcesFit: Filter = {
  name: 'NodeResourcesFit',
  refuse: ({ cpuMillis, memoryBytes, unknownResources }, node) => {
    const { allocatable } = node.state.description;
    const tooManyPods = node.usedPods + 1 > allocatable.pods;
    const tooLittleCpu = cpuMillis > 0 && cpuMillis > allocatable.cpuMillis - node.usedCpuMillis;
    const tooLittleMemory = memoryBytes > 0 && memoryBytes > allocatable.memoryBytes - node.usedMemoryBytes;
    if (!tooManyPods && !tooLittleCpu && !tooLittleMemory && unknownResources.length === 0) return PASSES;
    return [
      ...(tooManyPods ? ['Too many pods'] : []),
      ...(tooLittleCpu ? ['Insufficient cpu'] : []),
      ...(tooLittleMemory ? ['Insufficient memory'] : []),
      ...unknownResources.map((name) => `Insufficient ${name}`),
    ];
  },
};

/** In kube-scheduler's order, which decides whose reason is told when several would refuse. */
export const FILTERS: readonly Filter[] = [
  nodeUnschedulable,
  nodeName,
  taintToleration,
  nodeAffinity,
  nodeReady,
  nodePorts,
  nodeResourcesFit,
];

const GONE: Verdict = { filter: 'NodeReady', reasons: ['node(s) were not found'] };

/** `undefined` when the node can take the pod; otherwise the first filter that refuses. */
export function verdictOf(demand: PodDemand, node: NodeView): Verdict | undefined {
  const { state } = node;
  if (!state) return GONE;
  const known = node as NodeView & { readonly state: NodeState };
  for (const { name, refuse } of FILTERS) {
    const reasons = refuse(demand, known);
    if (reasons.length > 0) return { filter: name, reasons };
  }
  return undefined;
}
