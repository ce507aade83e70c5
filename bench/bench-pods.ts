import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import Dockerode from 'dockerode';
import { assertRan } from './bench.js';
import type { PodObject, Product } from './product.js';

const PODS = '/api/v1/namespaces/default/pods';
const RUNNING_WITHIN_MS = 120_000;

/** What both run: two containers that obey SIGTERM, and a volume that both mount. */
export const CONTAINERS = ['app', 'helper'];
export const COMMAND = ['sh', '-c', 'trap "exit 0" TERM; sleep 3600 & wait'];
export const MOUNT = '/data';

/** The image that pods of benches run, loaded into the engine if need be. */
export async function benchImage(docker: Dockerode): Promise<string> {
  const module = pathToFileURL(join(import.meta.dirname, '../../scripts/images.mjs')).href;
  const { ensureBusybox } = (await import(module)) as typeof import('../scripts/images.mjs');
  return ensureBusybox(docker);
}

export function manifest(name: string, image: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      terminationGracePeriodSeconds: 0,
      volumes: [{ name: 'shared', emptyDir: {} }],
      containers: CONTAINERS.map((container) => ({
        name: container,
        image,
        command: COMMAND,
        volumeMounts: [{ name: 'shared', mountPath: MOUNT }],
      })),
    },
  };
}

/** When something happened to a pod, in milliseconds since the request. */
export interface PodTimes {
  /** The API had answered 201. */
  readonly accepted: number;
  /** The last container had been started, by the engine's own clock, which is this machine's. */
  readonly started: number;
  /** A watcher of the API saw every container running. */
  readonly seen: number;
}

/** Pods of a running product, followed by one watch. */
export class BenchPods {
  private readonly waiting = new Map<string, (at: number) => void>();
  private readonly gone = new Map<string, () => void>();
  private readonly endWatch: () => void;

  private constructor(
    private readonly product: Product,
    private readonly docker: Dockerode,
    private readonly image: string,
    resourceVersion: string,
  ) {
    this.endWatch = product.watch(PODS, resourceVersion, ({ type, object }) => {
      const { name } = object.metadata;
      if (isRunning(object)) this.waiting.get(name)?.(Date.now());
      if (type === 'DELETED') this.gone.get(name)?.();
    });
  }

  static async of(product: Product, docker: Dockerode): Promise<BenchPods> {
    const { metadata } = await product.call<PodObject>('GET', PODS);
    return new BenchPods(product, docker, await benchImage(docker), metadata.resourceVersion);
  }

  /** Asks for a pod and resolves when a watcher sees all of it running. Throws when the engine shows anything else. */
  async run(name: string): Promise<PodTimes> {
    const running = within(`pod ${name} running`, new Promise<number>((seen) => this.waiting.set(name, seen)));
    const begun = Date.now();
    const { metadata } = await this.product.call<PodObject>('POST', PODS, manifest(name, this.image));
    const accepted = Date.now();
    const seen = await running;
    this.waiting.delete(name);
    const containers = await this.containersOf(metadata.uid);
    assertRan(containers.length === CONTAINERS.length, `${containers.length} containers run for pod ${name}`);
    return { accepted: accepted - begun, started: Math.max(...containers) - begun, seen: seen - begun };
  }

  /** Deletes a pod and resolves when it is gone, which is when nothing of it is left. */
  async end(name: string): Promise<void> {
    const gone = within(`pod ${name} gone`, new Promise<void>((resolve) => this.gone.set(name, resolve)));
    await this.product.call('DELETE', `${PODS}/${name}`);
    await gone;
    this.gone.delete(name);
  }

  stop(): void {
    this.endWatch();
  }

  /** When each of the pod's own containers was started; those that do not run are left out. */
  private async containersOf(uid: string): Promise<number[]> {
    const filters = { label: [`io.kubernetes.pod.uid=${uid}`], status: ['running'] };
    const found = await this.docker.listContainers({ filters });
    const own = found.filter(({ Labels }) => CONTAINERS.includes(Labels['io.kubernetes.container.name'] ?? ''));
    return Promise.all(own.map(({ Id }) => startedAt(this.docker, Id)));
  }
}

/** When the engine says it started a container, in milliseconds since the epoch. */
export async function startedAt(docker: Dockerode, id: string): Promise<number> {
  const { State } = await docker.getContainer(id).inspect();
  assertRan(State.Running, `container ${id} does not run`);
  return Date.parse(State.StartedAt);
}

function isRunning({ status }: PodObject): boolean {
  const states = status.containerStatuses ?? [];
  return states.length === CONTAINERS.length && states.every(({ state }) => state['running'] !== undefined);
}

async function within<T>(what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${RUNNING_WITHIN_MS / 1000} s: ${what}`)), RUNNING_WITHIN_MS);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
