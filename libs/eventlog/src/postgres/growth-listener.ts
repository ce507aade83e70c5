import pg from 'pg';
import type { Clock, Growth } from '#domain';
import { parseInt8 } from '../event-codec.js';

const FIRST_BACKOFF_MS = 100;
const LAST_BACKOFF_MS = 5_000;

/**
 * Hears on a connection of its own that the log has grown, and connects again whenever that connection is lost. Hints only:
 * what it misses in between, it makes up for with one hint when it is back.
 */
export class GrowthListener {
  readonly #closing = new AbortController();
  readonly #ended: Promise<void>;
  #client: pg.Client | undefined;

  constructor(
    private readonly config: pg.ClientConfig,
    private readonly channel: string,
    private readonly clock: Clock,
    private readonly grown: (news: Growth) => void,
  ) {
    this.#ended = this.#run(this.#closing.signal);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#client?.end();
    await this.#ended;
  }

  async #run(closing: AbortSignal): Promise<void> {
    let backoffMs = FIRST_BACKOFF_MS;
    while (!closing.aborted) {
      const heard = await this.#listen();
      backoffMs = heard ? FIRST_BACKOFF_MS : Math.min(backoffMs * 2, LAST_BACKOFF_MS);
      await this.clock.sleep(backoffMs, closing);
    }
  }

  /** Listens until the connection ends. False when it could not be made: nobody needs the reason, readers poll meanwhile. */
  async #listen(): Promise<boolean> {
    const client = new pg.Client(this.config);
    const ended = new Promise<void>((resolve) => {
      client.on('error', () => resolve());
      client.on('end', () => resolve());
    });
    client.on('notification', ({ payload = '' }) => this.grown(payload === '' ? {} : { head: parseInt8(payload) }));
    this.#client = client;
    try {
      await client.connect();
      await client.query(`listen ${client.escapeIdentifier(this.channel)}`);
      this.grown({});
      await ended;
      return true;
    } catch {
      return false;
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}
