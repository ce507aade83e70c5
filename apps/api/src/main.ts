import { readFileSync } from 'node:fs';
import { startApi, type ApiConfig } from './api.js';

/** The API alone, from the environment: everything that is a secret or long is the path of a file. */
function configOf(env: NodeJS.ProcessEnv): ApiConfig {
  const required = (name: string): string => {
    const value = env[name];
    if (!value) throw new Error(`${name} is not set`);
    return value;
  };
  const file = (name: string): string => readFileSync(required(name), 'utf8');
  return {
    databaseUrl: required('DATABASE_URL'),
    bus: {
      url: required('NATS_URL'),
      ...(env.NATS_CREDS && { credentials: file('NATS_CREDS') }),
      ...(env.NATS_CA && { ca: file('NATS_CA') }),
    },
    listen: { host: env.PODLEDGER_HOST ?? '127.0.0.1', port: Number(env.PODLEDGER_PORT ?? 6443) },
    tls: { key: file('PODLEDGER_TLS_KEY'), cert: file('PODLEDGER_TLS_CERT') },
    token: file('PODLEDGER_TOKEN_FILE').trim(),
    masterKey: file('PODLEDGER_MASTER_KEY_FILE').trim(),
    ...(env.PODLEDGER_NATS_KEYS && { natsKeysDirectory: env.PODLEDGER_NATS_KEYS }),
    ...(env.PODLEDGER_LOG_LEVEL && { logLevel: env.PODLEDGER_LOG_LEVEL }),
  };
}

const api = await startApi(configOf(process.env));
process.stdout.write(`podledger-api answers on ${api.url}\n`);

const say = (error: unknown): void => {
  process.stderr.write(`podledger-api: ${error instanceof Error ? error.message : String(error)}\n`);
};
let stopping = false;
function stop(exitCode: number): void {
  if (stopping) return;
  stopping = true;
  api.stop().then(
    () => process.exit(exitCode),
    (error: unknown) => {
      say(error);
      process.exit(1);
    },
  );
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop(0));
api.ended.catch((error: unknown) => {
  say(error);
  stop(1);
});
