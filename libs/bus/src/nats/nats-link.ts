import { randomInt } from 'node:crypto';
import { checkServerIdentity } from 'node:tls';
import {
  connect,
  credsAuthenticator,
  ErrorCode,
  Events,
  NatsError,
  type ConnectionOptions,
  type NatsConnection,
  type TlsOptions,
} from 'nats';
import { NoAnswer, type Unsubscribe } from '#domain';
import { reportAsWarning, type ReportProblem } from '../codec.js';

export interface NatsLinkOptions {
  /** `nats://host:port`, `tls://host:port`; `user:password@` or `token@` in it are used. Several of one cluster are tried in turn. */
  readonly url: string | readonly string[];
  /** Shown in the server's monitoring. */
  readonly name: string;
  /** Contents of a creds file: the user's JWT and its seed. */
  readonly creds?: string;
  /** Prefix of this connection's inboxes; a user without the right to `_INBOX.>` needs its own. */
  readonly inboxPrefix?: string;
  /** PEM of the authority the server's certificate must come from. Given, the connection must be TLS. */
  readonly ca?: string;
  readonly report?: ReportProblem;
  /** Ends the wait for a server that does not come up. */
  readonly signal?: AbortSignal;
}

/** The server knows these credentials no longer, or never did. Trying again does not help; a new credential might. */
export class CredentialsRefused extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CredentialsRefused';
  }
}

const reconnectWaitMs = 250;
/** A server that refuses us knows better for a while: a new credential is nothing that comes within a second. */
const refusedWaitMs = 2_500;
/** A peer behind a half-open connection is given up after about three of these. */
const pingIntervalMs = 5_000;

/**
 * Connects, waiting as long as no server answers. Throws {@link CredentialsRefused} when one answers and refuses, and the
 * signal's reason when that aborts. From then on the link reconnects by itself, for ever.
 */
export async function connectNats(options: NatsLinkOptions): Promise<NatsLink> {
  const report = options.report ?? reportAsWarning;
  let told = '';
  for (;;) {
    options.signal?.throwIfAborted();
    try {
      const pace = { waitMs: reconnectWaitMs };
      const reconnectDelayHandler = (): number => pace.waitMs + randomInt(pace.waitMs);
      return new NatsLink(await connect({ ...connectionOptions(options), reconnectDelayHandler }), report, pace);
    } catch (cause) {
      if (isAuthFailure(cause)) throw new CredentialsRefused(`NATS refuses ${options.name}`, { cause });
      const problem = cause instanceof Error ? cause.message : String(cause);
      if (problem !== told) report(`${options.name} waits for NATS`, cause);
      told = problem;
      await new Promise((resolve) => setTimeout(resolve, reconnectWaitMs));
    }
  }
}

/** One connection to NATS: knows whether it stands, and lets nobody wait on one that is lost. */
export class NatsLink {
  private up = true;
  private readonly changed = new Set<(connected: boolean) => void>();
  private readonly refused = new Set<() => void>();
  private readonly waiting = new Set<(error: NoAnswer) => void>();
  private readonly told = new Set<string>();

  /** Made by {@link connectNats}. */
  constructor(
    readonly connection: NatsConnection,
    readonly report: ReportProblem,
    /** How long to wait between two tries to reconnect. */
    private readonly pace: { waitMs: number },
  ) {
    void this.watch();
  }

  get connected(): boolean {
    return this.up && !this.connection.isClosed();
  }

  /** Largest message the server takes, in bytes. */
  get maxPayload(): number {
    return this.connection.info?.max_payload ?? 0;
  }

  /** Called on every change of {@link connected}. */
  onConnection(changed: (connected: boolean) => void): Unsubscribe {
    this.changed.add(changed);
    return () => this.changed.delete(changed);
  }

  /** Called whenever the server refuses our credentials, as after a revocation. The link keeps trying. */
  onRefused(refused: () => void): Unsubscribe {
    this.refused.add(refused);
    return () => this.refused.delete(refused);
  }

