import 'reflect-metadata';
import { join } from 'node:path';
import { NestFactory } from '@nestjs/core';
import { createSealKeys, NatsBus, nodeInboxPrefix } from '#bus';
import { NatsTransport } from '#bus/nest';
import { SystemClock, SystemIds } from '#system';
import { readDockerHost } from './docker-endpoint.js';
import { Executor } from './executor.js';
import { ExecutorModule } from './executor.module.js';
import { hostAddress } from './host-address.js';
import { NodeStateFile } from './node-state-store.js';
import { NetworkProber } from './probes/network-prober.js';
import type { Report } from './report.js';
import { DockerRuntime } from './runtime/docker-runtime.js';

export interface ExecutorConfig {
  readonly bus: {
    readonly url: string;
    /** Text of a NATS credentials file. Absent: the server asks for none. */
    readonly credentials?: string;
    /** PEM of the authority that signed the server's certificate. */
    readonly ca?: string;
  };
  readonly nodeName: string;
  /** Address of this host as others use it; found out when not given. */
  readonly hostIP?: string;
  /** This node's part of the engine's capacity, in (0, 1]: several executors may share one engine. */
  readonly capacityShare: number;
  /** As `DOCKER_HOST` has it: `unix:///var/run/docker.sock`. */
  readonly dockerHost: string;
  /** Where the executor keeps its few files; one directory per node. */
  readonly stateDirectory: string;
  readonly report?: Report;
}

export interface RunningExecutor {
  /** Resolves once the control plane has taken the node on, however long that takes: its engine may be away. */
  readonly ready: Promise<void>;
  /** Pods go on running. Resolves when nothing of the executor does. */
  stop(): Promise<void>;
}

const reportAsWarning: Report = (problem, cause) => {
  const why = cause instanceof Error ? `: ${cause.message}` : '';
  process.emitWarning(`${problem}${why}`, { type: 'PodledgerExecutor' });
};

/** Connects to NATS; the node joins by itself as soon as its engine and the control plane answer. */
export async function startExecutor(config: ExecutorConfig): Promise<RunningExecutor> {
  const { nodeName: node, capacityShare, stateDirectory, report = reportAsWarning } = config;
  const { url, credentials, ca } = config.bus;
  if (!(capacityShare > 0 && capacityShare <= 1)) throw new Error('the capacity share must be in (0, 1]');
  const docker = readDockerHost(config.dockerHost, process.env);
  const clock = new SystemClock();
  const bus = await NatsBus.connect({
    url,
    name: `podledger-executor ${node}`,
    inboxPrefix: nodeInboxPrefix(node),
    report,
    ...(credentials !== undefined && { creds: credentials }),
    ...(ca !== undefined && { ca }),
  });
  let isRefused = false;
  bus.link.onRefused(() => {
    if (!isRefused)
      report(`NATS refuses node ${node}: it was deleted, or its name went to another machine; start or join it anew`);
    isRefused = true;
  });
  const module = ExecutorModule.around({
    ...{ bus, clock, ids: new SystemIds(), node, capacityShare, report },
    hostIP: config.hostIP ?? hostAddress(),
    store: new NodeStateFile(join(stateDirectory, 'seen.json')),
    // No cluster is known yet, and none is needed to ask an engine what it is.
    describeEngine: () => new DockerRuntime({ docker, cluster: '', node, clock }).info(),
    openRuntime: (cluster) => new DockerRuntime({ docker, cluster, node, clock }),
    prober: new NetworkProber(clock),
    sealKeys: createSealKeys(),
  });
  const application = await NestFactory.createMicroservice(module, {
    strategy: new NatsTransport({ link: bus.link }),
    logger: ['error', 'warn'],
    abortOnError: false,
  });
  const executor = application.get(Executor);
  const stop = async (): Promise<void> => {
    try {
      await executor.stop();
    } finally {
      await application.close();
      await bus.close();
    }
  };
  try {
    await application.listen();
    await executor.start();
    return { ready: executor.registered, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
