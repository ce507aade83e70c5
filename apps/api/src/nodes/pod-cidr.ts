import { DomainError, type ClusterState } from '#domain';

/** Where the pod networks of nodes are cut from: 10.244.0.0/16, one /24 each, as most Kubernetes installations do. */
const prefix = '10.244';
const perCluster = 256;

/**
 * The lowest /24 that no node has. Whoever gives it out records so in `podNetworksStream` with the same command: nobody else
 * can have given it out meanwhile. Throws `DomainError` Forbidden when all are taken.
 */
export function allocatePodCidr(state: ClusterState): string {
  const taken = new Set([...state.nodes()].map(({ podCIDR }) => podCIDR));
  for (let third = 0; third < perCluster; third += 1) {
    const cidr = `${prefix}.${third}.0/24`;
    if (!taken.has(cidr)) return cidr;
  }
  throw new DomainError('Forbidden', `no pod network is left in ${prefix}.0.0/16: it is cut into ${perCluster} parts`);
}
