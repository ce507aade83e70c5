import type Dockerode from 'dockerode';
import type { Clock, Millis, ObservedContainer } from '#domain';
import { RuntimeError } from './container-runtime.js';
import type { DockerClient } from './docker-client.js';
import { sawOutOfMemory } from './docker-events.js';
import { isOwn, labelFilter, networkName, type Scope } from './docker-names.js';
import { markInfrastructureExits, observe, stateOf } from './docker-observe.js';
import type { DockerImages } from './docker-pull.js';

const DEADLINE_MS = 10_000;
/** Inspections in flight: more only make each slower. */
const INSPECTIONS_AT_ONCE = 16;
/** A running container is looked at again after this, in case somebody restarted it by hand behind our back. */
const RUNNING_KNOWN_FOR_MS = 30_000;

/** Between a creation and the start that follows it. */
const CREATED_KNOWN_FOR_MS = 5_000;

interface Known {
  readonly container: ObservedContainer;
  readonly at: Millis;
  stale: boolean;
}

/** What is on the engine of one cluster and node: one list, and an inspection of what the list does not tell. */
export class DockerInventory {
  private readonly known = new Map<string, Known>();
  private readonly stopped = new Set<string>();

  constructor(
    private readonly client: DockerClient,
    private readonly images: DockerImages,
    private readonly scope: Scope,
    private readonly clock: Clock,
  ) {}

  async list(podUid?: string): Promise<ObservedContainer[]> {
    const filters = { label: labelFilter({ ...this.scope, podUid }) };
    const listed = await this.client.call('list containers', DEADLINE_MS, (docker, abortSignal) =>
      docker.listContainers({ all: true, filters, abortSignal }),
    );
    if (podUid === undefined) this.keepOnly(new Set(listed.map(({ Id }) => Id)));
    const containers = await this.observeAll(listed);
    return this.withInfrastructureExits(containers);
  }

  /** One container of ours, inspected now. Throws `NotFound`, also for what belongs to somebody else. */
  async inspect(id: string): Promise<{ info: Dockerode.ContainerInspectInfo; container: ObservedContainer }> {
    const info = await this.client.call(`inspect container ${id.slice(0, 12)}`, DEADLINE_MS, (docker, abortSignal) =>
      docker.getContainer(encodeURIComponent(id)).inspect({ abortSignal }),
    );
    const container = isOwn(this.scope, info.Config.Labels) ? await this.observation(info) : undefined;
    if (container === undefined) throw new RuntimeError('NotFound', `no container ${id} of this cluster and node`);
    return { info, container };
  }

  /** Like {@link inspect}, `undefined` instead of `NotFound`. */
  async find(id: string): Promise<{ info: Dockerode.ContainerInspectInfo; container: ObservedContainer } | undefined> {
    try {
      return await this.inspect(id);
    } catch (error) {
      if (error instanceof RuntimeError && error.fault === 'NotFound') return undefined;
      throw error;
    }
  }

  /** Whether it is ours: from memory where possible, since labels never change. */
  async isOwn(id: string): Promise<boolean> {
    return this.known.has(id) || (await this.find(id)) !== undefined;
  }

  /** {@link inspect}, or what was seen a moment ago of a container that was just created. */
  async beforeStart(id: string): Promise<ObservedContainer> {
    const known = this.known.get(id);
    const fresh = known !== undefined && !known.stale && this.clock.now() - known.at < CREATED_KNOWN_FOR_MS;
    return fresh && known.container.state === 'created' ? known.container : (await this.inspect(id)).container;
  }

  /** Something happened to it, or is about to: the next look is a new one. */
  touch(id: string): void {
    const known = this.known.get(id);
    if (known !== undefined) known.stale = true;
  }

  /** We end it ourselves: a SIGKILL in its record is ours. */
  expectKill(id: string): void {
    this.stopped.add(id);
    this.touch(id);
  }

  private async observation(info: Dockerode.ContainerInspectInfo): Promise<ObservedContainer | undefined> {
    const imageId = await this.images.imageIdOfContainer(info.Image, info.Config.Image);
    const container = observe(info, imageId, networkName(this.scope.cluster));
    if (container === undefined) return undefined;
    const settled = await this.withOutOfMemory(container, info.HostConfig.Memory ?? 0);
    this.known.set(info.Id, { container: settled, at: this.clock.now(), stale: false });
    return settled;
  }

  /**
   * The engine learns by two ways that a container ended and that memory ran out. When the second comes last it only tells it
   * as an event, and its record of the container never says so.
   */
  private async withOutOfMemory(container: ObservedContainer, memoryLimit: number): Promise<ObservedContainer> {
    const { id, finishedAt, exitCode, oomKilled } = container;
    const killedByOthers = exitCode === 137 && !this.stopped.has(id);
    if (finishedAt === undefined || !killedByOthers || oomKilled === true || memoryLimit === 0) return container;
    const known = this.known.get(id)?.container;
    if (known?.finishedAt === finishedAt) return { ...container, oomKilled: known.oomKilled === true };
    return { ...container, oomKilled: await sawOutOfMemory(this.client, id, finishedAt) };
  }

  private async observeAll(listed: readonly Dockerode.ContainerInfo[]): Promise<ObservedContainer[]> {
    const found = new Array<ObservedContainer | undefined>(listed.length);
    const todo = listed.entries();
    const worker = async (): Promise<void> => {
      for (const [index, entry] of todo)
        found[index] = this.stillKnown(entry) ?? (await this.find(entry.Id))?.container;
    };
    await Promise.all(Array.from({ length: Math.min(INSPECTIONS_AT_ONCE, listed.length) }, worker));
    return found.filter((container) => container !== undefined);
  }

  /** The remembered observation while the list does not contradict it. What is merely created may change at any moment. */
  private stillKnown(entry: Dockerode.ContainerInfo): ObservedContainer | undefined {
    const known = this.known.get(entry.Id);
    const state = stateOf(entry.State);
    if (known === undefined || known.stale || state !== known.container.state || state === 'created') return undefined;
    if (state === 'running') return this.clock.now() - known.at < RUNNING_KNOWN_FOR_MS ? known.container : undefined;
    return entry.Status.startsWith(`Exited (${known.container.exitCode})`) ? known.container : undefined;
  }

  private keepOnly(ids: ReadonlySet<string>): void {
    for (const id of this.known.keys()) if (!ids.has(id)) this.known.delete(id);
    for (const id of this.stopped) if (!ids.has(id)) this.stopped.delete(id);
  }

  private async withInfrastructureExits(containers: ObservedContainer[]): Promise<ObservedContainer[]> {
    if (!containers.some(({ state }) => state === 'exited')) return containers;
    return markInfrastructureExits(containers, await this.engineStartedAt());
  }

  /**
   * When the engine's present life began. It does not say so itself, but it makes its default bridge anew with every start
   * that ended containers; a start that kept them (live-restore) also keeps the bridge. `undefined` without that bridge.
   */
  private async engineStartedAt(): Promise<Millis | undefined> {
    try {
      const bridge = await this.client.call('look at the default bridge', DEADLINE_MS, (docker) =>
        docker.getNetwork('bridge').inspect(),
      );
      const time = Date.parse(bridge.Created);
      return Number.isNaN(time) ? undefined : time;
    } catch (error) {
      if (error instanceof RuntimeError && error.fault === 'NotFound') return undefined;
      throw error;
    }
  }
}
