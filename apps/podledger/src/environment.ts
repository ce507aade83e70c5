import { existsSync, readFileSync } from 'node:fs';
import { DEFAULT_DOCKER_HOST } from '../../executor/src/docker-endpoint.js';
import type { BusAccess } from './assembly.js';
import type { ForeignServers } from './servers.js';

/** What the environment sets; docs of each variable stand in the README. */

/** Servers of the user's own: `DATABASE_URL`, and `NATS_URL` with `NATS_CREDS` and `NATS_CA`. */
export function foreignServers(env: NodeJS.ProcessEnv): ForeignServers {
  const bus = busFromEnvironment(env);
  const databaseUrl = textOrFile(env.DATABASE_URL);
  return { ...(databaseUrl && { databaseUrl }), ...(bus && { bus }) };
}

export function busFromEnvironment(env: NodeJS.ProcessEnv): BusAccess | undefined {
  if (!env.NATS_URL) return undefined;
  const credentials = textOrFile(env.NATS_CREDS);
  const ca = textOrFile(env.NATS_CA);
  return { url: env.NATS_URL, ...(credentials && { credentials }), ...(ca && { ca }) };
}

/** Docker's own variable and default. */
export function dockerHost(env: NodeJS.ProcessEnv): string {
  return env.DOCKER_HOST || DEFAULT_DOCKER_HOST;
}

/** What is secret comes as the path of a file, or, where files are unhandy, as its text. */
export function textOrFile(value: string | undefined): string | undefined {
  if (!value) return undefined;
  return existsSync(value) ? readFileSync(value, 'utf8').trim() : value;
}
