import type Dockerode from 'dockerode';
import type { Clock, ObservedContainer } from '#domain';
import {
  RuntimeError,
  type ContainerRuntime,
  type ContainerSpec,
  type ExecResult,
  type LogOptions,
  type PullProgress,
  type RuntimeInfo,
  type SandboxSpec,
} from './container-runtime.js';
import { DockerClient, type DockerEndpoint } from './docker-client.js';
import {
  containerStartFailure,
  creationFailure,
  sandboxStartFailure,
  statusOf,
  toleratedStatus,
} from './docker-errors.js';
import { followEvents } from './docker-events.js';
import { execInContainer } from './docker-exec.js';
import { DockerGround } from './docker-ground.js';
import { DockerInventory } from './docker-inventory.js';
import { readLogs } from './docker-logs.js';
import { isOwn, LABEL, type Scope } from './docker-names.js';
import { DockerImages } from './docker-pull.js';
import { appCreation, sandboxCreation, type Creation } from './docker-specs.js';
import { DockerVolumes } from './docker-volumes.js';

/** DESIGN section 4. */
const CREATE_DEADLINE_MS = 60_000;
const START_DEADLINE_MS = 60_000;
const STOP_MARGIN_MS = 10_000;
const REMOVE_DEADLINE_MS = 60_000;
const READ_DEADLINE_MS = 10_000;
/** Between two looks at something the engine is in the middle of. */
const POLL_MS = 25;

export interface DockerRuntimeOptions extends Scope {
  readonly docker: DockerEndpoint;
  readonly clock: Clock;
}

/**
 * Pods on a Docker Engine, 20.10 or newer. The engine is the only memory: names are deterministic and everything is
 * labelled, so a repeated verb meets its first result, and a restarted executor finds what it made.
 */
export class DockerRuntime implements ContainerRuntime {
  private readonly scope: Scope;
  private readonly clock: Clock;
  private readonly client: DockerClient;
  private readonly images: DockerImages;
  private readonly inventory: DockerInventory;
  private readonly volumes: DockerVolumes;
  private readonly ground: DockerGround;

  constructor({ docker, cluster, node, clock }: DockerRuntimeOptions) {
    this.scope = { cluster, node };
    this.clock = clock;
    this.client = new DockerClient(docker, clock);
    this.images = new DockerImages(this.client, clock);
    this.inventory = new DockerInventory(this.client, this.images, this.scope, clock);
    this.volumes = new DockerVolumes(this.client, this.scope);
    this.ground = new DockerGround(this.client, cluster);
  }

  async info(): Promise<RuntimeInfo> {
    const { architecture } = await this.client.engine();
    const info: EngineInfo = await this.client.call('describe the engine', READ_DEADLINE_MS, (docker) => docker.info());
    return {
      engineId: info.ID,
      cpuMillis: info.NCPU * 1000,
      memoryBytes: info.MemTotal,
      runtimeVersion: `docker://${info.ServerVersion}`,
      operatingSystem: info.OSType,
      osImage: info.OperatingSystem,
      kernelVersion: info.KernelVersion,
      architecture,
    };
  }

  async list(podUid?: string): Promise<ObservedContainer[]> {
    await this.ground.reach();
    return this.inventory.list(podUid);
  }

  podsWithVolumes(): Promise<string[]> {
    return this.volumes.owners();
  }

  async createSandbox(spec: SandboxSpec): Promise<ObservedContainer> {
    return this.ground.on(async (pauseImage) => {
      const creation = sandboxCreation(this.scope, spec, pauseImage);
      await this.volumes.create(spec.pod, spec.volumes);
      return this.create(creation);
    });
  }

