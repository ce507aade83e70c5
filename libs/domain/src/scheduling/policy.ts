import { fingerprint } from './hash.js';

/** What a plan is made by, apart from the cluster. Recorded by id and hash with every decision. */
export interface SchedulingPolicy {
  readonly id: string;
  /** Weight of free capacity left after the placement: Kubernetes' `NodeResourcesLeastAllocated`. */
  readonly leastAllocatedWeight: number;
  /** Weight of cpu and memory being used evenly: Kubernetes' `NodeResourcesBalancedAllocation`. */
  readonly balancedWeight: number;
  /**
   * What a container without a cpu request counts for in scoring, never in fitting: thousandths of a core. Without it, pods
   * that ask for nothing would all go to one node. Source: kube-scheduler's `DefaultMilliCPURequest`.
   */
  readonly assumedCpuMillis: number;
  /** The same for memory, in bytes. Source: kube-scheduler's `DefaultMemoryRequest`. */
  readonly assumedMemoryBytes: number;
}

/** The policy in use. */
export const DEFAULT_POLICY: SchedulingPolicy = {
  id: 'spread/1',
  leastAllocatedWeight: 1,
  balancedWeight: 1,
  assumedCpuMillis: 100,
  assumedMemoryBytes: 200 * 2 ** 20,
};

/** Two policies of one hash decide alike. */
export function policyHash(policy: SchedulingPolicy): string {
  return fingerprint(JSON.stringify(Object.entries(policy).sort(([a], [b]) => (a < b ? -1 : 1))));
}
