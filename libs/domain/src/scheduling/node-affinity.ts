import type { NodeState } from '../node/node.js';
import type { NodeSelector, NodeSelectorRequirement, PodSpec } from '../pod/pod-spec.js';

/** What a pod's spec demands of its node's labels and name. */
export interface NodeDemand {
  readonly nodeSelector: Readonly<Record<string, string>>;
  readonly nodeAffinity?: NodeSelector;
}

export function nodeDemandOf({ nodeSelector = {}, affinity }: Pick<PodSpec, 'nodeSelector' | 'affinity'>): NodeDemand {
  const nodeAffinity = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return { nodeSelector, ...(nodeAffinity && { nodeAffinity }) };
}

/** Whether a node is one that the pod may be on. Source: kube-scheduler, nodeaffinity. */
export function matchesNode({ nodeSelector, nodeAffinity }: NodeDemand, { meta }: Pick<NodeState, 'meta'>): boolean {
  for (const key in nodeSelector) if (meta.labels[key] !== nodeSelector[key]) return false;
  return nodeAffinity === undefined || matchesNodeSelector(nodeAffinity, meta);
}

/** One of the terms must hold; a term without requirements never does. Source: component-helpers, `nodeaffinity`. */
function matchesNodeSelector({ nodeSelectorTerms }: NodeSelector, meta: NodeState['meta']): boolean {
  return nodeSelectorTerms.some(({ matchExpressions = [], matchFields = [] }) => {
    if (matchExpressions.length + matchFields.length === 0) return false;
    return (
      matchFields.every((one) => holds(one, one.key === 'metadata.name' ? meta.name : undefined)) &&
      matchExpressions.every((one) => holds(one, meta.labels[one.key]))
    );
  });
}

function holds({ operator, values = [] }: NodeSelectorRequirement, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
    case 'Lt': {
      const [label, limit] = [integer(value), integer(values[0])];
      if (label === undefined || limit === undefined) return false;
      return operator === 'Gt' ? label > limit : label < limit;
    }
  }
}

const integer = (text: string | undefined): number | undefined =>
  text !== undefined && /^[+-]?\d+$/.test(text) ? Number(text) : undefined;
