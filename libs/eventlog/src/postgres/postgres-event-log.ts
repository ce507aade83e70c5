import pg from 'pg';
import type { DataSource } from 'typeorm';
import {
  type AppendCommand,
  type Appended,
  type Clock,
  type EventLog,
  type Growth,
  type IdSource,
  invariant,
  type Lease,
  LogUnavailable,
  type Recorded,
  type Revision,
  type Snapshot,
} from '#domain';
import { Coalescer, type Outcome } from '../coalescer.js';
import { checkCommand } from '../command-checks.js';
import { EventCodec, type EventRow, parseInt8 } from '../event-codec.js';
import { GrowthNews } from '../growth-news.js';
import {
  batchParameters,
  encodeCommand,
  type EncodedCommand,
  outcomeOf,
  recordedBy,
  type VerdictRow,
} from './append-batch.js';
import { logDataSource } from './data-source.js';
import { LogHeadEntity } from './entities.js';
import { headQuery, type NamedQuery, readAfterQuery, readStreamQuery } from './event-queries.js';
import { GrowthListener } from './growth-listener.js';
import { isFaultOfData, reachingTheLog, translateError } from './postgres-errors.js';
import { DEFAULT_SCHEMA, growthChannel, plainName } from './schema.js';
import { readSnapshot, writeSnapshot } from './snapshot-store.js';

export interface PostgresEventLogOptions {
  /** Connects as the apps' role, see `migrate`. */
  readonly url: string;
  readonly clock: Clock;
  /** Names the events, and spreads the retries. */
  readonly ids: IdSource;
  readonly codec?: EventCodec;
  readonly schema?: string;
  /** Shared with other handles of this process on the same log, and on no other. */
  readonly news?: GrowthNews;
  readonly readConnections?: number;
  /** How long one call to the database may take before its connection is given up. */
  readonly queryTimeoutMs?: number;
  /** How long an append whose outcome is unknown is repeated before it is `LogUnavailable`. */
  readonly appendTimeoutMs?: number;
}

/** Beyond about 200 commands a batch gains nothing more (measured: reference figures in ADR 0002). */
const MAX_BATCH_COMMANDS = 200;
const MAX_BATCH_BYTES = 4 * 1024 * 1024;
/**
 * Batches under way at once. They share one connection, so they are carried out in the order of their commands: the second
 * is what the database goes on with while this process takes in the answer to the first.
 */
const LANES = 2;
/** Fewer commands than this are not worth a batch of their own beside another: a batch costs about as much as ten of them. */
const MIN_BESIDE = 16;
/** Appends that may wait in one process: several seconds' worth. Past that, saying no is kinder than queueing. */
const MAX_WAITING_APPENDS = 20_000;
const MAX_WAITING_READS = 100_000;
const FIRST_BACKOFF_MS = 50;
const LAST_BACKOFF_MS = 1_000;
const MAX_ATTEMPTS = 30;

/** Answers every column as text: the codec parses, and only what it needs. */
const asText: pg.CustomTypesConfig = { getTypeParser: () => (value: string) => value };

/** The log of production. Fsync and synchronous commit: what `append` acknowledged survives a power cut. */
export class PostgresEventLog implements EventLog {
  readonly #codec: EventCodec;
  readonly #schema: string;
  readonly #writes: pg.Pool;
  readonly #leases: pg.Pool;
  readonly #reads: pg.Pool;
  readonly #appends: Coalescer<EncodedCommand, Appended>;
  readonly #heads: Coalescer<'head', Revision>;
  readonly #news: GrowthNews;
  readonly #closing = new AbortController();
  #listener: GrowthListener | undefined;
  #dataSource: Promise<DataSource> | undefined;
  #clusterId: string | undefined;

