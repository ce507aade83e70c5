import { DomainError, type ClusterState } from '#domain';

/** A node speaks under another epoch than its current one, or is not there. */
export function staleNode(state: ClusterState, node: string, nodeEpoch: number): DomainError {
  const current = state.node(node)?.nodeEpoch;
  const message =
    current === undefined ? `there is no node ${node}` : `node ${node} is at epoch ${current}, not ${nodeEpoch}`;
  return new DomainError('StaleNode', message, [], { expected: nodeEpoch, actual: current ?? null });
}

/** Throws {@link staleNode} unless the epoch is the node's current one. */
export function refuseStale(state: ClusterState, node: string, nodeEpoch: number): void {
  if (state.node(node)?.nodeEpoch !== nodeEpoch) throw staleNode(state, node, nodeEpoch);
}
