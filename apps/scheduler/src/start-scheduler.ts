import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { NatsBus } from '#bus';
import { NatsTransport } from '#bus/nest';
import { ClusterProjection, CommandBus, type GrowthNews, PostgresEventLog } from '#eventlog';
import { SystemClock, SystemIds } from '#system';
import type { Report } from './reconcile-loop.js';
import { Scheduler } from './scheduler.js';
import { SchedulerModule } from './scheduler.module.js';

export interface SchedulerConfig {
  /** `postgres://` address of the role that may append and read, and nothing else. */
  readonly databaseUrl: string;
  /** Shared with the other apps of this process. */
  readonly growth?: GrowthNews;
  readonly bus: {
    readonly url: string;
    /** Text of a NATS credentials file. Absent: the server asks for none. */
    readonly credentials?: string;
    /** PEM of the authority that signed the server's certificate. */
    readonly ca?: string;
  };
  /** Unique among the schedulers of the cluster. */
  readonly identity: string;
  readonly report?: Report;
}

export interface RunningScheduler {
  /** The epoch of its term while it is the active one. */
  readonly epoch: number | undefined;
  /** Rejects when the scheduler cannot go on: then the process should stop. */
  readonly ended: Promise<void>;
  /** Stands down and gives the lease back: a standby takes over at once. Pods and nodes do not notice. */
  stop(): Promise<void>;
}

const reportAsWarning: Report = (problem, cause) => {
  const why = cause instanceof Error ? `: ${cause.message}` : '';
  process.emitWarning(`${problem}${why}`, { type: 'PodledgerScheduler' });
};

/** Connects to Postgres and NATS and stands by, or leads. Resolves once its view of the cluster is warm. */
export async function startScheduler(config: SchedulerConfig): Promise<RunningScheduler> {
  const { databaseUrl, growth, identity, report = reportAsWarning } = config;
  const { url, credentials, ca } = config.bus;
  const clock = new SystemClock();
  const ids = new SystemIds();
  const log = new PostgresEventLog({ url: databaseUrl, clock, ids, ...(growth && { news: growth }) });
  const bus = await NatsBus.connect({
    url,
    name: 'podledger-scheduler',
    report,
    ...(credentials !== undefined && { creds: credentials }),
    ...(ca !== undefined && { ca }),
  });
  const projection = new ClusterProjection({ log, clock });
  const commands = new CommandBus({ log, projection });
  const application = await NestFactory.createMicroservice(
    SchedulerModule.around({ log, projection, commands, bus, clock, ids, identity, report }),
    { strategy: new NatsTransport({ link: bus.link }), logger: ['error', 'warn'], abortOnError: false },
  );
  const disconnect = async (): Promise<void> => {
    await application.close();
    await bus.close();
    await log.close();
  };
  try {
    await application.listen();
    const scheduler = application.get(Scheduler);
    await scheduler.start();
    return {
      get epoch() {
        return scheduler.epoch;
      },
      ended: scheduler.ended,
      stop: () => scheduler.stop().finally(disconnect),
    };
  } catch (error) {
    await disconnect();
    throw error;
  }
}