  async startSandbox(id: string): Promise<ObservedContainer> {
    const container = await this.inventory.beforeStart(id);
    if (container.state === 'running') return container;
    if (container.state === 'exited') {
      throw new RuntimeError('Failed', `sandbox ${id} has ended and is not started again`);
    }
    try {
      await this.ground.on(() => this.start(id));
    } catch (error) {
      throw sandboxStartFailure(error);
    }
    return (await this.inventory.inspect(id)).container;
  }

  async createContainer(spec: ContainerSpec): Promise<ObservedContainer> {
    return this.create(appCreation(this.scope, spec));
  }

  async startContainer(id: string): Promise<void> {
    // The engine would run an ended container again, over the record of its first end.
    const container = await this.inventory.beforeStart(id);
    if (container.state !== 'created') return;
    try {
      await this.start(id);
    } catch (error) {
      throw containerStartFailure(error, (await this.inventory.find(id))?.info.State.ExitCode);
    }
  }

  async stop(id: string, graceSeconds: number): Promise<void> {
    if (!(await this.inventory.isOwn(id))) return;
    const container = `container ${id.slice(0, 12)}`;
    this.inventory.expectKill(id);
    if (graceSeconds > 0) {
      const t = Math.ceil(graceSeconds);
      await this.tolerating([304, 404], `stop ${container}`, t * 1000 + STOP_MARGIN_MS, (docker, abortSignal) =>
        docker.getContainer(id).stop({ t, abortSignal }),
      );
      return;
    }
    await this.tolerating([404, 409], `kill ${container}`, STOP_MARGIN_MS, (docker) =>
      docker.getContainer(id).kill({ signal: 'SIGKILL' }),
    );
    // The signal is sent; unlike a stop, a kill need not wait for the end.
    await this.until(`see the end of ${container}`, STOP_MARGIN_MS, async () => {
      return (await this.inventory.find(id))?.container.state !== 'running';
    });
  }

  async exec(
    id: string,
    command: readonly string[],
    { timeoutMs }: { readonly timeoutMs: number },
  ): Promise<ExecResult> {
    if (!(await this.inventory.isOwn(id)))
      throw new RuntimeError('NotFound', `no container ${id} of this cluster and node`);
    return execInContainer({ client: this.client, clock: this.clock }, id, command, timeoutMs);
  }

  async remove(id: string): Promise<void> {
    if (await this.inventory.isOwn(id)) await this.removeNow(id);
  }

  removeVolumes(podUid: string): Promise<void> {
    return this.volumes.remove(podUid);
  }

  async image(reference: string): Promise<{ readonly imageId: string } | undefined> {
    const imageId = await this.images.find(reference);
    return imageId === undefined ? undefined : { imageId };
  }

  async pull(reference: string, onProgress: (progress: PullProgress) => void): Promise<{ readonly imageId: string }> {
    return { imageId: await this.images.pull(reference, onProgress) };
  }

  async logs(
    id: string,
    options: LogOptions,
    onChunk: (chunk: Uint8Array) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    const { info } = await this.inventory.inspect(id);
    await readLogs(this.client, { id, tty: info.Config.Tty }, options, onChunk, signal);
  }

  onChange(wake: (podUid?: string) => void): () => void {
    const ended = new AbortController();
    const handlers = {
      onConnected: () => wake(),
      onChange: ({ containerId, podUid }: { containerId: string; podUid?: string }) => {
        this.inventory.touch(containerId);
        wake(podUid);
      },
    };
    void followEvents(this.client, this.clock, this.scope, handlers, ended.signal);
    return () => ended.abort();
  }

  /** Creates a container, or takes the one that an earlier call of the same wish has left. */
  private async create(creation: Creation): Promise<ObservedContainer> {
    const deadline = this.clock.now() + CREATE_DEADLINE_MS;
    for (;;) {
      try {
        const id = await this.createNow(creation);
        return (await this.inventory.inspect(id)).container;
      } catch (error) {
        if (statusOf(error) !== 409 || this.clock.now() >= deadline) throw creationFailure(error);
      }
      const existing = await this.existing(creation.name);
      if (existing === undefined) continue;
      if (!isOwn(this.scope, existing.Config.Labels)) {
        throw new RuntimeError('CreateFailed', `the name ${creation.name} is taken by a container that is not ours`);
      }
      if (isSameWish(existing, creation)) return (await this.inventory.inspect(existing.Id)).container;
      await this.removeNow(existing.Id);
    }
  }

