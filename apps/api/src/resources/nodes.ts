import {
  decideNode,
  DERIVED_NODE_CONDITIONS,
  editableOf,
  evolveNode,
  nodeStream,
  wireOf,
  type JsonObject,
  type NodeEvent,
  type Recorded,
} from '#domain';
import { ownConditions } from './client-status.js';
import { ageColumn, column, nameColumn, wideColumn } from './columns.js';
import { changeRequest, ofKind } from './editing.js';
import type { ResourceDefinition, Subresource } from './resource.js';
import { objectAt, objectsAt, selectableField, textAt, textsAt, valueAt } from './wire-values.js';

/** `Ready`, `NotReady` or `Unknown`, and whether it is cordoned. */
function statusWord(node: JsonObject): string {
  const ready = objectsAt(node, 'status', 'conditions').find((condition) => textAt(condition, 'type') === 'Ready');
  const word = ready === undefined ? 'Unknown' : textAt(ready, 'status') === 'True' ? 'Ready' : 'NotReady';
  return valueAt(node, 'spec', 'unschedulable') === true ? `${word},SchedulingDisabled` : word;
}

const rolePrefix = 'node-role.kubernetes.io/';

function roles(node: JsonObject): string {
  const labels = textsAt(node, 'metadata', 'labels');
  const named = Object.keys(labels)
    .filter((key) => key.startsWith(rolePrefix) && key.length > rolePrefix.length)
    .map((key) => key.slice(rolePrefix.length));
  const given = labels['kubernetes.io/role'];
  return [...new Set(given ? [...named, given] : named)].sort().join(',') || '<none>';
}

const address = (type: string) => (node: JsonObject) =>
  textAt(
    objectsAt(node, 'status', 'addresses').find((candidate) => textAt(candidate, 'type') === type),
    'address',
  ) ?? '<none>';

const info = (field: string) => (node: JsonObject) => textAt(node, 'status', 'nodeInfo', field) || '<unknown>';

/** `/status`: what a node is and how it is comes from its executor; clients write conditions of their own, labels and annotations. */
const status: Subresource = {
  name: 'status',
  kind: { group: '', version: 'v1', kind: 'Node' },
  verbs: ['get', 'patch', 'update'],
  view: wireOf,
  change: (request, current) => {
    const node = ofKind('Node', current);
    const edit = changeRequest(request, editableOf(node), true);
    return decideNode({ type: 'ChangeNode', ...edit, status: ownConditions(request, DERIVED_NODE_CONDITIONS) }, node);
  },
};

/** core/v1 Node. */
export const nodes: ResourceDefinition = {
  group: '',
  version: 'v1',
  plural: 'nodes',
  singular: 'node',
  kind: 'Node',
  stored: 'Node',
  namespaced: false,
  verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
  shortNames: ['no'],
  subresources: [status],
  columns: [
    nameColumn,
    column('Status', 'The status of the node.', statusWord),
    column('Roles', 'The roles of the node.', roles),
    ageColumn,
    column(
      'Version',
      'Version of the executor that runs on the node.',
      (node) => textAt(node, 'status', 'nodeInfo', 'kubeletVersion') ?? '',
    ),
    wideColumn('Internal-IP', 'Address of the node within its network.', address('InternalIP')),
    wideColumn('External-IP', 'Address of the node from outside.', address('ExternalIP')),
    wideColumn('OS-Image', 'The operating system, as it names itself.', info('osImage')),
    wideColumn('Kernel-Version', 'Version of the kernel.', info('kernelVersion')),
    wideColumn('Container-Runtime', 'The container engine and its version.', info('containerRuntimeVersion')),
  ],
  fields: { 'spec.unschedulable': (node) => selectableField('spec.unschedulable')(node) ?? 'false' },
  streamOf: (_namespace, name) => nodeStream(name),
  wire: wireOf,
  create: ({ name, meta, object }, state) => {
    const existing = state.get(nodeStream(name));
    const spec = objectAt(object, 'spec');
    const podCIDR = textAt(spec, 'podCIDR');
    const command = { type: 'RequestNode', name, ...(podCIDR && { podCIDR }), meta, spec } as const;
    return decideNode(command, existing && ofKind('Node', existing));
  },
  change: (request, current) => {
    const node = ofKind('Node', current);
    return decideNode({ type: 'ChangeNode', ...changeRequest(request, editableOf(node)) }, node);
  },
  remove: ({ preconditions }, current) => decideNode({ type: 'DeleteNode', preconditions }, ofKind('Node', current)),
  evolve: (current, event) => evolveNode(current && ofKind('Node', current), event as Recorded<NodeEvent>),
};
