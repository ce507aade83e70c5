import { jest } from '@jest/globals';
import type Dockerode from 'dockerode';
import type { Clock } from '#domain';
import {
  containerSpec,
  faultOf,
  podKey,
  sandboxSpec,
  startedSandbox,
} from '../../../../test/contract/container-runtime.contract.js';
import { DockerBench, ENGINE_SOCKET } from '../../../../test/support/docker-bench.js';
import { busyboxWith } from '../../../../test/support/images.js';
import { systemClock } from '../../../../test/support/system-clock.js';
import { containerName, networkName } from './docker-names.js';
import { purgeCluster } from './docker-purge.js';
import { DockerRuntime } from './docker-runtime.js';
import { jsonLines } from './docker-stream.js';

jest.setTimeout(60_000);

/** Deadlines come a hundred times sooner; nothing else changes. */
const hastyClock: Clock = { ...systemClock, after: (ms, run) => systemClock.after(ms / 100, run) };

describe('what is made on a Docker Engine', () => {
  let bench: DockerBench;
  let runtime: DockerRuntime;
  beforeAll(async () => {
    bench = await DockerBench.start();
    runtime = bench.runtime();
  });
  afterAll(() => bench.dispose());

  const inspect = (id: string): Promise<Dockerode.ContainerInspectInfo> => bench.docker.getContainer(id).inspect();

  it('carries the labels of kubelet and ours, and the labels of the caller below them', async () => {
    const pod = podKey();
    const labels = { 'example.org/team': 'blue', 'podledger.dev/cluster': 'forged' };
    const sandbox = await startedSandbox(runtime, pod, { labels, volumes: [{ name: 'data', medium: 'disk' }] });
    const app = await runtime.createContainer(containerSpec(sandbox, bench.script('true'), { labels, attempt: 2 }));
    const ofPod = {
      'io.kubernetes.pod.name': pod.name,
      'io.kubernetes.pod.namespace': pod.namespace,
      'io.kubernetes.pod.uid': pod.uid,
      'podledger.dev/cluster': bench.cluster,
      'podledger.dev/node': 'node',
    };
    expect((await inspect(sandbox.id)).Config.Labels).toMatchObject({
      ...ofPod,
      ...{ 'example.org/team': 'blue', 'io.kubernetes.container.name': 'POD', 'podledger.dev/role': 'sandbox' },
    });
    expect((await inspect(app.id)).Config.Labels).toMatchObject({
      ...ofPod,
      ...{ 'io.kubernetes.container.name': 'app', 'podledger.dev/role': 'app' },
      ...{ 'podledger.dev/attempt': '2', 'podledger.dev/spec-hash': 'app-1' },
    });
    const filters = { label: [`io.kubernetes.pod.uid=${pod.uid}`] };
    const { Volumes } = await bench.docker.listVolumes({ filters });
    expect(Volumes.map(({ Labels }) => Labels)).toEqual([expect.objectContaining(ofPod)]);
  });

  it('has the resources that the pod asks for, no restarts and no health check of its own', async () => {
    const sandbox = await startedSandbox(runtime);
    const { id } = await runtime.createContainer(
      containerSpec(sandbox, bench.script('true'), {
        ...{ cpuRequestMillis: 500, cpuLimitMillis: 64_500, memoryLimitBytes: 64 * 2 ** 20 },
      }),
    );
    const { HostConfig, Config } = await inspect(id);
    expect(HostConfig).toMatchObject({
      ...{ CpuShares: 512, CpuPeriod: 100_000, CpuQuota: 6_450_000 },
      ...{ Memory: 64 * 2 ** 20, MemorySwap: 64 * 2 ** 20 },
      RestartPolicy: { Name: 'no' },
      LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '2' } },
    });
    expect(Config.Healthcheck).toMatchObject({ Test: ['NONE'] });
  });

  // A busy engine tells of the end before it tells of the memory, or (containerd 1.6 on cgroup v1) never.
  it('is marked as out of memory when the engine says so, however late', async () => {
    const greedy = { ...bench.script('exec dd if=/dev/zero of=/dev/null bs=64M'), memoryLimitBytes: 16 * 2 ** 20 };
    const pods = await Promise.all(Array.from({ length: 12 }, () => startedSandbox(runtime)));
    const apps = await Promise.all(pods.map((sandbox) => runtime.createContainer(containerSpec(sandbox, greedy))));
    const since = Date.now() / 1000 - 1;
    await Promise.all(apps.map(({ id }) => runtime.startContainer(id)));
    const ids = new Set(apps.map(({ id }) => id));
    const records = async () => (await runtime.list()).filter(({ id }) => ids.has(id));
    await bench.eventually('all have ended', async () => (await records()).every(({ state }) => state === 'exited'));
    const marked = (await records()).filter(({ oomKilled }) => oomKilled).map(({ id }) => id);

    const told = await bench.docker.getEvents({ since, until: Date.now() / 1000, filters: { event: ['oom'] } });
    const toldOf = new Set<unknown>();
    for await (const event of jsonLines(told)) toldOf.add(event['id']);
    expect(new Set(marked)).toEqual(new Set([...ids].filter((id) => toldOf.has(id))));
    expect(marked).not.toEqual([]);
  });

  it('is refused with the reason of the engine', async () => {
    const sandbox = await startedSandbox(runtime);
    const tooSmall = containerSpec(sandbox, bench.script('true'), { memoryLimitBytes: 1_000 });
    await expect(runtime.createContainer(tooSmall)).rejects.toMatchObject({
      fault: 'CreateFailed',
      message: expect.stringMatching(/minimum memory limit/i),
    });
  });

  it('never takes the place of a container that is not ours', async () => {
    const pod = podKey();
    const name = containerName({ cluster: bench.cluster, node: 'node' }, pod, '', 0);
    const { image } = bench.script('');
    const foreign = await bench.docker.createContainer({ name, Image: image });
    try {
      expect(await faultOf(runtime.createSandbox(sandboxSpec(pod)))).toMatchObject({ fault: 'CreateFailed' });
      expect((await foreign.inspect()).Name).toBe(`/${name}`);
    } finally {
      await foreign.remove({ force: true });
    }
  });

  it('takes volumes with it that the image declares', async () => {
    const declared = { Volumes: { '/var/lib/data': {} } };
    const image = await busyboxWith(bench.docker, 'podledger-test/declares-volume:1', {}, declared);
    const { id } = await runtime.createContainer(
      containerSpec(await startedSandbox(runtime), { image, command: ['true'] }),
    );
    const [mount] = (await inspect(id)).Mounts;
    const volume = bench.docker.getVolume(mount?.Name ?? '');
    expect((await volume.inspect()).Name).toBe(mount?.Name);
    await runtime.remove(id);
    await expect(volume.inspect()).rejects.toMatchObject({ statusCode: 404 });
  });

  it('stands on a network that is made anew when it has gone', async () => {
    const other = bench.runtime('network-lost');
    const cluster = `${bench.cluster}-network-lost`;
    await startedSandbox(other);
    const { id } = await other.createSandbox(sandboxSpec(podKey()));
    for (const container of await other.list()) if (container.id !== id) await other.remove(container.id);
    await bench.docker.getNetwork(networkName(cluster)).remove();
    expect((await other.startSandbox(id)).ip).toMatch(/^\d/);
  });

  it('stands on one network, also when several nodes come up at once', async () => {
    const nodes = ['a', 'b', 'c', 'd', 'e', 'f'].map((node) => bench.runtime('crowded', node));
    const sandboxes = await Promise.all(nodes.map((node) => startedSandbox(node)));
    expect(new Set(sandboxes.map(({ ip }) => ip)).size).toBe(nodes.length);
    const filters = { label: [`podledger.dev/cluster=${bench.cluster}-crowded`] };
    expect(await bench.docker.listNetworks({ filters })).toHaveLength(1);
  });

  it('gives up on an engine that hangs, each call at its deadline', async () => {
    const hasty = bench.runtime(undefined, 'node', hastyClock);
    await hasty.info();
    bench.proxy.hang(true);
    try {
      expect(await faultOf(hasty.list())).toMatchObject({ fault: 'DeadlineExceeded' });
      expect(await faultOf(hasty.createSandbox(sandboxSpec(podKey())))).toMatchObject({ fault: 'DeadlineExceeded' });
    } finally {
      bench.proxy.hang(false);
    }
    expect((await hasty.info()).engineId).not.toBe('');
  });

  it('is unavailable where nobody listens', async () => {
    const nowhere = new DockerRuntime({ docker: '/nonexistent.sock', cluster: 'c', node: 'n', clock: systemClock });
    expect(await faultOf(nowhere.info())).toMatchObject({ fault: 'Unavailable' });
  });

  it('is purged node by node, then with network and all', async () => {
    const cluster = `${bench.cluster}-purged`;
    const [a, b] = [bench.runtime('purged', 'a'), bench.runtime('purged', 'b')];
    const volumes = [{ name: 'data', medium: 'memory' as const }];
    for (const node of [a, b]) {
      const sandbox = await startedSandbox(node, podKey(), { volumes });
      const { id } = await node.createContainer(containerSpec(sandbox, bench.program({ does: 'run' })));
      await node.startContainer(id);
    }
    const bystander = await startedSandbox(runtime);

    expect(await purgeCluster(ENGINE_SOCKET, { cluster, node: 'a' }, systemClock)).toEqual({
      ...{ containers: 2, volumes: 1, networks: 0 },
    });
    expect(await a.list()).toEqual([]);
    expect(await a.podsWithVolumes()).toEqual([]);
    expect((await b.list()).map(({ state }) => state)).toEqual(['running', 'running']);
    expect(await purgeCluster(ENGINE_SOCKET, { cluster }, systemClock)).toEqual({
      containers: 2,
      volumes: 1,
      networks: 1,
    });
    expect(await purgeCluster(ENGINE_SOCKET, { cluster }, systemClock)).toEqual({
      containers: 0,
      volumes: 0,
      networks: 0,
    });
    expect((await runtime.list(bystander.pod.uid)).map(({ state }) => state)).toEqual(['running']);
  });
});
