import { DomainError } from './errors.js';
import type { PodSpec, Quantity } from './pod/pod-spec.js';

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

/** What a pod asks of a node: the sum of its containers' requests. */
export function podRequests(spec: PodSpec): ResourceAmounts {
  let cpuMillis = 0;
  let memoryBytes = 0;
  for (const { resources } of spec.containers) {
    const requests = resources?.requests;
    if (requests?.['cpu'] !== undefined) cpuMillis += cpuMillisOf(requests['cpu']);
    if (requests?.['memory'] !== undefined) memoryBytes += bytesOf(requests['memory']);
  }
  return { cpuMillis, memoryBytes };
}

export interface HostPort {
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
  readonly hostPort: number;
  /** `0.0.0.0` when the pod names none: conflicts with every address. */
  readonly hostIP: string;
}

/** The host ports a pod asks for. */
export function hostPortsOf(spec: PodSpec): HostPort[] {
  return spec.containers.flatMap((container) =>
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
