import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { NatsBus } from '#bus';
import { aContainer, aPodSpec } from '../../../test/support/builders.js';
import { DockerBench, ENGINE_SOCKET } from '../../../test/support/docker-bench.js';
import { FakeControlPlane } from '../../../test/support/fake-control-plane.js';
import { TestNats } from '../../../test/support/nats.js';
import { startExecutor, type RunningExecutor } from './start-executor.js';

jest.setTimeout(120_000);

/** The executor as it is started in production, between a real nats-server and the real engine. */
describe('an executor of its own', () => {
  let nats: TestNats;
  let bench: DockerBench;
  let bus: NatsBus;
  let directory: string;

  beforeAll(async () => {
    [nats, bench, directory] = await Promise.all([
      TestNats.start(),
      DockerBench.start(),
      mkdtemp(join(tmpdir(), 'podledger-executor-')),
    ]);
    bus = await NatsBus.connect({ url: nats.url, name: 'control plane', report: () => undefined });
  });
  afterAll(async () => {
    await bus.close();
    await Promise.all([nats.stop(), bench.dispose(), rm(directory, { recursive: true })]);
  });

  const start = (capacityShare: number): Promise<RunningExecutor> =>
    startExecutor({
      bus: { url: nats.url },
      ...{ nodeName: 'n1', hostIP: '192.0.2.1', capacityShare, stateDirectory: directory },
      dockerHost: `unix://${ENGINE_SOCKET}`,
      report: () => undefined,
    });

  it('refuses a share of the engine that is none', async () => {
    await expect(start(0)).rejects.toThrow('capacity share');
  });

  it('registers with its part of the engine, runs what it is assigned, and leaves it running when it stops', async () => {
    const control = new FakeControlPlane(bus);
    control.cluster = bench.cluster;
    const executor = await start(0.5);
    const engine = await bench.runtime().info();
    await bench.eventually('registered', () => control.registrations.length > 0);
    expect(control.registrations).toMatchObject([
      {
        node: 'n1',
        capacity: { cpuMillis: Math.floor(engine.cpuMillis / 2), memoryBytes: Math.floor(engine.memoryBytes / 2) },
        addresses: [{ type: 'InternalIP', address: '192.0.2.1' }, { address: 'n1' }],
        info: { containerRuntimeVersion: engine.runtimeVersion },
      },
    ]);
    const program = bench.program({ does: 'run' });
    const uid = control.run('web', aPodSpec({ containers: [aContainer('app', program)] }));
    await bench.eventually('Running', () => control.phase(uid) === 'Running');
    await executor.stop();
    const id = control.pod(uid).containers['app']?.containerId ?? '';
    expect((await bench.docker.getContainer(id).inspect()).State.Running).toBe(true);
    expect(JSON.parse(await readFile(join(directory, 'seen.json'), 'utf8'))).toEqual({
      cluster: bench.cluster,
      revision: control.revision,
    });

    const next = await start(0.5);
    control.delete(uid);
    await bench.eventually('gone', () => !control.has(uid));
    await next.stop();
  });
});
