import Docker from 'dockerode';

/** Label of everything this product makes on a Docker Engine; its value is the cluster's id. */
const clusterLabel = 'podledger.dev/cluster';
const nodeLabel = 'podledger.dev/node';

/** How many of each kind were removed. */
export interface Removed {
  readonly containers: number;
  readonly volumes: number;
  readonly networks: number;
}

/**
 * Removes from an engine whatever carries the labels of a cluster, or of one node of it, and nothing else: what is left when
 * nobody who would end it in good order can run any more. Throws when the engine does not answer.
 */
export async function removeLeftovers(dockerHost: string, cluster: string, node?: string): Promise<Removed> {
  const docker = new Docker(dockerOptions(dockerHost));
  const filters = { label: [`${clusterLabel}=${cluster}`, ...(node === undefined ? [] : [`${nodeLabel}=${node}`])] };
  const containers = await docker.listContainers({ all: true, filters });
  await Promise.all(containers.map(({ Id }) => gone(docker.getContainer(Id).remove({ force: true, v: true }))));
  const { Volumes: volumes } = await docker.listVolumes({ filters });
  await Promise.all(volumes.map(({ Name }) => gone(docker.getVolume(Name).remove())));
  const networks = await docker.listNetworks({ filters });
  await Promise.all(networks.map(({ Id }) => gone(docker.getNetwork(Id).remove())));
  return { containers: containers.length, volumes: volumes.length, networks: networks.length };
}

export function describe({ containers, volumes, networks }: Removed): string {
  const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;
  return `${count(containers, 'container')}, ${count(volumes, 'volume')}, ${count(networks, 'network')}`;
}

/** Something that is gone already, or is being removed by somebody else, is as we want it. */
async function gone(removal: Promise<unknown>): Promise<void> {
  try {
    await removal;
  } catch (error) {
    const status = typeof error === 'object' && error !== null && 'statusCode' in error ? error.statusCode : undefined;
    const message = error instanceof Error ? error.message : '';
    if (status !== 404 && !(status === 409 && message.includes('already in progress'))) throw error;
  }
}

function dockerOptions(address: string): Docker.DockerOptions {
  const url = new URL(address);
  return url.protocol === 'unix:'
    ? { socketPath: url.pathname }
    : { host: url.hostname, port: url.port || '2375', protocol: url.protocol === 'https:' ? 'https' : 'http' };
}
