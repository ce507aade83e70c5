import type Dockerode from 'dockerode';
import type { ContainerSpec, SandboxSpec, VolumeSpec } from './container-runtime.js';
import { RuntimeError } from './container-runtime.js';
import {
  containerLabels,
  containerName,
  networkName,
  volumeLabels,
  volumeName,
  VOLUMES_PATH,
  type Scope,
} from './docker-names.js';
import { OPEN_DIRECTORIES, openDirectory } from './docker-pause-image.js';

/** A `POST /containers/create`: the name travels in the query, the rest in the body. */
export interface Creation {
  readonly name: string;
  readonly body: Dockerode.ContainerCreateOptions & { readonly Labels: Record<string, string> };
}

type HostConfig = Dockerode.HostConfig;
type Mount = NonNullable<HostConfig['Mounts']>[number];

/** Bounded: a chatty container must not fill its host's disk. `logs` reads both files as one. */
const LOGGING: NonNullable<HostConfig['LogConfig']> = {
  Type: 'json-file',
  Config: { 'max-size': '10m', 'max-file': '2' },
};
/** Restarts are the executor's, each a new container: the engine's own would hide exits from us. */
const NO_RESTART: Dockerode.HostRestartPolicy = { Name: 'no' };
/** kubelet's floor for CPU shares, which is also what a container without a CPU request gets. */
const MIN_CPU_SHARES = 2;
const SHARES_PER_CPU = 1024;
/** The CFS period that kubelet uses, and the smallest quota that the kernel takes. */
const CPU_PERIOD_US = 100_000;
const MIN_CPU_QUOTA_US = 1_000;

/** How a pod's volume is made: a directory of the host, or a tmpfs that lives while the sandbox mounts it. */
export function volumeCreation(
  scope: Scope,
  pod: SandboxSpec['pod'],
  volume: VolumeSpec,
): Dockerode.VolumeCreateOptions {
  const common = {
    Name: volumeName(scope, pod.uid, volume.name),
    Driver: 'local',
    Labels: volumeLabels(scope, pod),
  };
  if (volume.medium === 'disk') return common;
  const size = volume.sizeLimitBytes === undefined ? '' : `size=${volume.sizeLimitBytes},`;
  return { ...common, DriverOpts: { type: 'tmpfs', device: 'tmpfs', o: `${size}mode=0777` } };
}

/** The sandbox of a pod. Throws `CreateFailed` when the pod has more volumes on disk than the image has places for. */
export function sandboxCreation(scope: Scope, spec: SandboxSpec, image: string): Creation {
  const network = networkName(scope.cluster);
  const bindings: Dockerode.PortMap = {};
  for (const { containerPort, protocol, hostPort, hostIP } of spec.ports) {
    const port = `${containerPort}/${protocol.toLowerCase()}`;
    (bindings[port] ??= []).push({ HostIp: hostIP ?? '', HostPort: String(hostPort) });
  }
  return {
    name: containerName(scope, spec.pod, '', spec.attempt),
    body: {
      Image: image,
      Hostname: spec.hostname,
      Labels: containerLabels(scope, 'sandbox', { ...spec, name: '' }),
      ExposedPorts: Object.fromEntries(Object.keys(bindings).map((port) => [port, {}])),
      HostConfig: {
        NetworkMode: network,
        IpcMode: 'shareable',
        PortBindings: bindings,
        Mounts: sandboxMounts(scope, spec),
        RestartPolicy: NO_RESTART,
        LogConfig: LOGGING,
        CpuShares: MIN_CPU_SHARES,
        CapDrop: ['ALL'],
      },
    },
  };
}

function sandboxMounts(scope: Scope, spec: SandboxSpec): Mount[] {
  const onDisk = spec.volumes.filter(({ medium }) => medium === 'disk');
  if (onDisk.length > OPEN_DIRECTORIES) {
    throw new RuntimeError(
      'CreateFailed',
      `${onDisk.length} volumes on disk, at most ${OPEN_DIRECTORIES} are possible`,
    );
  }
  const mount = (volume: VolumeSpec, Target: string): Mount => ({
    Type: 'volume',
    Source: volumeName(scope, spec.pod.uid, volume.name),
    Target,
  });
  return [
    ...spec.volumes.map((volume) => mount(volume, `${VOLUMES_PATH}/${volume.name}`)),
    ...onDisk.map((volume, index) => mount(volume, openDirectory(index))),
  ];
}

/** An app container, joined to its sandbox. What a joined container may not have (hostname, ports, DNS) is the sandbox's. */
export function appCreation(scope: Scope, spec: ContainerSpec): Creation {
  const joined = `container:${spec.sandboxId}`;
  return {
    name: containerName(scope, spec.pod, spec.name, spec.attempt),
    body: {
      Image: spec.image,
      Labels: containerLabels(scope, 'app', spec),
      // With a command the image's own arguments are void too (Kubernetes and Docker agree on that).
      ...(spec.command?.length && { Entrypoint: [...spec.command] }),
      ...(spec.args?.length && { Cmd: [...spec.args] }),
      Env: spec.env.map(({ name, value }) => `${name}=${value}`),
      ...(spec.workingDir && { WorkingDir: spec.workingDir }),
      Tty: spec.tty,
      OpenStdin: spec.stdin,
      ...(spec.stopSignal !== undefined && { StopSignal: spec.stopSignal }),
      // Probes are the executor's; an image's own health check would only cost.
      Healthcheck: { Test: ['NONE'] },
      HostConfig: {
        NetworkMode: joined,
        IpcMode: joined,
        ...(spec.shareProcessNamespace && { PidMode: joined }),
        Mounts: spec.mounts.map(({ volume, mountPath, readOnly }) =>
          appMount(scope, spec, volume, mountPath, readOnly),
        ),
        RestartPolicy: NO_RESTART,
        LogConfig: LOGGING,
        ...cpu(spec),
        // Swap is "memory plus swap" here: the same number means none.
        ...(spec.memoryLimitBytes !== undefined && {
          Memory: spec.memoryLimitBytes,
          MemorySwap: spec.memoryLimitBytes,
        }),
      },
    },
  };
}

function appMount(scope: Scope, spec: ContainerSpec, volume: string, mountPath: string, readOnly: boolean): Mount {
  return {
    Type: 'volume',
    Source: volumeName(scope, spec.pod.uid, volume),
    Target: mountPath,
    ReadOnly: readOnly,
    // An emptyDir hides what the image has there; Docker would copy it in.
    VolumeOptions: { NoCopy: true, Labels: {}, DriverConfig: { Name: 'local', Options: {} } },
  };
}

/** kubelet's rules: requests weigh, limits are a quota per period. A quota, unlike NanoCpus, may exceed the host's CPUs. */
function cpu(spec: ContainerSpec): Pick<HostConfig, 'CpuShares' | 'CpuPeriod' | 'CpuQuota'> {
  const shares = Math.floor(((spec.cpuRequestMillis ?? 0) * SHARES_PER_CPU) / 1000);
  return {
    CpuShares: Math.max(MIN_CPU_SHARES, shares),
    ...(spec.cpuLimitMillis !== undefined && {
      CpuPeriod: CPU_PERIOD_US,
      CpuQuota: Math.max(MIN_CPU_QUOTA_US, Math.floor((spec.cpuLimitMillis * CPU_PERIOD_US) / 1000)),
    }),
  };
}
