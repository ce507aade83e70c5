import { DomainError } from './errors.js';
import { initContainersOf, isSidecar, sidecarsOf } from './pod/container-kinds.js';
import type { Container, PodSpec, Quantity } from './pod/pod-spec.js';

/** Suffixes of Kubernetes quantities: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/ */
const SUFFIX: Readonly<Record<string, number>> = {
  '': 1,
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

const QUANTITY = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|([numkMGTPE]|[KMGTPE]i))?$/;

/** The value of a quantity in base units (cores, bytes): `"500m"` is 0.5. Throws `DomainError` Invalid on anything else. */
export function parseQuantity(quantity: Quantity): number {
  const match = QUANTITY.exec(String(quantity));
  const factor = SUFFIX[match?.[3] ?? ''];
  if (!match || factor === undefined) {
    throw new DomainError('Invalid', `quantities must match the regular expression '${QUANTITY.source}'`);
  }
  return Number(match[1] + (match[2] ?? '')) * factor;
}

/** Cpu in thousandths of a core, rounded up. */
export const cpuMillisOf = (quantity: Quantity): number => roundUp(parseQuantity(quantity) * 1000);

/** Memory in bytes, rounded up. */
export const bytesOf = (quantity: Quantity): number => roundUp(parseQuantity(quantity));

/** Rounds up, forgiving what binary fractions add (0.07 * 1000 is 70.00000000000001). */
function roundUp(value: number): number {
  const nearest = Math.round(value);
  return Math.abs(value - nearest) < 1e-6 ? nearest : Math.ceil(value);
}

export interface ResourceAmounts {
  readonly cpuMillis: number;
  readonly memoryBytes: number;
}

const NOTHING: ResourceAmounts = { cpuMillis: 0, memoryBytes: 0 };

/**
 * What a pod asks of a node: what its app containers and sidecars ask for together, or what the greediest init container asks
 * for beside the sidecars that were begun before it, if that is more. `assumed` stands for what a container does not ask for.
 * https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers
 */
export function podRequests(spec: PodSpec, assumed: ResourceAmounts = NOTHING): ResourceAmounts {
  let [cpuMillis, memoryBytes, mostCpuMillis, mostMemoryBytes] = [0, 0, 0, 0];
  for (const container of initContainersOf(spec)) {
    const asked = requestsOf(container, assumed);
    mostCpuMillis = Math.max(mostCpuMillis, cpuMillis + asked.cpuMillis);
    mostMemoryBytes = Math.max(mostMemoryBytes, memoryBytes + asked.memoryBytes);
    if (!isSidecar(container)) continue;
    cpuMillis += asked.cpuMillis;
    memoryBytes += asked.memoryBytes;
  }
  for (const container of spec.containers) {
    const asked = requestsOf(container, assumed);
    cpuMillis += asked.cpuMillis;
    memoryBytes += asked.memoryBytes;
  }
  return { cpuMillis: Math.max(cpuMillis, mostCpuMillis), memoryBytes: Math.max(memoryBytes, mostMemoryBytes) };
}

function requestsOf({ resources }: Container, assumed: ResourceAmounts): ResourceAmounts {
  const { cpu, memory } = resources?.requests ?? {};
  return {
    cpuMillis: (cpu === undefined ? 0 : cpuMillisOf(cpu)) || assumed.cpuMillis,
    memoryBytes: (memory === undefined ? 0 : bytesOf(memory)) || assumed.memoryBytes,
  };
}

export interface HostPort {
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
  readonly hostPort: number;
  /** `0.0.0.0` when the pod names none: conflicts with every address. */
  readonly hostIP: string;
}

/** The host ports a pod asks for, its sidecars included. Those of init containers are never opened, as in Kubernetes. */
export function hostPortsOf(spec: PodSpec): HostPort[] {
  return [...spec.containers, ...sidecarsOf(spec)].flatMap((container) =>
    (container.ports ?? []).flatMap(({ hostPort, hostIP, protocol }) =>
      hostPort ? [{ hostPort, hostIP: hostIP || '0.0.0.0', protocol: protocol ?? 'TCP' }] : [],
    ),
  );
}

/** Two host ports cannot both be had on one node. */
export function hostPortsCollide(a: HostPort, b: HostPort): boolean {
  const anywhere = (ip: string): boolean => ip === '0.0.0.0' || ip === '::';
  return (
    a.hostPort === b.hostPort &&
    a.protocol === b.protocol &&
    (a.hostIP === b.hostIP || anywhere(a.hostIP) || anywhere(b.hostIP))
  );
}