  /** Who has a name, of whatever cluster; `undefined` when nobody has it any more. */
  private async existing(name: string): Promise<Dockerode.ContainerInspectInfo | undefined> {
    try {
      return await this.client.call(`inspect container ${name}`, READ_DEADLINE_MS, (docker, abortSignal) =>
        docker.getContainer(name).inspect({ abortSignal }),
      );
    } catch (error) {
      toleratedStatus(error, [404]);
      return undefined;
    }
  }

  private async createNow({ name, body }: Creation): Promise<string> {
    return this.client.call(`create container ${name}`, CREATE_DEADLINE_MS, async (docker, abortSignal) => {
      // dockerode would repeat the whole body in the URL, where an engine takes 1 MB at most.
      const request = { _query: { name }, _body: body, abortSignal };
      const { id } = await docker.createContainer(request);
      return id;
    });
  }

  private async start(id: string): Promise<void> {
    // Before the call: when its answer is lost, the container may have run and ended all the same.
    this.inventory.touch(id);
    await this.tolerating([304], `start container ${id.slice(0, 12)}`, START_DEADLINE_MS, (docker, abortSignal) =>
      docker.getContainer(id).start({ abortSignal }),
    );
  }

  private async removeNow(id: string): Promise<void> {
    const what = `remove container ${id.slice(0, 12)}`;
    this.inventory.touch(id);
    // With `v`, volumes that the image itself declares go too.
    const tolerated = await this.tolerating([404, 409], what, REMOVE_DEADLINE_MS, (docker) =>
      docker.getContainer(id).remove({ force: true, v: true }),
    );
    // 409: another removal is under way.
    if (tolerated !== 409) return;
    await this.until(what, REMOVE_DEADLINE_MS, async () => (await this.inventory.find(id)) === undefined);
  }

  /** A call for which some error statuses mean "it is so already"; returns the status that was tolerated. */
  private async tolerating(
    statuses: readonly number[],
    what: string,
    deadlineMs: number,
    work: (docker: Dockerode, abortSignal: AbortSignal) => Promise<unknown>,
  ): Promise<number | undefined> {
    try {
      await this.client.call(what, deadlineMs, work);
      return undefined;
    } catch (error) {
      return toleratedStatus(error, statuses);
    }
  }

  /** Waits for what the engine is doing. Never by its own `wait`, which may hang for ever. */
  private async until(what: string, deadlineMs: number, holds: () => Promise<boolean>): Promise<void> {
    const deadline = this.clock.now() + deadlineMs;
    while (!(await holds())) {
      if (this.clock.now() >= deadline) {
        throw new RuntimeError('DeadlineExceeded', `${what}: not done within ${deadlineMs / 1000} s`);
      }
      await this.clock.sleep(POLL_MS);
    }
  }
}

/** The parts of `GET /info` that we read; dockerode leaves it untyped. */
interface EngineInfo {
  readonly ID: string;
  readonly NCPU: number;
  readonly MemTotal: number;
  readonly ServerVersion: string;
  readonly OSType: string;
  readonly OperatingSystem: string;
  readonly KernelVersion: string;
}

/** Same hash, and joined to the same sandbox: one joined to a dead sandbox has no network and never will. */
function isSameWish(existing: Dockerode.ContainerInspectInfo, { body }: Creation): boolean {
  return (
    existing.Config.Labels[LABEL.specHash] === body.Labels[LABEL.specHash] &&
    existing.HostConfig.NetworkMode === body.HostConfig?.NetworkMode
  );
}
