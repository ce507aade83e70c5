import { existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { type SchedulerConfig, startScheduler } from './start-scheduler.js';

/** The scheduler alone, from the environment: what is a secret or long is the path of a file, or its text. */
function configOf(env: NodeJS.ProcessEnv): SchedulerConfig {
  const required = (name: string): string => {
    const value = env[name];
    if (!value) throw new Error(`${name} is not set`);
    return value;
  };
  const text = (name: string): string => {
    const value = required(name);
    return existsSync(value) ? readFileSync(value, 'utf8').trim() : value;
  };
  return {
    databaseUrl: text('DATABASE_URL'),
    bus: {
      url: required('NATS_URL'),
      ...(env.NATS_CREDS && { credentials: text('NATS_CREDS') }),
      ...(env.NATS_CA && { ca: text('NATS_CA') }),
    },
    identity: env.PODLEDGER_IDENTITY ?? `${hostname()}-${process.pid}`,
  };
}

const say = (error: unknown): void => {
  process.stderr.write(`podledger-scheduler: ${error instanceof Error ? error.message : String(error)}\n`);
};

const scheduler = await startScheduler(configOf(process.env));
process.stdout.write('podledger-scheduler stands by\n');

let stopping = false;
function stop(exitCode: number): void {
  if (stopping) return;
  stopping = true;
  scheduler.stop().then(
    () => process.exit(exitCode),
    (error: unknown) => {
      say(error);
      process.exit(1);
    },
  );
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop(0));
scheduler.ended.catch((error: unknown) => {
  say(error);
  stop(1);
});
