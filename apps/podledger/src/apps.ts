import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { NatsBus, nodeInboxPrefix } from '#bus';
import { SystemClock, SystemIds } from '#system';
import { startApi } from '../../api/src/api.js';
import { Executor } from '../../executor/src/executor.js';
import { NodeStateFile } from '../../executor/src/node-state-store.js';
import { NetworkProber } from '../../executor/src/probes/network-prober.js';
import { DockerRuntime } from '../../executor/src/runtime/docker-runtime.js';
import { startScheduler } from '../../scheduler/src/start-scheduler.js';
import type { Apps, BusAccess, ExecutorConfig, Running } from './assembly.js';
import { dockerEndpoint } from './docker-address.js';

const clock = new SystemClock();
const ids = new SystemIds();

/** Told by parts that go on: standard error, which is nobody's data. */
const reportOf =
  (part: string) =>
  (problem: string, cause?: unknown): void =>
    console.error(
      `${part}: ${problem}${cause === undefined ? '' : `: ${cause instanceof Error ? cause.message : String(cause)}`}`,
    );

/** The three apps, connected to the servers they stand on. */
export const apps: Apps = {
  startApi,
  startScheduler: (config) => startScheduler({ ...config, report: reportOf('scheduler') }),
  startExecutor,
};

async function startExecutor({
  bus: access,
  nodeName,
  capacityShare,
  dockerHost,
  stateDirectory,
}: ExecutorConfig): Promise<Running> {
  const report = reportOf(`executor ${nodeName}`);
  const docker = dockerEndpoint(dockerHost, process.env);
  const bus = await connect(access, `podledger-executor ${nodeName}`, report, nodeInboxPrefix(nodeName));
  const executor = new Executor({
    bus,
    clock,
    ids,
    node: nodeName,
    hostIP: hostAddress(),
    capacityShare,
    store: new NodeStateFile(join(stateDirectory, 'seen.json')),
    describeEngine: () => new DockerRuntime({ docker, cluster: '', node: nodeName, clock }).info(),
    openRuntime: (cluster) => new DockerRuntime({ docker, cluster, node: nodeName, clock }),
    prober: new NetworkProber(clock),
    report,
  });
  try {
    await executor.start();
  } catch (error) {
    await bus.close();
    throw error;
  }
  return { stop: () => executor.stop().finally(() => bus.close()) };
}

function connect(
  access: BusAccess,
  name: string,
  report: (problem: string, cause?: unknown) => void,
  inboxPrefix?: string,
): Promise<NatsBus> {
  return NatsBus.connect({
    url: access.url,
    name,
    report,
    ...(access.credentials !== undefined && { creds: access.credentials }),
    ...(access.ca !== undefined && { ca: access.ca }),
    ...(inboxPrefix !== undefined && { inboxPrefix }),
  });
}

/** The address of this machine that others use: the first that is not its own loop. */
function hostAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  return addresses.find(({ internal, family }) => !internal && family === 'IPv4')?.address ?? '127.0.0.1';
}
