import type { NodeState } from '../node/node.js';
import type { HostPort } from '../units.js';
import type { PodDemand } from './pod-demand.js';

/** A node as filters and scores see it. */
export interface NodeView {
  readonly name: string;
  /** Absent while pods are bound to a node that is not, or no longer, in the cluster. */
  readonly state?: NodeState;
  readonly usedCpuMillis: number;
  readonly usedMemoryBytes: number;
  readonly usedPods: number;
  readonly scoredCpuMillis: number;
  readonly scoredMemoryBytes: number;
  readonly hostPorts: readonly HostPort[];
}

/**
 * A node and what the pods bound to it take, kept up to date pod by pod. All sums are of whole numbers, so that adding a pod
 * and taking it off again gives exactly what was before.
 */
export class NodeInfo implements NodeView {
  state?: NodeState;
  usedCpuMillis = 0;
  usedMemoryBytes = 0;
  usedPods = 0;
  scoredCpuMillis = 0;
  scoredMemoryBytes = 0;
  hostPorts: HostPort[] = [];

  constructor(readonly name: string) {}

  add(demand: PodDemand): void {
    this.#count(demand, 1);
    if (demand.hostPorts.length > 0) this.hostPorts = [...this.hostPorts, ...demand.hostPorts];
  }

  remove(demand: PodDemand): void {
    this.#count(demand, -1);
    if (demand.hostPorts.length > 0) {
      const gone = new Set(demand.hostPorts);
      this.hostPorts = this.hostPorts.filter((port) => !gone.has(port));
    }
  }

  #count(demand: PodDemand, sign: 1 | -1): void {
    this.usedCpuMillis += sign * demand.cpuMillis;
    this.usedMemoryBytes += sign * demand.memoryBytes;
    this.usedPods += sign;
    this.scoredCpuMillis += sign * demand.scoredCpuMillis;
    this.scoredMemoryBytes += sign * demand.scoredMemoryBytes;
  }
}
