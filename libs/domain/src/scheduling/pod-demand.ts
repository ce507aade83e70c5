import { allContainersOf } from '../pod/container-kinds.js';
import type { NodeSelector, PodSpec, Quantity, Toleration } from '../pod/pod-spec.js';
import { type HostPort, hostPortsOf, parseQuantity, podRequests } from '../units.js';
import { type NodeDemand, nodeDemandOf } from './node-affinity.js';
import type { SchedulingPolicy } from './policy.js';

/** Everything of a pod that decides which nodes it fits, and how well. Pods of one {@link key} get one verdict from each node. */
export interface PodDemand {
  readonly key: string;
  readonly cpuMillis: number;
  readonly memoryBytes: number;
  /** Requests with the policy's assumptions for containers that ask for nothing; for scoring only. */
  readonly scoredCpuMillis: number;
  readonly scoredMemoryBytes: number;
  /** Resources other than cpu and memory that it asks for: no node of ours has any. */
  readonly unknownResources: readonly string[];
  readonly hostPorts: readonly HostPort[];
  readonly nodeName?: string;
  readonly nodeSelector: NodeDemand['nodeSelector'];
  readonly nodeAffinity?: NodeSelector;
  readonly tolerations: readonly Toleration[];
}

/** Resources that are either counted or, like Kubernetes' local ephemeral storage here, not limited by a node. */
const COUNTED = new Set(['cpu', 'memory', 'ephemeral-storage']);

const isAsked = (requests: Readonly<Record<string, Quantity>>, name: string): boolean => {
  const quantity = requests[name];
  return quantity !== undefined && parseQuantity(quantity) > 0;
};

/** What a pod of this spec demands. Throws `DomainError` Invalid on a quantity that validation would have refused. */
export function demandOf(spec: PodSpec, policy: SchedulingPolicy): PodDemand {
  const { cpuMillis, memoryBytes } = podRequests(spec);
  const assumed = { cpuMillis: policy.assumedCpuMillis, memoryBytes: policy.assumedMemoryBytes };
  const scored = podRequests(spec, assumed);
  const unknown = new Set<string>();
  for (const { resources } of allContainersOf(spec)) {
    const requests = resources?.requests ?? {};
    for (const name of Object.keys(requests)) if (!COUNTED.has(name) && isAsked(requests, name)) unknown.add(name);
  }
  const demand = {
    cpuMillis,
    memoryBytes,
    scoredCpuMillis: scored.cpuMillis,
    scoredMemoryBytes: scored.memoryBytes,
    unknownResources: [...unknown].sort(),
    hostPorts: hostPortsOf(spec),
    ...(spec.nodeName !== undefined && { nodeName: spec.nodeName }),
    ...nodeDemandOf(spec),
    tolerations: spec.tolerations ?? [],
  };
  return { key: JSON.stringify(demand), ...demand };
}
