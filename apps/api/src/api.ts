import 'reflect-metadata';
import { join } from 'node:path';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Clock, EventFeed, EventLog, IdSource, MessageBus, SecretVault } from '#domain';
import {
  JoinTokens,
  loadNatsKeys,
  NatsBus,
  NatsEventFeed,
  NodeKeyFiles,
  revokeNodeUsers,
  type JoinTokenStore,
} from '#bus';
import {
  ClusterProjection,
  CommandBus,
  type GrowthNews,
  MasterKey,
  PostgresEventLog,
  PostgresSecretVault,
} from '#eventlog';
import { SystemClock, SystemIds } from '#system';
import { createApiCore } from './api-core.js';
import { ApiModule } from './api.module.js';
import { Authenticator } from './http/authenticator.js';
import { ResourceHandler } from './http/resource-handler.js';
import { fastifyAdapter } from './http/server.js';
import { StatusFilter } from './http/status.filter.js';
import { JoinDesk } from './nodes/join-desk.js';
import { JoinTokenFiles } from './nodes/join-token-files.js';
import { NodeCredentials, type NodeCredentialsOptions } from './nodes/node-credentials.js';

/** What the HTTP side needs to know. */
export interface ServingConfig {
  readonly listen: { readonly host: string; readonly port: number };
  /** PEM texts. */
  readonly tls: { readonly key: string; readonly cert: string };
  /** The bearer token of the administrator. */
  readonly token: string;
  /** Holds the keys that sign nodes' credentials, and the join tokens. Absent where the operator runs NATS and hands credentials out. */
  readonly natsKeysDirectory?: string;
  /** `silent`, `error`, `warn` (the default), `info`. */
  readonly logLevel?: string;
  /** Told of what a person should look at; by default a warning of the process. */
  readonly report?: (problem: string, cause?: unknown) => void;
}

/** The same with the servers it stands on. */
export interface ApiConfig extends ServingConfig {
  /** `postgres://` address of the role that may append and read, and nothing else. */
  readonly databaseUrl: string;
  /** Shared with the other apps of this process. */
  readonly growth?: GrowthNews;
  /** The key that wraps the keys of secrets: 32 bytes in base64. */
  readonly masterKey: string;
  readonly bus: {
    readonly url: string;
    /** Text of a NATS credentials file. Absent: the server asks for none. */
    readonly credentials?: string;
    /** PEM of the authority that signed the server's certificate. */
    readonly ca?: string;
  };
}

/** What the API stands on, connected. */
export interface ApiConnections {
  readonly log: EventLog;
  readonly bus: MessageBus;
  readonly feed: EventFeed;
  readonly vault: SecretVault;
  readonly clock: Clock;
  readonly ids: IdSource;
  /** Has NATS refuse nodes' keys for good. Absent where the operator runs NATS. */
  readonly revoke?: NodeCredentialsOptions['revoke'];
}

export interface RunningApi {
  /** `https://host:port`. */
  readonly url: string;
  /** A token with which one machine may become a node within `ttlMs`. */
  issueJoinToken(ttlMs: number): Promise<string>;
  /** Settles when nothing runs any more; rejects when something broke for good: the process has to end and begin anew from the log. */
  readonly ended: Promise<unknown>;
  /** Ends open streams, answers what is under way, gives the relay's lease back. Pods and nodes do not notice. */
  stop(): Promise<void>;
}

const reportAsWarning = (problem: string): void => process.emitWarning(problem, { type: 'PodledgerApi' });

/** A snapshot shortens the next start; each costs one write of the whole state. Events between two. */
const SNAPSHOT_EVERY = 20_000;
/** How long a readiness check may take, in milliseconds. */
const CHECK_MS = 2_000;

