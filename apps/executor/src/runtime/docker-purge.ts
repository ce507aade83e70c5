import type { Clock } from '#domain';
import { DockerClient, type DockerEndpoint } from './docker-client.js';
import { statusOf } from './docker-errors.js';
import { labelFilter } from './docker-names.js';
import { buildPauseImage } from './docker-pause-image.js';

const DEADLINE_MS = 60_000;
/** Removals in flight; an engine on few cores gets slower beyond. */
const AT_ONCE = 4;
/** How often a refused removal is tried again: somebody else may be removing the same thing. */
const TRIES = 20;
const RETRY_MS = 100;

/** What a purge removed. */
export interface Purged {
  readonly containers: number;
  readonly volumes: number;
  readonly networks: number;
}

/**
 * Removes everything of a cluster from an engine, or of one node of it: containers (killed), then volumes, then the network
 * and the pause image when nobody is left on them. Touches nothing else. For `npm run down`, vanished nodes, and tests.
 * Throws RuntimeError; what is gone by then stays gone, and a repeat goes on.
 */
export async function purgeCluster(
  endpoint: DockerEndpoint,
  selection: { readonly cluster: string; readonly node?: string },
  clock: Clock,
): Promise<Purged> {
  const client = new DockerClient(endpoint, clock);
  const filters = { label: labelFilter(selection) };
  const ofCluster = { label: labelFilter({ cluster: selection.cluster }) };

  const containers = await client.call('list containers', DEADLINE_MS, (docker) =>
    docker.listContainers({ all: true, filters }),
  );
  await removeAll(clock, containers, ({ Id }) =>
    client.call(`remove container ${Id.slice(0, 12)}`, DEADLINE_MS, (docker) =>
      docker.getContainer(Id).remove({ force: true, v: true }),
    ),
  );
  const { Volumes } = await client.call('list volumes', DEADLINE_MS, (docker) => docker.listVolumes({ filters }));
  const volumes = Volumes ?? [];
  await removeAll(clock, volumes, ({ Name }) =>
    client.call(`remove volume ${Name}`, DEADLINE_MS, (docker) => docker.getVolume(Name).remove()),
  );

  const left = await client.call('list containers', DEADLINE_MS, (docker) =>
    docker.listContainers({ all: true, filters: ofCluster }),
  );
  if (left.length > 0) return { containers: containers.length, volumes: volumes.length, networks: 0 };
  const networks = await client.call('list networks', DEADLINE_MS, (docker) =>
    docker.listNetworks({ filters: ofCluster }),
  );
  await removeAll(clock, networks, async ({ Id }) => {
    await disconnectAll(client, Id);
    await client.call(`remove network ${Id.slice(0, 12)}`, DEADLINE_MS, (docker) => docker.getNetwork(Id).remove());
  });
  await removePauseImage(client);
  return { containers: containers.length, volumes: volumes.length, networks: networks.length };
}

/** Pods are gone from it; who is left joined it only to reach them: executors that run in containers. */
async function disconnectAll(client: DockerClient, networkId: string): Promise<void> {
  const network: { readonly Containers?: Readonly<Record<string, unknown>> } = await client.call(
    'look at the network',
    DEADLINE_MS,
    (docker) => docker.getNetwork(networkId).inspect(),
  );
  for (const Container of Object.keys(network.Containers ?? {})) {
    await client.call('disconnect from the network', DEADLINE_MS, (docker) =>
      docker.getNetwork(networkId).disconnect({ Container, Force: true }),
    );
  }
}

/** Gone already is success; refused for the moment is tried again. */
async function removeAll<T>(clock: Clock, things: readonly T[], remove: (thing: T) => Promise<unknown>): Promise<void> {
  const todo = things.values();
  const worker = async (): Promise<void> => {
    for (const thing of todo) {
      for (let attempt = 1; ; attempt += 1) {
        try {
          await remove(thing);
          break;
        } catch (error) {
          const status = statusOf(error);
          if (status === 404) break;
          if ((status !== 409 && status !== 403) || attempt === TRIES) throw error;
          await clock.sleep(RETRY_MS);
        }
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** Other clusters may stand on the same image: it goes only when no container uses it, and comes back when one is made. */
async function removePauseImage(client: DockerClient): Promise<void> {
  const { architecture } = await client.engine();
  const { reference } = await buildPauseImage(architecture);
  try {
    await client.call(`remove image ${reference}`, DEADLINE_MS, (docker) => docker.getImage(reference).remove());
  } catch (error) {
    const status = statusOf(error);
    if (status !== 404 && status !== 409) throw error;
  }
}
