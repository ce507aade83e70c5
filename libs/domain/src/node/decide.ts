import { DomainError } from '../errors.js';
import { sameJson } from '../meta/changes.js';
import { alreadyExists, changedData, checkPreconditions, notFound } from '../meta/metadata.js';
import { editableNode, SAYS_NOT_READY, saysNotReady } from './evolve.js';
import type { NodeCommand, NodeDescription, NodeEvent, NodeState } from './node.js';

type Command<Type extends NodeCommand['type']> = Extract<NodeCommand, { type: Type }>;

/** What a command makes happen to a node; nothing when it is already so. Throws `DomainError` when it is refused. */
export function decideNode(command: NodeCommand, node: NodeState | undefined): NodeEvent[] {
  if (command.type === 'RegisterNode') return register(command, node);
  if (command.type === 'RequestNode') return request(command, node);
  if (!node) throw notFound('Node', '');
  switch (command.type) {
    case 'ChangeNode': {
      checkPreconditions('Node', node.meta, command.preconditions);
      const status = command.status && { current: node.clientStatus ?? {}, desired: command.status };
      const data = changedData(node.meta, editableNode(node), command, status);
      if (!data) return [];
      const goes = node.meta.deletion && command.desired.finalizers.length === 0;
      return [{ type: 'NodeChanged', data }, ...(goes ? [deleted(node)] : [])];
    }
    case 'RecordNodeReady':
      checkEpoch(command.nodeEpoch, node);
      if (node.ready.status === 'True') return [];
      return [
        {
          type: 'NodeBecameReady',
          data: { reason: 'KubeletReady', message: 'the executor is heard and its Docker Engine answers' },
        },
      ];
    case 'RecordNodeSilent':
      checkEpoch(command.nodeEpoch, node);
      if (node.ready.status === 'Unknown') return [];
      return [
        {
          type: 'NodeBecameNotReady',
          data: {
            reason: 'NodeStatusUnknown',
            message: command.message,
            ...(command.lastHeartbeatAt !== undefined && { lastHeartbeatAt: command.lastHeartbeatAt }),
          },
        },
      ];
    case 'RecordNodeNotReady':
      checkEpoch(command.nodeEpoch, node);
      if (saysNotReady(node)) return [];
      return [
        {
          type: 'NodeBecameNotReady',
          data: { status: 'False', reason: SAYS_NOT_READY, message: command.message },
        },
      ];
    case 'RecordNodeLost':
      checkEpoch(command.nodeEpoch, node);
      return node.lost ? [] : [{ type: 'NodeLost', data: { nodeEpoch: node.nodeEpoch + 1, message: command.message } }];
    case 'DeleteNode': {
      checkPreconditions('Node', node.meta, command.preconditions);
      const asked: NodeEvent[] = node.meta.deletion ? [] : [{ type: 'NodeDeletionRequested', data: {} }];
      return node.meta.finalizers.length === 0 ? [...asked, deleted(node)] : asked;
    }
  }
}

const deleted = (node: NodeState): NodeEvent => ({ type: 'NodeDeleted', data: { uid: node.meta.uid } });

/** Each registration is a new epoch: what an earlier executor of this name still says no longer counts. */
function register(command: Command<'RegisterNode'>, node: NodeState | undefined): NodeEvent[] {
  const { uid, podCIDR, description, streamVersion } = command;
  const nodeEpoch = Math.max(node?.nodeEpoch ?? 0, streamVersion) + 1;
  if (!node) return [{ type: 'NodeJoined', data: { uid, nodeEpoch, podCIDR, description } }];
  const network = node.podCIDR === '' ? { podCIDR } : {};
  return [{ type: 'NodeRegistered', data: { nodeEpoch, description, ...network } }];
}

function request({ name, podCIDR = '', meta, spec }: Command<'RequestNode'>, node: NodeState | undefined): NodeEvent[] {
  if (node) throw alreadyExists('Node', name);
  const nothing = { cpuMillis: 0, memoryBytes: 0, pods: 0 };
  const description: NodeDescription = {
    labels: {},
    capacity: nothing,
    allocatable: nothing,
    info: {},
    addresses: [],
    engineId: '',
  };
  const events: NodeEvent[] = [{ type: 'NodeJoined', data: { uid: meta.uid, nodeEpoch: 0, podCIDR, description } }];
  const wished = {
    labels: meta.labels,
    annotations: meta.annotations,
    ownerReferences: meta.ownerReferences,
    finalizers: meta.finalizers,
  };
  const bare = { labels: {}, annotations: {}, ownerReferences: [], finalizers: [] };
  const { podCIDR: _, ...editable } = spec;
  const same = sameJson({ ...wished, spec: editable }, { ...bare, spec: {} });
  if (same) return events;
  const changes = [
    { path: ['metadata', 'labels'], to: wished.labels },
    { path: ['metadata', 'annotations'], to: wished.annotations },
    { path: ['metadata', 'ownerReferences'], to: wished.ownerReferences },
    { path: ['metadata', 'finalizers'], to: wished.finalizers },
    { path: ['spec'], to: { ...(podCIDR !== '' && { podCIDR }), ...editable } },
  ];
  events.push({
    type: 'NodeChanged',
    data: { changes, fieldManager: meta.fieldManager, operation: 'Update', managedFields: meta.managedFields },
  });
  return events;
}

function checkEpoch(epoch: number, node: NodeState): void {
  if (epoch === node.nodeEpoch) return;
  throw new DomainError('StaleNode', `node ${node.meta.name} is at epoch ${node.nodeEpoch}, not ${epoch}`, [], {
    expected: epoch,
    actual: node.nodeEpoch,
  });
}