/** Connects to Postgres and NATS and serves the API. Resolves when it answers. */
export async function startApi(config: ApiConfig): Promise<RunningApi> {
  const clock = new SystemClock();
  const ids = new SystemIds();
  const { url, credentials, ca } = config.bus;
  const vault = await PostgresSecretVault.open({
    url: config.databaseUrl,
    masterKey: MasterKey.parse(config.masterKey),
  });
  const { growth } = config;
  const log = new PostgresEventLog({ url: config.databaseUrl, clock, ids, ...(growth && { news: growth }) });
  const bus = await NatsBus.connect({
    url,
    name: 'podledger-api',
    ...(config.report && { report: config.report }),
    ...(credentials !== undefined && { creds: credentials }),
    ...(ca !== undefined && { ca }),
  });
  const disconnect = async (): Promise<void> => {
    await bus.close();
    await log.close();
    await vault.close();
  };
  try {
    const dir = config.natsKeysDirectory;
    const revoke =
      dir === undefined
        ? {}
        : {
            revoke: (keys: readonly string[]) =>
              revokeNodeUsers({ dir, url, now: clock.now(), ...(ca !== undefined && { ca }) }, keys),
          };
    const feed = new NatsEventFeed(bus.link);
    const running = await serveApi({ log, bus, feed, vault, clock, ids, ...revoke }, config);
    return { ...running, stop: () => running.stop().finally(disconnect) };
  } catch (error) {
    await disconnect();
    throw error;
  }
}

/** Serves the API on connections that stand. */
export async function serveApi(connections: ApiConnections, config: ServingConfig): Promise<RunningApi> {
  const { log, bus, feed, vault, clock, ids } = connections;
  const ending = new AbortController();
  const projection = new ClusterProjection({ log, clock, snapshotEvery: SNAPSHOT_EVERY });
  const projected = await projection.start(ending.signal);
  const commands = new CommandBus({ log, projection });
  const { report = reportAsWarning } = config;
  const core = await createApiCore(
    { log, projection, commands, bus, feed, vault, clock, ids },
    { identity: `api-${ids.uuid()}`, report },
  );
  const worked = await core.start(ending.signal);
  const ended = Promise.all([projected.ended, worked.ended]);
  ended.catch(() => undefined); // Whoever asks for `ended` is told.
  const { tokens, close: closeDesk } = await openJoinDesk(connections, projection, config.natsKeysDirectory, report);
  const checks = [
    { name: 'log', ok: async () => (await log.head()) >= 0 },
    { name: 'projection', ok: async () => projection.waitFor(await log.head(), CHECK_MS) },
  ];
  const adapter = fastifyAdapter({
    tls: config.tls,
    authenticator: new Authenticator([{ token: config.token, user: 'kubernetes-admin' }]),
    logLevel: config.logLevel ?? 'warn',
  });
  const app = await NestFactory.create<NestFastifyApplication>(
    ApiModule.around({ core, clock, readiness: { checks } }),
    adapter,
    { bodyParser: false, logger: ['error', 'warn'], abortOnError: false },
  );
  app.useGlobalFilters(new StatusFilter());
  const stop = async (): Promise<void> => {
    app.get(ResourceHandler).stop();
    closeDesk();
    await app.close();
    ending.abort();
    await ended.catch(() => undefined);
  };
  try {
    await app.listen(config.listen.port, config.listen.host);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: await app.getUrl(), issueJoinToken: (ttlMs) => tokens.issue(ttlMs), ended, stop };
}

/** Lets machines join where the keys for it are. */
async function openJoinDesk(
  { log, bus, clock, revoke }: ApiConnections,
  projection: ClusterProjection,
  directory: string | undefined,
  report: (problem: string) => void,
): Promise<{ readonly tokens: JoinTokens; readonly close: () => void }> {
  const store: JoinTokenStore =
    directory === undefined ? noJoining : new JoinTokenFiles(join(directory, 'join-tokens'));
  const tokens = new JoinTokens(store, clock);
  if (directory === undefined) return { tokens, close: () => undefined };
  const keys = await loadNatsKeys(directory);
  const nodeKeys = new NodeKeyFiles(directory);
  const desk = new JoinDesk({
    ...{ projection, bus, clock, tokens, keys },
    cluster: await log.clusterId(),
    onIssued: (node, publicKey) => nodeKeys.remember(node, publicKey),
  });
  const closeDesk = desk.start();
  const closeCredentials =
    revoke && (await new NodeCredentials({ projection, clock, keys: nodeKeys, revoke, report }).start());
  return {
    tokens,
    close: () => {
      closeDesk();
      closeCredentials?.();
    },
  };
}

const refuseJoining = (): Promise<never> =>
  Promise.reject(new Error('this API has no keys for NATS: its operator hands out the credentials of nodes'));
const noJoining: JoinTokenStore = { save: refuseJoining, find: () => Promise.resolve(undefined), claim: refuseJoining };
