import { DockerBench, ENGINE_SOCKET } from '../../../../test/support/docker-bench.js';
import {
  containerSpec,
  podKey,
  sandboxSpec,
  startedSandbox,
} from '../../../../test/contract/container-runtime.contract.js';
import { systemClock } from '../../../../test/support/system-clock.js';
import { DockerClient } from './docker-client.js';
import { networkName } from './docker-names.js';
import { OwnContainer } from './docker-own-container.js';
import { purgeCluster } from './docker-purge.js';

describe('an executor that runs in a container', () => {
  let bench: DockerBench;
  beforeAll(async () => {
    bench = await DockerBench.start();
  });
  afterAll(() => bench.dispose());

  const client = new DockerClient(ENGINE_SOCKET, systemClock);
  const membersOf = async (network: string): Promise<string[]> => {
    const { Containers } = await bench.docker.getNetwork(network).inspect();
    return Object.keys(Containers ?? {});
  };
  /** A running container that stands for the executor's own: of another cluster, and so on another network. */
  async function stranger(): Promise<string> {
    const other = bench.runtime('stranger');
    const { id } = await other.createSandbox(sandboxSpec(podKey('executor')));
    await other.startSandbox(id);
    return id;
  }

  it('joins the network of the pods, once, and does not keep it from going', async () => {
    const runtime = bench.runtime();
    const sandbox = await startedSandbox(runtime);
    await runtime.createContainer(containerSpec(sandbox, bench.script('true')));
    const network = networkName(bench.cluster);
    const executor = await stranger();
    for (let start = 0; start < 2; start += 1) {
      await new OwnContainer(client, executor.slice(0, 12)).join(network);
      expect((await membersOf(network)).sort()).toEqual([executor, sandbox.id].sort());
    }
    const { networks } = await purgeCluster(ENGINE_SOCKET, { cluster: bench.cluster }, systemClock);
    expect(networks).toBe(1);
    expect((await bench.docker.getContainer(executor).inspect()).State.Running).toBe(true);
  });

  it.each(['no-container', 'abcdef012345'])('is none when no container of this engine is it: %s', async (name) => {
    const runtime = bench.runtime('alone');
    const sandbox = await startedSandbox(runtime);
    const network = networkName(`${bench.cluster}-alone`);
    await new OwnContainer(client, name).join(network);
    expect(await membersOf(network)).toEqual([sandbox.id]);
    await runtime.remove(sandbox.id);
  });
});
