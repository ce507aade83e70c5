import type { AssignedPod } from '../node/assigned-pod.js';
import type { NodeCapacity } from '../node/node.js';
import type { PodRefusedByNode } from '../pod/pod.js';
import { hostPortsCollide, hostPortsOf, podRequests } from '../units.js';

/** What becomes of a pod on its node: it begins, it waits for those that are leaving, or it is refused for good. */
export type Admission = 'begin' | 'wait' | PodRefusedByNode;

/**
 * Decides about one more pod. `staying` are the pods that hold resources and go on holding them; `leaving` those that the log has
 * given up and the node is still ending: a scheduler counts on their place, so a pod that needs it waits instead of being
 * refused, again and again until the place is free.
 */
export function admission(
  pod: AssignedPod,
  { staying, leaving }: { readonly staying: readonly AssignedPod[]; readonly leaving: readonly AssignedPod[] },
  allocatable: NodeCapacity,
): Admission {
  const refused = refuseAdmission(pod, staying, allocatable);
  if (refused) return refused;
  return refuseAdmission(pod, [...staying, ...leaving], allocatable) ? 'wait' : 'begin';
}

/**
 * Whether a node can take one more pod, and why not. `/binding` and `spec.nodeName` bypass the scheduler, so the node asks
 * for itself, as kubelet does (its reasons: OutOfpods, OutOfcpu, OutOfmemory, NodePorts). `others` are the pods that hold
 * resources there now.
 */
export function refuseAdmission(
  pod: AssignedPod,
  others: readonly AssignedPod[],
  allocatable: NodeCapacity,
): PodRefusedByNode | undefined {
  if (others.length >= allocatable.pods) {
    return refusal('OutOfpods', 'pods', 1, others.length, allocatable.pods);
  }
  const wanted = podRequests(pod.spec);
  const used = others
    .map(({ spec }) => podRequests(spec))
    .reduce(
      (sum, one) => ({ cpuMillis: sum.cpuMillis + one.cpuMillis, memoryBytes: sum.memoryBytes + one.memoryBytes }),
      { cpuMillis: 0, memoryBytes: 0 },
    );
  if (wanted.cpuMillis > 0 && used.cpuMillis + wanted.cpuMillis > allocatable.cpuMillis) {
    return refusal('OutOfcpu', 'cpu', wanted.cpuMillis, used.cpuMillis, allocatable.cpuMillis);
  }
  if (wanted.memoryBytes > 0 && used.memoryBytes + wanted.memoryBytes > allocatable.memoryBytes) {
    return refusal('OutOfmemory', 'memory', wanted.memoryBytes, used.memoryBytes, allocatable.memoryBytes);
  }
  const taken = others.flatMap(({ spec }) => hostPortsOf(spec));
  const collision = hostPortsOf(pod.spec).find((port) => taken.some((other) => hostPortsCollide(port, other)));
  if (!collision) return undefined;
  const message = `Pod was rejected: host port ${collision.hostPort}/${collision.protocol} is taken on the node`;
  return { reason: 'NodePorts', message };
}

function refusal(
  reason: PodRefusedByNode['reason'],
  resource: string,
  requested: number,
  used: number,
  capacity: number,
): PodRefusedByNode {
  return {
    reason,
    message: `Pod was rejected: Node didn't have enough resource: ${resource}, requested: ${requested}, used: ${used}, capacity: ${capacity}`,
  };
}
