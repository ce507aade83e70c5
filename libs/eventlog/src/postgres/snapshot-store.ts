import { promisify } from 'node:util';
import { brotliCompress, brotliDecompress, constants } from 'node:zlib';
import type pg from 'pg';
import { type DataSource, LessThanOrEqual } from 'typeorm';
import type { Revision, Snapshot } from '#domain';
import { ChunkJoiner, cutIntoChunks, type SnapshotChunk } from '../snapshot-chunks.js';
import { snapshotsToKeep } from '../snapshot-retention.js';
import { SnapshotChunkEntity } from './entities.js';

// Off the main thread both. Quality 1: measured faster and smaller than gzip on cluster states.
const compress = promisify(brotliCompress);
const decompress = promisify(brotliDecompress);
const FAST = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } };

/** Writes a snapshot, all of it or nothing, and drops those it makes superfluous. */
export async function writeSnapshot(pool: pg.Pool, schema: string, snapshot: Snapshot): Promise<void> {
  const { name, format, revision, state } = snapshot;
  const client = await pool.connect();
  let failure: Error | undefined;
  try {
    await client.query('begin');
    let number = 0;
    for (const chunk of cutIntoChunks(state)) {
      const data = await compress(JSON.stringify(chunk), FAST);
      await client.query(`select ${schema}.put_snapshot_chunk($1, $2, $3, $4, $5)`, [
        name,
        format,
        revision,
        number,
        data,
      ]);
      number += 1;
    }
    await dropSuperfluous(client, schema, name, format);
    await client.query('commit');
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error));
    throw error;
  } finally {
    // A connection with an open transaction is not handed on.
    client.release(failure);
  }
}

async function dropSuperfluous(client: pg.PoolClient, schema: string, name: string, format: number): Promise<void> {
  const { rows } = await client.query<{ revision: string }>(
    `select revision from ${schema}.snapshots where name = $1 and format = $2 and chunk = 0`,
    [name, format],
  );
  const revisions = rows.map(({ revision }) => Number(revision));
  const kept = snapshotsToKeep(revisions);
  const dropped = revisions.filter((revision) => !kept.has(revision));
  if (dropped.length > 0) await client.query(`select ${schema}.drop_snapshots($1, $2, $3)`, [name, format, dropped]);
}

/** The newest snapshot at or below `atMost`, chunk by chunk, as of one instant: another process may be dropping it. */
export function readSnapshot(
  dataSource: DataSource,
  name: string,
  format: number,
  atMost: Revision,
): Promise<Snapshot | undefined> {
  return dataSource.transaction('REPEATABLE READ', async (manager) => {
    const chunks = manager.getRepository(SnapshotChunkEntity);
    let row = await chunks.findOne({
      where: { name, format, revision: LessThanOrEqual(atMost), chunk: 0 },
      order: { revision: 'DESC' },
    });
    if (!row) return undefined;
    const { revision } = row;
    const joiner = new ChunkJoiner();
    for (let number = 1; row; number += 1) {
      const chunk: SnapshotChunk = JSON.parse((await decompress(row.data)).toString());
      joiner.add(chunk);
      row = await chunks.findOneBy({ name, format, revision, chunk: number });
    }
    return { name, format, revision, state: joiner.state() };
  });
}
