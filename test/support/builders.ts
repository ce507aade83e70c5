import { type Container, type NodeDescription, type PodSpec, type ReplicaSetSpec, type RequestedMeta } from '#domain';

/** Metadata as a client might send it. */
export function aMeta(over: Partial<RequestedMeta> = {}): RequestedMeta {
  return {
    uid: 'uid-1',
    labels: {},
    annotations: {},
    ownerReferences: [],
    finalizers: [],
    fieldManager: 'test',
    managedFields: [],
    ...over,
  };
}

export function aContainer(name = 'app', over: Partial<Container> = {}): Container {
  return { name, image: 'busybox:1', imagePullPolicy: 'IfNotPresent', ...over };
}

/** A defaulted spec with one container `app`. */
export function aPodSpec(over: Partial<PodSpec> = {}): PodSpec {
  return {
    containers: [aContainer()],
    restartPolicy: 'Always',
    schedulerName: 'default-scheduler',
    terminationGracePeriodSeconds: 30,
    ...over,
  };
}

export function aReplicaSetSpec(over: Partial<ReplicaSetSpec> = {}): ReplicaSetSpec {
  return {
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: aPodSpec() },
    ...over,
  };
}

export function aNodeDescription(over: Partial<NodeDescription> = {}): NodeDescription {
  const capacity = { cpuMillis: 2000, memoryBytes: 4 * 2 ** 30, pods: 110 };
  return {
    labels: { 'kubernetes.io/hostname': 'n1' },
    capacity,
    allocatable: capacity,
    info: {},
    addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
    engineId: 'engine',
    ...over,
  };
}
