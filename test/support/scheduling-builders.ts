import type { NodeState, ObjectMeta, PodSpec, PodState, ReplicaSetState } from '#domain';

/** Any metadata; the uid follows from the name, so that a failing test names what it is about. */
export function metaOf(name: string, more: Partial<ObjectMeta> = {}): ObjectMeta {
  return {
    name,
    namespace: 'shop',
    uid: `uid-${name}`,
    labels: {},
    annotations: {},
    ownerReferences: [],
    finalizers: [],
    createdAt: 0,
    generation: 1,
    resourceVersion: 1,
    managedFields: [],
    ...more,
  };
}

export interface PodOptions extends Partial<Omit<PodState, 'kind' | 'meta' | 'spec'>> {
  readonly meta?: Partial<ObjectMeta>;
  readonly spec?: Partial<PodSpec>;
  readonly cpu?: string;
  readonly memory?: string;
  readonly hostPort?: number;
}

/** A pod of one container; it waits to be placed unless told otherwise. */
export function aPod(name: string, { meta, spec, cpu, memory, hostPort, ...more }: PodOptions = {}): PodState {
  return {
    kind: 'Pod',
    meta: metaOf(name, meta),
    spec: {
      restartPolicy: 'Always',
      schedulerName: 'default-scheduler',
      terminationGracePeriodSeconds: 30,
      containers: [
        {
          name: 'app',
          image: 'busybox',
          imagePullPolicy: 'IfNotPresent',
          resources: {
            requests: { ...(cpu !== undefined && { cpu }), ...(memory !== undefined && { memory }) },
          },
          ...(hostPort !== undefined && { ports: [{ containerPort: 80, hostPort }] }),
        },
      ],
      ...spec,
    },
    mainContainer: 'app',
    sharedFate: true,
    startedContainersOnce: false,
    containers: {},
    conditions: {},
    removedFromNode: false,
    ...more,
  };
}

/** A pod that runs on a node and is ready. */
export function aRunningPod(name: string, node: string, options: PodOptions = {}): PodState {
  return aPod(name, {
    nodeName: node,
    scheduledAt: 0,
    startedContainersOnce: true,
    containers: { app: { name: 'app', attempt: 0, running: { startedAt: 0 } } },
    conditions: { Ready: { status: 'True', lastTransitionAt: 0 } },
    ...options,
  });
}

export interface NodeOptions extends Partial<Omit<NodeState, 'kind' | 'meta' | 'description' | 'ready'>> {
  readonly meta?: Partial<ObjectMeta>;
  readonly cpuMillis?: number;
  readonly memoryBytes?: number;
  readonly pods?: number;
  readonly ready?: NodeState['ready'];
}

/** A ready node of 4 cores and 8 GiB. */
export function aNode(
  name: string,
  { meta, cpuMillis = 4000, memoryBytes = 8 * 2 ** 30, pods = 110, ready, ...more }: NodeOptions = {},
): NodeState {
  const capacity = { cpuMillis, memoryBytes, pods };
  return {
    kind: 'Node',
    meta: metaOf(name, { namespace: '', ...meta }),
    nodeEpoch: 1,
    podCIDR: '10.1.0.0/24',
    description: { labels: {}, capacity, allocatable: capacity, info: {}, addresses: [], engineId: 'engine' },
    unschedulable: false,
    taints: [],
    ready: ready ?? { status: 'True', reason: 'KubeletReady', message: '', since: 0 },
    lost: false,
    ...more,
  };
}

export interface ReplicaSetOptions extends Partial<Omit<ReplicaSetState, 'kind' | 'meta'>> {
  readonly meta?: Partial<ObjectMeta>;
}

/** A replica set of pods labelled `app=<name>`. */
export function aReplicaSet(name: string, { meta, ...more }: ReplicaSetOptions = {}): ReplicaSetState {
  const { spec } = aPod('template');
  return {
    kind: 'ReplicaSet',
    meta: metaOf(name, meta),
    spec: {
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec },
    },
    replicas: 1,
    status: { replicas: 0, fullyLabeledReplicas: 0, readyReplicas: 0, availableReplicas: 0, observedGeneration: 0 },
    ...more,
  };
}
