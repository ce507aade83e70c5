import type { ObservedContainer, PodKey } from '#domain';

/** A volume that lives as long as its pod (emptyDir). */
export interface VolumeSpec {
  /** Name in `spec.volumes`. */
  readonly name: string;
  readonly medium: 'disk' | 'memory';
  /** Memory only: the size at which writes fail with ENOSPC. */
  readonly sizeLimitBytes?: number;
}

export interface PortBinding {
  readonly containerPort: number;
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
  readonly hostPort: number;
  readonly hostIP?: string;
}

/** The container that holds a pod's network, IPC and hostname and mounts every volume of the pod. */
export interface SandboxSpec {
  readonly pod: PodKey;
  readonly attempt: number;
  readonly specHash: string;
  readonly hostname: string;
  readonly ports: readonly PortBinding[];
  readonly volumes: readonly VolumeSpec[];
  readonly labels: Readonly<Record<string, string>>;
}

/** An app container, joined to its pod's running or created sandbox. */
export interface ContainerSpec {
  readonly pod: PodKey;
  readonly name: string;
  readonly attempt: number;
  readonly specHash: string;
  readonly sandboxId: string;
  /** Reference as in the pod; must be present on the node. */
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly workingDir?: string;
  readonly mounts: readonly { readonly volume: string; readonly mountPath: string; readonly readOnly: boolean }[];
  readonly cpuRequestMillis?: number;
  readonly cpuLimitMillis?: number;
  readonly memoryLimitBytes?: number;
  readonly shareProcessNamespace: boolean;
  /** What asks it to stop, as `SIGUSR1`. Default: what its image says, else SIGTERM. */
  readonly stopSignal?: string;
  readonly stdin: boolean;
  readonly tty: boolean;
  readonly labels: Readonly<Record<string, string>>;
}

/** What the engine's host offers and is. */
export interface RuntimeInfo {
  /** Changes when the engine's own state was lost. */
  readonly engineId: string;
  readonly cpuMillis: number;
  readonly memoryBytes: number;
  /** `docker://28.1.0`. */
  readonly runtimeVersion: string;
  readonly operatingSystem: string;
  readonly osImage: string;
  readonly kernelVersion: string;
  readonly architecture: string;
}

export interface PullProgress {
  readonly bytesDone: number;
  readonly bytesTotal: number;
}

export interface LogOptions {
  readonly follow: boolean;
  readonly tailLines?: number;
  readonly sinceMillis?: number;
  readonly timestamps: boolean;
}

/** How a command ended that was run in a container. */
export interface ExecResult {
  /** 126 and 127: it could not be run, and the output says why. */
  readonly exitCode: number;
  /** The first 10 KiB of what it wrote, to either stream. */
  readonly output: string;
}

export type RuntimeFault =
  /** The engine does not answer; try again later. */
  | 'Unavailable'
  /** A deadline of ours ran out; the outcome is unknown. */
  | 'DeadlineExceeded'
  | 'NotFound'
  | 'ImageNotPresent'
  | 'InvalidImageName'
  | 'PullFailed'
  | 'CreateFailed'
  /** A host port is taken by somebody else. */
  | 'PortTaken'
  /** The process could not be started: `exitCode` is 126, 127 or 128. A termination, not an error of ours. */
  | 'StartFailed'
  | 'Failed';

/** The one error a runtime gives; `fault` says what to do about it. */
export class RuntimeError extends Error {
  constructor(
    readonly fault: RuntimeFault,
    message: string,
    readonly exitCode?: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'RuntimeError';
  }
}

/**
 * A container engine, seen through one cluster and one node: it shows and touches nothing else on that engine.
 * Verbs are idempotent: what is already so is success. Every call ends within its deadline (DESIGN: create 60 s, start
 * 60 s, stop = grace + 10 s, remove 60 s, pull 10 min without progress). All throw {@link RuntimeError}.
 * Every implementation passes `test/contract/container-runtime.contract.ts`.
 */
export interface ContainerRuntime {
  info(): Promise<RuntimeInfo>;
  /** Every container of this cluster and node, of every pod or of one. */
  list(podUid?: string): Promise<ObservedContainer[]>;
  /** Pods that own a volume here, whether or not they still have containers. */
  podsWithVolumes(): Promise<string[]>;
  /** Makes the pod's volumes and its sandbox, not started. The same name and hash again: the existing one. */
  createSandbox(spec: SandboxSpec): Promise<ObservedContainer>;
  /** Starts it, makes its volumes writable to all users (mode 0777, as kubelet does) and returns it with its address. */
  startSandbox(id: string): Promise<ObservedContainer>;
  createContainer(spec: ContainerSpec): Promise<ObservedContainer>;
  startContainer(id: string): Promise<void>;
  /** The stop signal, then SIGKILL after `graceSeconds`; resolves when it has ended. `0`: SIGKILL at once. */
  stop(id: string, graceSeconds: number): Promise<void>;
  /**
   * Runs a command, without a shell, in a container that runs; `Failed` when it does not. After `timeoutMs` the command and
   * what it started are ended as far as the engine lets us, and it throws `DeadlineExceeded`.
   */
  exec(id: string, command: readonly string[], options: { readonly timeoutMs: number }): Promise<ExecResult>;
  remove(id: string): Promise<void>;
  removeVolumes(podUid: string): Promise<void>;
  /** What a reference is here, or `undefined` when it must be pulled. */
  image(reference: string): Promise<{ readonly imageId: string } | undefined>;
  pull(reference: string, onProgress: (progress: PullProgress) => void): Promise<{ readonly imageId: string }>;
  /** Output of a container, in order of arrival; ends when it ended (follow) or all is read. `onChunk` is awaited: back-pressure. */
  logs(
    id: string,
    options: LogOptions,
    onChunk: (chunk: Uint8Array) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void>;
  /**
   * Calls `wake` with a pod's uid when one of its containers started or ended, and without when everything should be looked
   * at again (connected, reconnected). A hint: state comes from {@link list}. Reconnects by itself until unsubscribed.
   */
  onChange(wake: (podUid?: string) => void): () => void;
}
