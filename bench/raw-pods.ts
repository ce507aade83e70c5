import { randomUUID } from 'node:crypto';
import type Dockerode from 'dockerode';
import { ensurePauseImage } from '../apps/executor/src/runtime/docker-pause-image.js';
import { DockerClient } from '../apps/executor/src/runtime/docker-client.js';
import { networkName } from '../apps/executor/src/runtime/docker-names.js';
import { clock } from './bench-log.js';
import { benchImage, COMMAND, CONTAINERS, MOUNT, startedAt } from './bench-pods.js';
import { assertRan } from './bench.js';

const LABELS = { 'podledger-bench': 'raw' };
const LOGGING = { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '2' } };

/** A pod that nobody decided, recorded or watches. */
interface RawPod {
  readonly volume: string;
  readonly containers: Dockerode.Container[];
}

/**
 * The limit for pods on Docker: the same sandbox, volume and containers on the same network, by nothing but the calls that are
 * needed, as much of them at once as the engine allows. The sandbox is started while the members are created, and the members
 * are started together.
 */
export class RawPods {
  private readonly pods: RawPod[] = [];

  private constructor(
    private readonly docker: Dockerode,
    private readonly pauseImage: string,
    private readonly image: string,
    private readonly network: string,
  ) {}

  /** On the network of a running cluster. */
  static async on(docker: Dockerode, socketPath: string, cluster: string): Promise<RawPods> {
    const pauseImage = await ensurePauseImage(new DockerClient(socketPath, clock));
    return new RawPods(docker, pauseImage, await benchImage(docker), networkName(cluster));
  }

  /** Runs a pod; resolves to the milliseconds until its last container had been started, by the engine's own clock. */
  async run(): Promise<number> {
    const { docker } = this;
    const begun = Date.now();
    const name = `podledger-bench-${randomUUID()}`;
    await docker.createVolume({ Name: name, Labels: LABELS });
    const pod: RawPod = { volume: name, containers: [] };
    this.pods.push(pod);
    const sandbox = await docker.createContainer(this.sandbox(name));
    pod.containers.push(sandbox);
    const joined = `container:${sandbox.id}`;
    const [, ...members] = await Promise.all([
      sandbox.start(),
      ...CONTAINERS.map(async (container) => {
        const member = await docker.createContainer(this.member(`${name}-${container}`, name, joined));
        pod.containers.push(member);
        return member;
      }),
    ]);
    await Promise.all(members.map((member) => member.start()));
    const times = await Promise.all(members.map(({ id }) => startedAt(docker, id)));
    assertRan(times.length === CONTAINERS.length, `${times.length} containers run`);
    return Math.max(...times) - begun;
  }

  /** Removes every pod that was run. */
  async removeAll(): Promise<void> {
    for (const { volume, containers } of this.pods.splice(0)) {
      await Promise.all(containers.map((container) => container.remove({ force: true, v: true })));
      await this.docker.getVolume(volume).remove();
    }
  }

  private sandbox(volume: string): Dockerode.ContainerCreateOptions {
    return {
      name: volume,
      Image: this.pauseImage,
      Hostname: 'raw',
      Labels: LABELS,
      HostConfig: {
        NetworkMode: this.network,
        IpcMode: 'shareable',
        Mounts: [{ Type: 'volume', Source: volume, Target: MOUNT }],
        LogConfig: LOGGING,
        CapDrop: ['ALL'],
      },
    };
  }

  private member(name: string, volume: string, joined: string): Dockerode.ContainerCreateOptions {
    return {
      name,
      Image: this.image,
      Entrypoint: COMMAND,
      Labels: LABELS,
      HostConfig: {
        NetworkMode: joined,
        IpcMode: joined,
        Mounts: [{ Type: 'volume', Source: volume, Target: MOUNT }],
        LogConfig: LOGGING,
      },
    };
  }
}
