import { hostname } from 'node:os';
import { RuntimeError } from './container-runtime.js';
import type { DockerClient } from './docker-client.js';
import { statusOf } from './docker-errors.js';

const DEADLINE_MS = 10_000;

/**
 * The container that this program itself runs in, when it runs in one of the same engine (docker-compose). The engine keeps
 * networks apart: from there pods are reached only over a network shared with them.
 */
export class OwnContainer {
  private id: Promise<string | undefined> | undefined;
  private joined: string | undefined;

  constructor(
    private readonly client: DockerClient,
    /** A container's host name is the beginning of its id, unless somebody chose another. */
    private readonly name = hostname(),
  ) {}

  /** Joins a network, once. Nothing to do for a program on the host itself. Throws `RuntimeError`. */
  async join(networkId: string): Promise<void> {
    if (this.joined === networkId) return;
    const Container = await this.find();
    if (Container !== undefined) await this.connect(networkId, Container);
    this.joined = networkId;
  }

  private find(): Promise<string | undefined> {
    this.id ??= this.look().catch((error: unknown) => {
      this.id = undefined;
      throw error;
    });
    return this.id;
  }

  private async look(): Promise<string | undefined> {
    if (!/^[0-9a-f]{12,64}$/.test(this.name)) return undefined;
    try {
      const { Id } = await this.client.call('look for the own container', DEADLINE_MS, (docker, abortSignal) =>
        docker.getContainer(this.name).inspect({ abortSignal }),
      );
      return Id.startsWith(this.name) ? Id : undefined;
    } catch (error) {
      if (error instanceof RuntimeError && error.fault === 'NotFound') return undefined;
      throw error;
    }
  }

  private async connect(networkId: string, Container: string): Promise<void> {
    try {
      await this.client.call('join the network of the pods', DEADLINE_MS, (docker) =>
        docker.getNetwork(networkId).connect({ Container }),
      );
    } catch (error) {
      // 403: it is there already.
      if (statusOf(error) !== 403) throw error;
    }
  }
}
