import type { NodeCapacity } from '../node/node.js';
import type { NodeView } from './node-info.js';
import type { PodDemand } from './pod-demand.js';
import type { SchedulingPolicy } from './policy.js';

/**
 * Best possible score of each part. kube-scheduler has 100; a pod of 100m on a node of 64 cores moves that by nothing, so
 * ours is finer.
 */
export const FULL_SCORE = 10_000;

/** The share of a resource in use after the placement, from 0 to 1. A node that has none of it is full. */
const share = (used: number, of: number): number => (of > 0 ? Math.min(1, used / of) : 1);

/** Free capacity left: the mean of cpu and memory. Source: kube-scheduler, noderesources/least_allocated. */
export function leastAllocated(cpuShare: number, memoryShare: number): number {
  return FULL_SCORE * (1 - (cpuShare + memoryShare) / 2);
}

/** Cpu and memory used evenly: one less the standard deviation of the two shares. Source: kube-scheduler, noderesources/balanced_allocation. */
export function balancedAllocation(cpuShare: number, memoryShare: number): number {
  return FULL_SCORE * (1 - Math.abs(cpuShare - memoryShare) / 2);
}

/** How good a node would be for a pod, the greater the better: a whole number from 0 to {@link highestScore}. */
export function scoreOf(
  demand: PodDemand,
  node: NodeView,
  allocatable: NodeCapacity,
  policy: SchedulingPolicy,
): number {
  const cpu = share(node.scoredCpuMillis + demand.scoredCpuMillis, allocatable.cpuMillis);
  const memory = share(node.scoredMemoryBytes + demand.scoredMemoryBytes, allocatable.memoryBytes);
  return Math.floor(
    policy.leastAllocatedWeight * leastAllocated(cpu, memory) + policy.balancedWeight * balancedAllocation(cpu, memory),
  );
}

/** No node scores more. */
export function highestScore(policy: SchedulingPolicy): number {
  return Math.ceil(FULL_SCORE * (policy.leastAllocatedWeight + policy.balancedWeight));
}
