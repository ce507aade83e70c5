import {
  admitPod,
  decidePod,
  editableOf,
  evolvePod,
  nodeStream,
  podStream,
  wireOf,
  sameJson,
  type ClusterState,
  type Json,
  type JsonObject,
  type PodEvent,
  type PodSpec,
  type PodState,
  type Recorded,
} from '#domain';
import { ownConditions } from './client-status.js';
import { changeRequest, ofKind } from './editing.js';
import { podColumns } from './pod-columns.js';
import type { ChangeOf, RemovalRequest, ResourceDefinition, Subresource } from './resource.js';
import { objectAt, selectableField, textAt, valueAt } from './wire-values.js';

const core = (kind: string): { group: string; version: string; kind: string } => ({ group: '', version: 'v1', kind });

/** Whether the node a pod is bound to answers: without it, grace 0 lets the object go at once. */
function nodeReady(state: ClusterState, pod: PodState): boolean {
  if (pod.nodeName === undefined) return false;
  const node = state.get(nodeStream(pod.nodeName));
  return node?.kind === 'Node' && node.ready.status === 'True';
}

function terminate(request: RemovalRequest, pod: PodState, state: ClusterState): PodEvent[] {
  return decidePod({ type: 'TerminatePod', ...request, nodeReady: nodeReady(state, pod) }, pod);
}

/** `/status`: the status, labels and annotations; the spec stays. */
const status: Subresource = {
  name: 'status',
  kind: core('Pod'),
  verbs: ['get', 'patch', 'update'],
  view: wireOf,
  change: (request, current) => {
    const pod = ofKind('Pod', current);
    const edit = changeRequest(request, editableOf(pod), true);
    return decidePod({ type: 'ChangePod', ...edit, status: clientStatus(request, pod) }, pod);
  },
};

/** Conditions that follow from what happened to the pod: nobody writes them. */
const derivedConditions: readonly string[] = [
  'PodReadyToStartContainers',
  'Initialized',
  'Ready',
  'ContainersReady',
  'PodScheduled',
];

/** The part of a status that clients may write: reason, message and conditions of their own; the rest is derived. */
function clientStatus(request: ChangeOf, pod: PodState): JsonObject {
  const { before, after } = request;
  const known = pod.clientStatus ?? {};
  const words = ['reason', 'message'].flatMap((field): [string, Json | undefined][] => {
    const [was, is] = [valueAt(before, 'status', field), valueAt(after, 'status', field)];
    const word = sameJson(was, is) ? known[field] : is;
    return word === undefined ? [] : [[field, word]];
  });
  return { ...Object.fromEntries(words), ...ownConditions(request, derivedConditions) };
}

/** `/binding`: places a pod past the scheduler; the node's own admission has the last word. */
const binding: Subresource = {
  name: 'binding',
  kind: core('Binding'),
  verbs: ['create'],
  faultsOf: (body) =>
    textAt(body, 'target', 'name')
      ? []
      : [{ field: 'target.name', reason: 'FieldValueRequired', message: 'Required value' }],
  act: (body, current) => {
    const uid = textAt(body, 'metadata', 'uid');
    const node = textAt(body, 'target', 'name') ?? '';
    const command = { type: 'SchedulePod', node, by: 'binding', ...(uid && { uid }) } as const;
    return decidePod(command, ofKind('Pod', current));
  },
};

/** `/eviction`: a deletion that says why. There are no disruption budgets yet to refuse it. */
const eviction: Subresource = {
  name: 'eviction',
  kind: { group: 'policy', version: 'v1', kind: 'Eviction' },
  verbs: ['create'],
  act: (body, current, state) => {
    const pod = ofKind('Pod', current);
    const options = objectAt(body, 'deleteOptions');
    const grace = options['gracePeriodSeconds'];
    const uid = textAt(options, 'preconditions', 'uid');
    const resourceVersion = textAt(options, 'preconditions', 'resourceVersion');
    const request: RemovalRequest = {
      preconditions: { ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) },
      ...(typeof grace === 'number' && { gracePeriodSeconds: grace }),
      propagation: 'Background',
      reason: 'Evicted',
    };
    return terminate(request, pod, state);
  },
};

/** Served apart from the verbs, see `logs/`. */
const log: Subresource = { name: 'log', kind: core('Pod'), verbs: ['get'] };

/** What clients know and ask for: they are told, and discovery does not promise it. */
const later = ['attach', 'ephemeralcontainers', 'exec', 'portforward', 'proxy', 'resize'].map((name): Subresource => ({
  name,
  kind: core('Pod'),
  verbs: [],
  notYet: `pods/${name} is not supported yet by Podledger`,
}));

/** What admission gave a pod, an update may leave out. Source: Kubernetes' admission plug-in Priority. */
function keepPriority(before: JsonObject, after: JsonObject): JsonObject {
  const spec = objectAt(after, 'spec');
  const kept = ['priority', 'preemptionPolicy'].flatMap((field): [string, Json][] => {
    const value = valueAt(before, 'spec', field);
    return value === undefined || spec[field] !== undefined ? [] : [[field, value]];
  });
  return kept.length === 0 ? after : { ...after, spec: { ...spec, ...Object.fromEntries(kept) } };
}

/** core/v1 Pod. */
export const pods: ResourceDefinition = {
  group: '',
  version: 'v1',
  plural: 'pods',
  singular: 'pod',
  kind: 'Pod',
  stored: 'Pod',
  namespaced: true,
  verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
  shortNames: ['po'],
  categories: ['all'],
  subresources: [binding, eviction, log, status, ...later],
  columns: podColumns,
  fields: {
    'spec.nodeName': selectableField('spec.nodeName'),
    'spec.restartPolicy': selectableField('spec.restartPolicy'),
    'spec.schedulerName': selectableField('spec.schedulerName'),
    'spec.serviceAccountName': selectableField('spec.serviceAccountName'),
    'spec.hostNetwork': (pod) => selectableField('spec.hostNetwork')(pod) ?? 'false',
    'status.phase': selectableField('status.phase'),
    'status.podIP': selectableField('status.podIP'),
    'status.nominatedNodeName': selectableField('status.nominatedNodeName'),
  },
  streamOf: podStream,
  wire: wireOf,
  settle: keepPriority,
  create: ({ namespace, name, meta, object }, state) => {
    const existing = state.get(podStream(namespace, name));
    const spec = admitPod(objectAt(object, 'spec') as PodSpec, { namespace, name }, state);
    return decidePod({ type: 'RequestPod', namespace, name, meta, spec }, existing && ofKind('Pod', existing));
  },
  change: (request, current) => {
    const pod = ofKind('Pod', current);
    return decidePod({ type: 'ChangePod', ...changeRequest(request, editableOf(pod)) }, pod);
  },
  remove: (request, current, state) => terminate(request, ofKind('Pod', current), state),
  evolve: (current, event) => evolvePod(current && ofKind('Pod', current), event as Recorded<PodEvent>),
};
