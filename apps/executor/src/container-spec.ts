import {
  bytesOf,
  cpuMillisOf,
  expandContainer,
  hostPortsOf,
  sidecarsOf,
  type AssignedPod,
  type ConfigContents,
  type Container,
  type NodeCapacity,
  type PodAction,
  type ResourceAmounts,
} from '#domain';
import type { ContainerSpec, PortBinding, SandboxSpec, VolumeSpec } from './runtime/container-runtime.js';

/** What a pod's containers need to know of their node. */
export interface NodeContext {
  readonly name: string;
  readonly hostIP: string;
  readonly allocatable: NodeCapacity;
}

type Action<Type extends PodAction['type']> = Extract<PodAction, { type: Type }>;

/** What a container needs to know besides its pod. */
export interface ContainerContext {
  readonly node: NodeContext;
  readonly config: ConfigContents;
  /** Known once the sandbox runs. */
  readonly podIP: string | undefined;
}

/** The sandbox of a pod, as the runtime is asked for it. */
export function sandboxSpecOf(pod: AssignedPod, { attempt, specHash }: Action<'CreateSandbox'>): SandboxSpec {
  return {
    pod: pod.key,
    attempt,
    specHash,
    // Linux allows 63 characters; kubelet cuts there too.
    hostname: (pod.spec.hostname ?? pod.key.name).slice(0, 63).replace(/[-.]+$/, ''),
    ports: portsOf(pod),
    volumes: (pod.spec.volumes ?? []).map(volumeOf),
    labels: {},
  };
}

function portsOf({ spec }: AssignedPod): PortBinding[] {
  if (hostPortsOf(spec).length === 0) return [];
  return [...spec.containers, ...sidecarsOf(spec)].flatMap(({ ports }) =>
    (ports ?? []).flatMap(({ containerPort, protocol, hostPort, hostIP }) =>
      hostPort ? [{ containerPort, protocol: protocol ?? 'TCP', hostPort, ...(hostIP && { hostIP }) }] : [],
    ),
  );
}

function volumeOf({ name, emptyDir }: NonNullable<AssignedPod['spec']['volumes']>[number]): VolumeSpec {
  if (emptyDir?.medium !== 'Memory') return { name, medium: 'disk' };
  const { sizeLimit } = emptyDir;
  return { name, medium: 'memory', ...(sizeLimit !== undefined && { sizeLimitBytes: bytesOf(sizeLimit) }) };
}

/**
 * An app container, as the runtime is asked for it. Throws `DomainError` as `expandContainer` does.
 */
export function containerSpecOf(
  pod: AssignedPod,
  container: Container,
  { attempt, specHash, sandboxId }: Action<'CreateContainer'>,
  { node, podIP, config }: ContainerContext,
): ContainerSpec {
  const allocatable: ResourceAmounts = node.allocatable;
  const { env, command, args } = expandContainer(container, {
    pod,
    nodeName: node.name,
    hostIP: node.hostIP,
    allocatable,
    config,
    ...(podIP !== undefined && { podIP }),
  });
  const { requests, limits } = container.resources ?? {};
  const cpuRequest = requests?.['cpu'] ?? limits?.['cpu'];
  const cpuLimit = limits?.['cpu'];
  const memoryLimit = limits?.['memory'];
  return {
    pod: pod.key,
    name: container.name,
    attempt,
    specHash,
    sandboxId,
    image: container.image,
    ...(command && { command }),
    ...(args && { args }),
    env,
    ...(container.workingDir !== undefined && { workingDir: container.workingDir }),
    mounts: (container.volumeMounts ?? []).map(({ name, mountPath, readOnly }) => ({
      volume: name,
      mountPath,
      readOnly: readOnly ?? false,
    })),
    ...(cpuRequest !== undefined && { cpuRequestMillis: cpuMillisOf(cpuRequest) }),
    ...(cpuLimit !== undefined && { cpuLimitMillis: cpuMillisOf(cpuLimit) }),
    ...(memoryLimit !== undefined && { memoryLimitBytes: bytesOf(memoryLimit) }),
    shareProcessNamespace: pod.spec.shareProcessNamespace ?? false,
    ...(container.lifecycle?.stopSignal !== undefined && { stopSignal: container.lifecycle.stopSignal }),
    stdin: container.stdin ?? false,
    tty: container.tty ?? false,
    labels: {},
  };
}
