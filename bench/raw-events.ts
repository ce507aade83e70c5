import pg from 'pg';
import type { Recorded } from '#domain';

/**
 * The limit for the log: the same rows in a table with the same columns and indexes, on the same server with the same
 * durability, and nothing else: no order of revisions, no expected versions, no repeats recognised, no readers.
 */
export class RawEvents {
  private inserted = 0;

  private constructor(private readonly pool: pg.Pool) {}

  static async create(ownerUrl: string): Promise<RawEvents> {
    // One connection, and one batch after the other: as the log appends.
    const pool = new pg.Pool({ connectionString: ownerUrl, max: 1, options: '-c synchronous_commit=on -c jit=off' });
    // The database is dropped with whatever is still connected to it.
    pool.on('error', () => undefined);
    await pool.query(`create schema raw`);
    await pool.query(`create table raw.events (like podledger.events including defaults including constraints)`);
    await pool.query(`create unique index on raw.events (revision)`);
    await pool.query(`create index on raw.events (stream_id, version)`);
    return new RawEvents(pool);
  }

  /** Inserts the events in batches of this many, as new rows. Throws unless the table then holds them all. */
  async insert(events: readonly Recorded[], batchSize: number): Promise<void> {
    for (let at = 0; at < events.length; at += batchSize) await this.insertBatch(events.slice(at, at + batchSize));
  }

  /** Rows in the table. */
  async rows(): Promise<number> {
    const { rows } = await this.pool.query<{ count: string }>('select count(*) from raw.events');
    return Number(rows[0]?.count);
  }

  private async insertBatch(batch: readonly Recorded[]): Promise<void> {
    const first = (this.inserted += batch.length) - batch.length + 1;
    await this.pool.query({
      name: 'raw_insert',
      text: `insert into raw.events (revision, stream_id, version, type, schema_version, time_ms, id, command_id,
          command_last, actor_kind, actor_name, request_id, causation_id, correlation_id, data)
        select * from unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::int[], $6::bigint[], $7::uuid[],
          $8::text[], $9::bigint[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::json[])`,
      values: [
        batch.map((_, index) => first + index),
        batch.map(({ stream }) => stream),
        batch.map(({ version }) => version),
        batch.map(({ type }) => type),
        batch.map(({ schemaVersion }) => schemaVersion),
        batch.map(({ time }) => time),
        batch.map(({ id }) => id),
        batch.map(({ commandId }) => commandId),
        batch.map(({ commandLast }) => commandLast),
        batch.map(({ actor }) => actor.kind),
        batch.map(({ actor }) => actor.name),
        batch.map(({ requestId }) => requestId),
        batch.map(({ causationId }) => causationId ?? null),
        batch.map(({ correlationId }) => correlationId),
        batch.map(({ data }) => JSON.stringify(data)),
      ],
    });
  }

  async close(): Promise<void> {
    await this.pool.end();
  }
}
