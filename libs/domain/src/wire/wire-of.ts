import type { StoredObject } from '../cluster/stored-object.js';
import type { KubernetesEventState } from '../cluster/kubernetes-event.js';
import { bodyOfEvent } from '../cluster/kubernetes-events.js';
import { invariant } from '../errors.js';
import type { JsonObject } from '../json.js';
import { summarizeStatus } from '../lifecycle/summarize-status.js';
import { namesOf } from '../meta/kinds.js';
import type { Editable, ObjectMeta } from '../meta/object-meta.js';
import { editableNamespace } from '../namespace/evolve.js';
import type { NamespaceState } from '../namespace/namespace.js';
import { editableNode } from '../node/evolve.js';
import type { NodeCapacity, NodeState } from '../node/node.js';
import { editablePlain } from '../plain/evolve.js';
import { isPlain, type PlainObjectState } from '../plain/plain-object.js';
import { secretBody } from '../plain/secret.js';
import { editablePod } from '../pod/editable.js';
import { editableWorkload, isWorkload } from '../workload/evolve.js';
import { rfc3339 } from '../time.js';

/** An object as the Kubernetes API shows it, with kind and apiVersion. */
export function wireOf(object: StoredObject): JsonObject {
  const { kind, meta } = object;
  return { kind, apiVersion: namesOf(kind).apiVersion, metadata: metadataOf(meta), ...bodyOf(object) };
}

/** The rest of an object beside kind, apiVersion and metadata. */
function bodyOf(object: StoredObject): JsonObject {
  if (isWorkload(object)) return { spec: editableWorkload(object).spec, status: object.status };
  if (isPlain(object)) return plainBody(object);
  switch (object.kind) {
    case 'Pod':
      return { spec: object.spec, status: summarizeStatus(object) };
    case 'Node':
      return { spec: nodeSpec(object), status: nodeStatus(object) };
    case 'Namespace':
      return namespaceBody(object);
    case 'Event':
      return bodyOfEvent(object);
  }
}

/** What clients may edit of an object. Event objects are replaced whole and have no such part. */
export function editableOf(object: Exclude<StoredObject, KubernetesEventState>): Editable {
  if (isWorkload(object)) return editableWorkload(object);
  if (isPlain(object)) return editablePlain(object);
  switch (object.kind) {
    case 'Pod':
      return editablePod(object);
    case 'Node':
      return editableNode(object);
    case 'Namespace':
      return editableNamespace(object);
  }
}

/** `metadata`, without what is empty, as Kubernetes' server leaves it out. */
export function metadataOf(meta: ObjectMeta): JsonObject {
  invariant(meta.resourceVersion > 0, `${meta.name} has no revision`);
  const filled = (value: object): boolean => Object.keys(value).length > 0;
  const { deletion } = meta;
  return {
    name: meta.name,
    ...(meta.generateName !== undefined && { generateName: meta.generateName }),
    ...(meta.namespace && { namespace: meta.namespace }),
    uid: meta.uid,
    resourceVersion: String(meta.resourceVersion),
    ...(meta.generation > 0 && { generation: meta.generation }),
    creationTimestamp: rfc3339(meta.createdAt),
    ...(deletion && {
      deletionTimestamp: rfc3339(deletion.requestedAt + deletion.gracePeriodSeconds * 1000),
      deletionGracePeriodSeconds: deletion.gracePeriodSeconds,
    }),
    ...(filled(meta.labels) && { labels: meta.labels }),
    ...(filled(meta.annotations) && { annotations: meta.annotations }),
    ...(meta.ownerReferences.length > 0 && { ownerReferences: meta.ownerReferences }),
    ...(meta.finalizers.length > 0 && { finalizers: meta.finalizers }),
    ...(meta.managedFields.length > 0 && { managedFields: meta.managedFields }),
  };
}

/** Of a Secret nobody has revealed, the names of the keys are all there is to show. */
const plainBody = (object: PlainObjectState): JsonObject =>
  object.kind === 'Secret' ? secretBody(object) : object.body;

function namespaceBody({ meta, specFinalizers, clientStatus }: NamespaceState): JsonObject {
  return {
    spec: specFinalizers.length > 0 ? { finalizers: specFinalizers } : {},
    status: { ...clientStatus, phase: meta.deletion ? 'Terminating' : 'Active' },
  };
}

function nodeSpec(node: NodeState): JsonObject {
  return { ...editableNode(node).spec, ...(node.podCIDR !== '' && { podCIDRs: [node.podCIDR] }) };
}

function amounts({ cpuMillis, memoryBytes, pods }: NodeCapacity): JsonObject {
  return {
    cpu: cpuMillis % 1000 === 0 ? String(cpuMillis / 1000) : `${cpuMillis}m`,
    memory: `${Math.floor(memoryBytes / 1024)}Ki`,
    pods: String(pods),
  };
}

/** Pressure that Podledger does not measure is not claimed: the three conditions say that nothing is known against the node. */
const PRESSURES = ['MemoryPressure', 'DiskPressure', 'PIDPressure'];

/** Conditions of a node that follow from what was heard of it: no client writes them. */
export const DERIVED_NODE_CONDITIONS: readonly string[] = [...PRESSURES, 'Ready'];

function nodeStatus({ description, ready, meta, clientStatus }: NodeState): JsonObject {
  const times = { lastHeartbeatTime: rfc3339(ready.since), lastTransitionTime: rfc3339(ready.since) };
  const pressures = PRESSURES.map((type) => ({
    type,
    status: ready.status === 'True' ? 'False' : 'Unknown',
    reason: ready.status === 'True' ? 'NotReported' : ready.reason,
    message: '',
    ...times,
  }));
  const { status, reason, message } = ready;
  const clients = (clientStatus?.['conditions'] ?? []) as readonly JsonObject[];
  const addresses =
    description.addresses.length > 0 ? description.addresses : [{ type: 'Hostname', address: meta.name }];
  return {
    capacity: amounts(description.capacity),
    allocatable: amounts(description.allocatable),
    conditions: [...pressures, { type: 'Ready', status, reason, message, ...times }, ...clients],
    addresses: addresses.map((address) => ({ ...address })),
    daemonEndpoints: { kubeletEndpoint: { Port: 0 } },
    nodeInfo: {
      machineID: '',
      systemUUID: '',
      bootID: '',
      kernelVersion: '',
      osImage: '',
      containerRuntimeVersion: '',
      kubeletVersion: '',
      kubeProxyVersion: '',
      operatingSystem: 'linux',
      architecture: '',
      ...description.info,
    },
  };
}