  /** Waits for work that needs the connection. Throws {@link NoAnswer} at once when that is lost or was never there. */
  async untilLost<T>(start: () => Promise<T>): Promise<T> {
    if (!this.connected) throw new NoAnswer('not connected to NATS');
    let fail: (error: NoAnswer) => void = () => undefined;
    const lost = new Promise<never>((_, reject) => (fail = reject));
    this.waiting.add(fail);
    try {
      return await Promise.race([start(), lost]);
    } finally {
      this.waiting.delete(fail);
    }
  }

  /** Flushes what was published, then closes. */
  async close(): Promise<void> {
    if (this.connection.isClosed()) return;
    if (this.connected && !this.connection.isDraining()) await this.connection.drain().catch(() => undefined);
    await this.connection.close();
  }

  private async watch(): Promise<void> {
    for await (const status of this.connection.status()) {
      if (status.type === Events.Disconnect) this.become(false);
      else if (status.type === Events.Reconnect) this.become(true);
      else if (status.type === Events.Error) this.complain(status.data, status.permissionContext?.subject);
    }
    const closedBy = await this.connection.closed();
    if (closedBy) this.report('the NATS connection is closed for good', closedBy);
    this.become(false);
  }

  private complain(code: unknown, subject: string | undefined): void {
    if (authFailures.has(String(code))) {
      this.pace.waitMs = refusedWaitMs;
      for (const listener of [...this.refused]) listener();
    }
    const problem = `NATS: ${String(code)}${subject === undefined ? '' : ` on ${subject}`}`;
    // Each once per connection: whoever tries for ever would complain for ever.
    if (this.told.has(problem)) return;
    this.told.add(problem);
    this.report(problem);
  }

  private become(up: boolean): void {
    if (this.up === up) return;
    this.up = up;
    if (up) {
      this.told.clear();
      this.pace.waitMs = reconnectWaitMs;
    }
    if (!up) for (const fail of [...this.waiting]) fail(new NoAnswer('the connection to NATS was lost'));
    for (const listener of [...this.changed]) listener(up);
  }
}

const authFailures: ReadonlySet<string> = new Set([
  ErrorCode.AuthorizationViolation,
  ErrorCode.AuthenticationExpired,
  ErrorCode.AccountExpired,
  ErrorCode.BadAuthentication,
]);

const isAuthFailure = (error: unknown): boolean => error instanceof NatsError && authFailures.has(error.code);

/** The client's options for ours. */
export function connectionOptions(options: NatsLinkOptions): ConnectionOptions {
  const urls = (typeof options.url === 'string' ? [options.url] : options.url).map((url) => new URL(url));
  const user = urls.find((url) => url.username !== '');
  const tls = options.ca !== undefined || urls.some((url) => url.protocol === 'tls:');
  return {
    servers: urls.map((url) => url.host),
    name: options.name,
    ...(options.inboxPrefix === undefined ? {} : { inboxPrefix: options.inboxPrefix }),
    ...(options.creds === undefined
      ? {}
      : { authenticator: credsAuthenticator(new TextEncoder().encode(options.creds)) }),
    ...(user === undefined ? {} : userOf(user)),
    ...(tls ? { tls: tlsOptions(urls, options.ca) } : {}),
    // Only the servers we were told of: those they tell of have names the certificate check knows nothing about.
    ignoreClusterUpdates: true,
    maxReconnectAttempts: -1,
    ignoreAuthErrorAbort: true,
    pingInterval: pingIntervalMs,
    maxPingOut: 2,
    timeout: 5_000,
    noAsyncTraces: true,
  };
}

/** The client gives no host name to the check of the certificate when the URL has an address; so the URLs are checked here. */
function tlsOptions(urls: readonly URL[], ca: string | undefined): TlsOptions {
  const hosts = urls.map((url) => url.hostname.replace(/^\[|\]$/g, ''));
  const check: typeof checkServerIdentity = (_, cert) => {
    const faults = hosts.map((host) => checkServerIdentity(host, cert));
    return faults.includes(undefined) ? undefined : faults[0];
  };
  const tls = { checkServerIdentity: check, ...(ca === undefined ? {} : { ca }) };
  return tls;
}

/** A URL's credentials: a lone user name is a token, as in NATS' own clients. */
function userOf(url: URL): Pick<ConnectionOptions, 'user' | 'pass' | 'token'> {
  const user = decodeURIComponent(url.username);
  return url.password === '' ? { token: user } : { user, pass: decodeURIComponent(url.password) };
}
