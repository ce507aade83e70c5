import Dockerode from 'dockerode';
import type { Clock } from '#domain';
import { RuntimeError } from './container-runtime.js';
import { translate } from './docker-errors.js';

/** Where an engine is: the path of its socket, or dockerode's own options (TCP with TLS). */
export type DockerEndpoint = string | Dockerode.DockerOptions;

/** What the engine said of itself when the API version was agreed on. */
export interface EngineFacts {
  /** In Go's words: `amd64`, `arm64`. */
  readonly architecture: string;
  readonly version: string;
}

/** Docker 20.10 speaks 1.41; what is newer than 1.51 drops fields that dockerode's users (and we) read. */
const OLDEST_API = 1.41;
const NEWEST_API = 1.51;
const VERSION_DEADLINE_MS = 10_000;

interface Connection extends EngineFacts {
  readonly docker: Dockerode;
}

/**
 * One engine behind deadlines. docker-modem's promises may stay open for ever when the engine dies while it answers, so
 * every call races a deadline of its own and is aborted when it loses. There is no single API version for all engines from
 * 20.10 to 29, so it is agreed on at first use and again after the engine went away.
 */
export class DockerClient {
  private readonly options: Dockerode.DockerOptions;
  private connection: Promise<Connection> | undefined;

  constructor(
    endpoint: DockerEndpoint,
    private readonly clock: Clock,
  ) {
    // An explicit socket wins over DOCKER_HOST only when the host is explicitly none.
    const at = typeof endpoint === 'string' ? { socketPath: endpoint, host: undefined } : endpoint;
    // A connection per call: an engine that shuts down closes its door first but still answers on open connections, and
    // would show containers that it is stopping itself as if they had ended by their own doing.
    this.options = { ...at, headers: { ...at.headers, Connection: 'close' } };
  }

  /** Runs `work` within `deadlineMs`. Throws {@link RuntimeError} only; `what` begins its message. */
  async call<T>(
    what: string,
    deadlineMs: number,
    work: (docker: Dockerode, abortSignal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    try {
      return await this.within(what, deadlineMs, async (abortSignal) =>
        work((await this.connect()).docker, abortSignal),
      );
    } catch (error) {
      const translated = translate(what, error);
      // Perhaps it comes back as another version.
      if (translated.fault === 'Unavailable') this.connection = undefined;
      throw translated;
    }
  }

  /** The engine's own description; asked for once per connection. */
  async engine(): Promise<EngineFacts> {
    return this.call('ask the engine for its version', VERSION_DEADLINE_MS, () => this.connect());
  }

  private connect(): Promise<Connection> {
    if (this.connection !== undefined) return this.connection;
    const connection = this.agreeOnVersion();
    this.connection = connection;
    connection.catch(() => {
      if (this.connection === connection) this.connection = undefined;
    });
    return connection;
  }

  private async agreeOnVersion(): Promise<Connection> {
    const what = 'ask the engine for its version';
    const engine = await this.within(what, VERSION_DEADLINE_MS, () => new Dockerode(this.options).version());
    const [newest, oldest] = [apiVersion(engine.ApiVersion), apiVersion(engine.MinAPIVersion)];
    const agreed = Math.min(newest, NEWEST_API);
    if (agreed < OLDEST_API || agreed < oldest) {
      throw new RuntimeError(
        'Failed',
        `Docker Engine ${engine.Version} speaks API ${engine.MinAPIVersion} to ${engine.ApiVersion}; ${OLDEST_API} to ${NEWEST_API} is needed (Docker 20.10 or newer)`,
      );
    }
    const docker = new Dockerode({ ...this.options, version: `v${agreed.toFixed(2)}` });
    return { docker, architecture: engine.Arch, version: engine.Version };
  }

  private async within<T>(what: string, deadlineMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const abort = new AbortController();
    let cancel = (): void => undefined;
    const deadline = new Promise<never>((_, reject) => {
      cancel = this.clock.after(deadlineMs, () => {
        reject(new RuntimeError('DeadlineExceeded', `${what}: not done within ${deadlineMs / 1000} s`));
        abort.abort();
      });
    });
    try {
      return await Promise.race([work(abort.signal), deadline]);
    } finally {
      cancel();
    }
  }
}

/** `1.41` as a number: Docker's minor versions have had two digits since 2013. */
function apiVersion(text: string): number {
  return Number(text);
}
