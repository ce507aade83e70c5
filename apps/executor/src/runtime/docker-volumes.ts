import type Dockerode from 'dockerode';
import type { PodKey } from '#domain';
import type { VolumeSpec } from './container-runtime.js';
import type { DockerClient } from './docker-client.js';
import { creationFailure, toleratedStatus } from './docker-errors.js';
import { LABEL, labelFilter, type Scope } from './docker-names.js';
import { volumeCreation } from './docker-specs.js';

const LIST_DEADLINE_MS = 10_000;
/** DESIGN section 4. */
const CREATE_DEADLINE_MS = 60_000;
const REMOVE_DEADLINE_MS = 60_000;

/** The volumes of one cluster and node on an engine. */
export class DockerVolumes {
  constructor(
    private readonly client: DockerClient,
    private readonly scope: Scope,
  ) {}

  /** Makes a pod's volumes; those that are there stay as they are. Always before a container mounts them, or they had no labels. */
  async create(pod: PodKey, volumes: readonly VolumeSpec[]): Promise<void> {
    await Promise.all(
      volumes.map((volume) => {
        const options = volumeCreation(this.scope, pod, volume);
        return this.client
          .call(`create volume ${options.Name}`, CREATE_DEADLINE_MS, (docker, abortSignal) =>
            docker.createVolume({ ...options, abortSignal }),
          )
          .catch((error: unknown) => {
            throw creationFailure(error);
          });
      }),
    );
  }

  /** Uids of the pods that have volumes. */
  async owners(): Promise<string[]> {
    const volumes = await this.list();
    return [...new Set(volumes.map(({ Labels }) => Labels[LABEL.podUid]).filter((uid) => uid !== undefined))];
  }

  /** Removes a pod's volumes. Throws `Failed` while a container still mounts one. */
  async remove(podUid: string): Promise<void> {
    const volumes = await this.list(podUid);
    await Promise.all(
      volumes.map(({ Name }) =>
        this.client
          .call(`remove volume ${Name}`, REMOVE_DEADLINE_MS, (docker, abortSignal) =>
            docker.getVolume(Name).remove({ abortSignal }),
          )
          .catch((error: unknown) => toleratedStatus(error, [404])),
      ),
    );
  }

  private async list(podUid?: string): Promise<Dockerode.VolumeInspectInfo[]> {
    const filters = { label: labelFilter({ ...this.scope, podUid }) };
    // No volumes are `null` on the wire.
    const answer: { Volumes: Dockerode.VolumeInspectInfo[] | null } = await this.client.call(
      'list volumes',
      LIST_DEADLINE_MS,
      (docker, abortSignal) => docker.listVolumes({ filters, abortSignal }),
    );
    return answer.Volumes ?? [];
  }
}
