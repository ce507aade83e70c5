import { invariant } from '../errors.js';
import type { EventEnvelope, Millis, Recorded } from '../event.js';
import type { JsonObject } from '../json.js';
import { afterChange, afterDeletionRequest, newMeta } from '../meta/metadata.js';
import type { Editable } from '../meta/object-meta.js';
import type { Taint } from '../pod/pod-spec.js';
import { rfc3339 } from '../time.js';
import type { NodeEvent, NodeState } from './node.js';

/** Taints that follow from readiness and cordon (Kubernetes, "Taints and Tolerations"). */
export const NOT_READY_TAINT = 'node.kubernetes.io/not-ready';
export const UNREACHABLE_TAINT = 'node.kubernetes.io/unreachable';
export const UNSCHEDULABLE_TAINT = 'node.kubernetes.io/unschedulable';
const DERIVED: readonly string[] = [NOT_READY_TAINT, UNREACHABLE_TAINT, UNSCHEDULABLE_TAINT];

/** Reason of a node's Ready condition when the node itself says that it cannot run pods; the word is kubelet's. */
export const SAYS_NOT_READY = 'KubeletNotReady';

/** The node is heard, and cannot run pods: its container engine is away. */
export function saysNotReady({ ready }: NodeState): boolean {
  return ready.status === 'False' && ready.reason === SAYS_NOT_READY;
}

/** What clients may edit of a node: metadata, `spec.unschedulable` and `spec.taints`. */
export function editableNode(node: NodeState): Editable {
  const { labels, annotations, ownerReferences, finalizers } = node.meta;
  const spec: JsonObject = {
    ...(node.podCIDR !== '' && { podCIDR: node.podCIDR }),
    ...(node.unschedulable && { unschedulable: true }),
    ...(node.taints.length > 0 && { taints: node.taints }),
  };
  return { labels, annotations, ownerReferences, finalizers, spec };
}

/** A node after one more event; `undefined` once deleted. */
export function evolveNode(node: NodeState | undefined, event: Recorded<NodeEvent>): NodeState | undefined {
  if (event.type === 'NodeJoined') return joined(event);
  invariant(node, `${event.type} at revision ${event.revision}, but ${event.stream} holds no node`);
  const after = step(node, event);
  return after && { ...after, meta: { ...after.meta, resourceVersion: event.revision } };
}

function joined(event: Recorded<Extract<NodeEvent, { type: 'NodeJoined' }>>): NodeState {
  const { uid, nodeEpoch, podCIDR, description } = event.data;
  const meta = newMeta(
    {
      uid,
      labels: description.labels,
      annotations: {},
      ownerReferences: [],
      finalizers: [],
      fieldManager: 'podledger',
      managedFields: [],
    },
    event,
  );
  return {
    kind: 'Node',
    meta,
    nodeEpoch,
    podCIDR,
    description,
    unschedulable: false,
    taints: readinessTaints([], NOT_READY_TAINT, event.time),
    ready: { status: 'False', reason: 'NodeJoining', message: 'the node has not been heard yet', since: event.time },
    lost: false,
  };
}

function step(node: NodeState, event: Recorded<Exclude<NodeEvent, { type: 'NodeJoined' }>>): NodeState | undefined {
  switch (event.type) {
    case 'NodeRegistered': {
      const { nodeEpoch, description, podCIDR = node.podCIDR } = event.data;
      // Labels that people set stay; those the node gives of itself are given anew.
      const labels = { ...without(node.meta.labels, Object.keys(node.description.labels)), ...description.labels };
      return { ...node, meta: { ...node.meta, labels }, nodeEpoch, podCIDR, description, lost: false };
    }
    case 'NodeChanged': {
      const { clientStatus = {}, ...rest } = node;
      const { meta, spec, status } = afterChange(node.meta, editableNode(node), clientStatus, event.data);
      const clients = Object.keys(status).length > 0 && { clientStatus: status };
      return { ...rest, meta, ...cordonAndTaints(spec, event), ...clients };
    }
    case 'NodeBecameReady':
      return {
        ...node,
        ready: turned(node, event, { status: 'True', reason: event.data.reason, message: event.data.message }),
        taints: readinessTaints(node.taints, undefined, event.time),
      };
    case 'NodeBecameNotReady': {
      const { status = 'Unknown', reason, message } = event.data;
      const taint = status === 'False' ? NOT_READY_TAINT : UNREACHABLE_TAINT;
      return {
        ...node,
        ready: turned(node, event, { status, reason, message }),
        taints: readinessTaints(node.taints, taint, event.time),
      };
    }
    case 'NodeLost':
      return { ...node, nodeEpoch: event.data.nodeEpoch, lost: true };
    case 'NodeDeletionRequested':
      return {
        ...node,
        meta: afterDeletionRequest(node.meta, { propagation: 'Background', gracePeriodSeconds: 0 }, event),
      };
    case 'NodeDeleted':
      return undefined;
  }
}

function turned(node: NodeState, event: EventEnvelope, next: Omit<NodeState['ready'], 'since'>): NodeState['ready'] {
  return { ...next, since: node.ready.status === next.status ? node.ready.since : event.time };
}

function without(labels: Readonly<Record<string, string>>, keys: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).filter(([key]) => !keys.includes(key)));
}

function readinessTaints(taints: readonly Taint[], key: string | undefined, at: Millis): readonly Taint[] {
  const others = taints.filter((taint) => taint.key !== NOT_READY_TAINT && taint.key !== UNREACHABLE_TAINT);
  if (key === undefined) return others;
  const known = taints.find((taint) => taint.key === key && taint.effect === 'NoExecute');
  return [
    ...others,
    { key, effect: 'NoSchedule' },
    { key, effect: 'NoExecute', timeAdded: known?.timeAdded ?? rfc3339(at) },
  ];
}

/** Cordon is a field and a taint at once; NoExecute taints carry the time they came. */
function cordonAndTaints(spec: JsonObject, event: EventEnvelope): Pick<NodeState, 'unschedulable' | 'taints'> {
  const unschedulable = spec['unschedulable'] === true;
  const wished = (spec['taints'] ?? []) as readonly Taint[];
  const taints = wished
    .filter((taint) => taint.key !== UNSCHEDULABLE_TAINT)
    .map((taint) =>
      taint.effect === 'NoExecute' && !taint.timeAdded ? { ...taint, timeAdded: rfc3339(event.time) } : taint,
    );
  return {
    unschedulable,
    taints: unschedulable ? [...taints, { key: UNSCHEDULABLE_TAINT, effect: 'NoSchedule' }] : taints,
  };
}

/** Taints that nobody set by hand. */
export function derivedTaints(taints: readonly Taint[]): readonly Taint[] {
  return taints.filter(({ key }) => DERIVED.includes(key));
}
