import { RuntimeError } from './container-runtime.js';
import type { DockerClient } from './docker-client.js';
import { isNetworkAmiss, statusOf } from './docker-errors.js';
import { labelFilter, networkLabels, networkName } from './docker-names.js';
import { OwnContainer } from './docker-own-container.js';
import { ensurePauseImage } from './docker-pause-image.js';

const DEADLINE_MS = 30_000;

/**
 * What every sandbox stands on: the pause image and the cluster's network. Both are looked after once and then remembered;
 * when a call shows that one has gone (somebody purged, the engine was replaced), they are looked after again.
 */
export class DockerGround {
  private laid: Promise<string> | undefined;
  private reached: Promise<void> | undefined;
  private readonly own: OwnContainer;

  constructor(
    private readonly client: DockerClient,
    private readonly cluster: string,
  ) {
    this.own = new OwnContainer(client);
  }

  /** Makes the pods that an earlier executor left reachable for this one. Throws `RuntimeError`. */
  reach(): Promise<void> {
    this.reached ??= this.joinIfThere().catch((error: unknown) => {
      this.reached = undefined;
      throw error;
    });
    return this.reached;
  }

  private async joinIfThere(): Promise<void> {
    const [network] = await this.networksNamed(networkName(this.cluster));
    if (network) await this.own.join(network.Id);
  }

  /** Runs `work` with the pause image's reference; once more when the ground turns out to be missing. */
  async on<T>(work: (pauseImage: string) => Promise<T>): Promise<T> {
    try {
      return await work(await this.lay());
    } catch (error) {
      const missing = error instanceof RuntimeError && error.fault === 'ImageNotPresent';
      if (!missing && !isNetworkAmiss(error)) throw error;
      this.laid = undefined;
      return work(await this.lay());
    }
  }

  private lay(): Promise<string> {
    if (this.laid !== undefined) return this.laid;
    const laid = Promise.all([ensurePauseImage(this.client), this.ensureNetwork()]).then(([image]) => image);
    this.laid = laid;
    laid.catch(() => {
      if (this.laid === laid) this.laid = undefined;
    });
    return laid;
  }

  /**
   * One bridge network for the cluster; the engine chooses its addresses. Two executors that make it at the same time may
   * both succeed, because the engine does not hold names unique by itself: the older network stays, everybody removes the
   * others.
   */
  private async ensureNetwork(): Promise<void> {
    const name = networkName(this.cluster);
    if ((await this.networksNamed(name)).length === 0) await this.createNetwork(name);
    const byAge = (await this.networksNamed(name)).sort(
      (a, b) => Date.parse(a.Created) - Date.parse(b.Created) || (a.Id < b.Id ? -1 : 1),
    );
    for (const { Id } of byAge.slice(1)) await this.removeNetwork(Id);
    if (byAge[0]) await this.own.join(byAge[0].Id);
  }

  private async networksNamed(name: string) {
    const filters = { label: labelFilter({ cluster: this.cluster }) };
    const networks = await this.client.call('list networks', DEADLINE_MS, (docker, abortSignal) =>
      docker.listNetworks({ filters, abortSignal }),
    );
    return networks.filter((network) => network.Name === name);
  }

  private async createNetwork(name: string): Promise<void> {
    try {
      await this.client.call(`create network ${name}`, DEADLINE_MS, (docker, abortSignal) =>
        docker.createNetwork({
          Name: name,
          Driver: 'bridge',
          CheckDuplicate: true,
          Labels: networkLabels(this.cluster),
          abortSignal,
        }),
      );
    } catch (error) {
      if (statusOf(error) !== 409) throw error;
    }
  }

  private async removeNetwork(id: string): Promise<void> {
    try {
      await this.client.call(`remove network ${id}`, DEADLINE_MS, (docker) => docker.getNetwork(id).remove());
    } catch (error) {
      // 403: a sandbox has just joined it; the next one that looks removes it. 404: somebody else did.
      const status = statusOf(error);
      if (status !== 403 && status !== 404) throw error;
    }
  }
}
