import { existsSync, readFileSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_DOCKER_HOST } from './docker-endpoint.js';
import { startExecutor, type ExecutorConfig } from './start-executor.js';

/** One node's executor alone, from the environment: what is a secret or long is the path of a file, or its text. */
function configOf(env: NodeJS.ProcessEnv): ExecutorConfig {
  const required = (name: string): string => {
    const value = env[name];
    if (!value) throw new Error(`${name} is not set`);
    return value;
  };
  const text = (name: string): string => {
    const value = required(name);
    return existsSync(value) ? readFileSync(value, 'utf8').trim() : value;
  };
  const nodeName = env.NODE_NAME ?? hostname().toLowerCase();
  return {
    bus: {
      url: required('NATS_URL'),
      ...(env.NATS_CREDS && { credentials: text('NATS_CREDS') }),
      ...(env.NATS_CA && { ca: text('NATS_CA') }),
    },
    nodeName,
    ...(env.NODE_IP && { hostIP: env.NODE_IP }),
    capacityShare: Number(env.PODLEDGER_CAPACITY_SHARE ?? 1),
    dockerHost: env.DOCKER_HOST ?? DEFAULT_DOCKER_HOST,
    stateDirectory: env.PODLEDGER_STATE ?? join(homedir(), '.podledger', 'nodes', nodeName),
  };
}

const config = configOf(process.env);
const executor = await startExecutor(config);
void executor.ready.then(() => process.stdout.write(`podledger-executor runs node ${config.nodeName}\n`));

let stopping = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (stopping) return;
    stopping = true;
    executor.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`podledger-executor: ${error instanceof Error ? error.message : String(error)}\n`);
        process.exit(1);
      },
    );
  });
}