  constructor(private readonly options: PostgresEventLogOptions) {
    const { readConnections = 4 } = options;
    this.#codec = options.codec ?? new EventCodec();
    this.#news = options.news ?? new GrowthNews();
    this.#schema = plainName(options.schema ?? DEFAULT_SCHEMA);
    this.#writes = this.#pool(1);
    // A connection of their own, so that leases are renewed however busy the log is.
    this.#leases = this.#pool(1);
    this.#reads = this.#pool(readConnections);
    const bounds = { maxItems: MAX_BATCH_COMMANDS, maxBytes: MAX_BATCH_BYTES };
    this.#appends = new Coalescer((batch) => this.#news.during(() => this.#appendBatch(batch)), {
      ...bounds,
      lanes: LANES,
      minBeside: MIN_BESIDE,
      maxWaiting: MAX_WAITING_APPENDS,
      overloaded: () => new LogUnavailable(`${MAX_WAITING_APPENDS} appends are waiting already`),
    });
    // One answer serves all who asked before the question was put to the database, and nobody who asked later.
    this.#heads = new Coalescer((batch) => this.#readHead(batch.length), {
      maxItems: MAX_WAITING_READS,
      maxBytes: MAX_WAITING_READS,
      lanes: 1,
      maxWaiting: MAX_WAITING_READS,
      overloaded: () => new LogUnavailable(`${MAX_WAITING_READS} reads are waiting already`),
    });
  }

  async append(command: AppendCommand): Promise<Appended> {
    checkCommand(command);
    const encoded = encodeCommand(command, this.#codec, this.options.ids);
    return this.#appends.submit(encoded, encoded.bytes);
  }

  head(): Promise<Revision> {
    return this.#heads.submit('head', 1);
  }

  readAfter(revision: Revision, limit: number): Promise<Recorded[]> {
    return this.#readEvents(readAfterQuery(this.#schema), [revision, limit]);
  }

  readStream(stream: string, afterVersion = 0): Promise<Recorded[]> {
    return this.#readEvents(readStreamQuery(this.#schema), [stream, afterVersion]);
  }

  onGrowth(grown: (news: Growth) => void): () => void {
    this.#listener ??= new GrowthListener(this.#connection(), growthChannel(this.#schema), this.options.clock, (news) =>
      this.#news.hear(news),
    );
    return this.#news.listen(grown);
  }

  async loadSnapshot(name: string, format: number, atMost = Number.MAX_SAFE_INTEGER): Promise<Snapshot | undefined> {
    return reachingTheLog(async () => readSnapshot(await this.#typeorm(), name, format, atMost));
  }

  saveSnapshot(snapshot: Snapshot): Promise<void> {
    return reachingTheLog(() => writeSnapshot(this.#reads, this.#schema, snapshot));
  }

  async acquireLease(name: string, holder: string, ttlMs: number): Promise<Lease | undefined> {
    invariant(holder !== '', 'a lease has a holder');
    const { rows } = await reachingTheLog(() =>
      this.#leases.query<{ epoch: string | null }>(`select ${this.#schema}.acquire_lease($1, $2, $3) as epoch`, [
        name,
        holder,
        Math.ceil(ttlMs),
      ]),
    );
    const epoch = rows[0]?.epoch;
    return epoch == null ? undefined : { name, holder, epoch: parseInt8(epoch) };
  }

  async releaseLease(name: string, holder: string): Promise<void> {
    await reachingTheLog(() => this.#leases.query(`select ${this.#schema}.release_lease($1, $2)`, [name, holder]));
  }

  async clusterId(): Promise<string> {
    this.#clusterId ??= await reachingTheLog(async () => {
      const head = await (await this.#typeorm()).getRepository(LogHeadEntity).findOneByOrFail({ onlyRow: true });
      return head.clusterId;
    });
    return this.#clusterId;
  }

  /** Ends what is under way, refuses what waits with `LogUnavailable`, and closes every connection. */
  async close(): Promise<void> {
    const closed = new LogUnavailable('the log was closed');
    this.#closing.abort();
    await Promise.all([this.#appends.close(closed), this.#heads.close(closed), this.#listener?.close()]);
    const pools = [this.#writes, this.#leases, this.#reads];
    await Promise.all([...pools.map((pool) => pool.end()), this.#dataSource?.then((typeorm) => typeorm.destroy())]);
  }

  async #appendBatch(batch: readonly EncodedCommand[]): Promise<readonly Outcome<Appended>[]> {
    let rows: VerdictRow[];
    try {
      rows = await this.#persist(batchParameters(batch, this.#codec));
    } catch (error) {
      if (!isFaultOfData(error)) throw error;
      if (batch.length === 1) return [{ error }];
      // The database refused the batch as a whole: one command in it is at fault, and the others must not pay for it.
      const outcomes: Outcome<Appended>[] = [];
      for (const alone of batch) outcomes.push(...(await this.#appendBatch([alone])));
      return outcomes;
    }
    this.#tell(rows, batch);
    return batch.map(({ command }, index) => {
      const row = rows[index];
      invariant(row, `${batch.length} commands, ${rows.length} verdicts`);
      return outcomeOf(row, command);
    });
  }

  /** Tells everybody here of what was appended just now, before those who asked for it hear that it is done. */
  #tell(rows: readonly VerdictRow[], batch: readonly EncodedCommand[]): void {
    if (!this.#news.hasListeners) return;
    const events = batch.flatMap((encoded, index) => {
      const row = rows[index];
      return row ? recordedBy(row, encoded, this.#codec) : [];
    });
    const last = events.at(-1);
    if (last) this.#news.tell({ head: last.revision, events });
  }

  /**
   * Calls the append function. When the connection is lost before the answer, the outcome is unknown: the same commands are
   * sent again, and those that had been committed come back with their first revisions.
   */
  async #persist(values: unknown[]): Promise<VerdictRow[]> {
    const { clock, ids, appendTimeoutMs = 15_000 } = this.options;
    const parameters = values.map((_, index) => `$${index + 1}`).join(', ');
    const giveUpAt = clock.now() + appendTimeoutMs;
    let backoffMs = FIRST_BACKOFF_MS;
    for (let attempt = 1; ; attempt += 1) {
      try {
        const answer = await this.#writes.query<VerdictRow>({
          name: 'append',
          text: `select * from ${this.#schema}.append(${parameters})`,
          values,
          rowMode: 'array',
          types: asText,
        });
        return answer.rows;
      } catch (error) {
        const failure = translateError(error);
        const pauseMs = backoffMs * (0.5 + ids.random() / 2);
        const exhausted = attempt === MAX_ATTEMPTS || clock.now() + pauseMs > giveUpAt || this.#closing.signal.aborted;
        if (!(failure instanceof LogUnavailable) || exhausted) throw failure;
        await clock.sleep(pauseMs, this.#closing.signal);
        backoffMs = Math.min(backoffMs * 2, LAST_BACKOFF_MS);
      }
    }
  }

  async #readHead(askers: number): Promise<readonly Outcome<Revision>[]> {
    const { rows } = await reachingTheLog(() => this.#reads.query<{ last_revision: string }>(headQuery(this.#schema)));
    invariant(rows[0], 'a log has a head');
    const outcome = { value: parseInt8(rows[0].last_revision) };
    return Array.from({ length: askers }, () => outcome);
  }

  async #readEvents(query: NamedQuery, values: unknown[]): Promise<Recorded[]> {
    const { rows } = await reachingTheLog(() =>
      this.#reads.query<EventRow>({ ...query, values, rowMode: 'array', types: asText }),
    );
    return rows.map((row) => this.#codec.decode(row));
  }

  #connection(): pg.ClientConfig {
    return {
      connectionString: this.options.url,
      application_name: 'podledger',
      connectionTimeoutMillis: this.#queryTimeoutMs,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      // Whatever the server's defaults: an acknowledged append is on disk, and no short query is compiled first.
      options: '-c synchronous_commit=on -c jit=off',
    };
  }

  #pool(max: number): pg.Pool {
    const pool = new pg.Pool({ ...this.#connection(), query_timeout: this.#queryTimeoutMs, max });
    // An idle connection that ends is no event: the next query makes another.
    pool.on('error', () => undefined);
    return pool;
  }

  get #queryTimeoutMs(): number {
    return this.options.queryTimeoutMs ?? 10_000;
  }

  #typeorm(): Promise<DataSource> {
    this.#dataSource ??= logDataSource(this.options.url, this.#schema, this.#queryTimeoutMs)
      .initialize()
      .catch((error: unknown) => {
        // The next call tries again.
        this.#dataSource = undefined;
        throw error;
      });
    return this.#dataSource;
  }
}
