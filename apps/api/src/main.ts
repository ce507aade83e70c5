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
    ...(env.PODLEDGER_NATS_KEYS && { natsKeysDirectory: env.PODLEDGER_NATS_KEYS }),
    ...(env.PODLEDGER_LOG_LEVEL && { logLevel: env.PODLEDGER_LOG_LEVEL }),
  };
}

const api = await startApi(configOf(process.env));
process.stdout.write(`podledger-api answers on ${api.url}\n`);
let stopping = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (stopping) return;
    stopping = true;
    api.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
        process.exit(1);
      },
    );
  });
}
