import type { MigrationInterface, QueryRunner } from 'typeorm';
import { schemaOf } from '../schema.js';

/** Revisions per partition of `events`; about 6.5 GB of them at 650 bytes per event. */
const PARTITION_SIZE = 10_000_000;

/** The tables of the log, its partitions, and the triggers that keep even their owner from rewriting history. */
export class Tables1763800000001 implements MigrationInterface {
  readonly name = 'Tables1763800000001';

  async up(runner: QueryRunner): Promise<void> {
    const schema = schemaOf(runner);
    await runner.query(`
      create table ${schema}.log_head (
        only_row boolean primary key default true check (only_row),
        last_revision bigint not null,
        last_time_ms bigint not null,
        scheduler_epoch bigint not null,
        partitioned_to bigint not null,
        cluster_id uuid not null
      ) with (fillfactor = 10)`);
    await runner.query(`
      create table ${schema}.events (
        revision bigint primary key,
        stream_id text collate "C" not null,
        version bigint not null,
        type text collate "C" not null,
        schema_version integer not null,
        time_ms bigint not null,
        id uuid not null,
        command_id text collate "C" not null,
        command_last bigint not null,
        actor_kind text collate "C" not null,
        actor_name text collate "C" not null,
        request_id text collate "C" not null,
        causation_id text collate "C",
        correlation_id text collate "C" not null,
        data json not null
      ) partition by range (revision)`);
    await runner.query(`create index events_stream on ${schema}.events (stream_id, version)`);
    await runner.query(`
      create table ${schema}.streams (stream_id text collate "C" primary key, version bigint not null)
      with (fillfactor = 80)`);
    await runner.query(`
      create table ${schema}.commands (
        command_id text collate "C" primary key, first bigint not null, last bigint not null
      )`);
    await runner.query(`
      create table ${schema}.snapshots (
        name text collate "C", format integer, revision bigint, chunk integer, data bytea not null,
        primary key (name, format, revision, chunk)
      )`);
    // The chunks are compressed already: trying again would only cost time.
    await runner.query(`alter table ${schema}.snapshots alter column data set storage external`);
    await runner.query(`
      create table ${schema}.leases (
        name text collate "C" primary key, holder text collate "C" not null,
        epoch bigint not null, expires_at timestamptz not null
      )`);
    await this.#protectHistory(runner, schema);
    await this.#partitions(runner, schema);
    await runner.query(`
      insert into ${schema}.log_head (last_revision, last_time_ms, scheduler_epoch, partitioned_to, cluster_id)
      values (0, 0, 0, 0, gen_random_uuid())`);
    await runner.query(`select ${schema}.add_partition()`);
  }

  async down(): Promise<void> {
    throw new Error('History is not undone: restore a backup into a new database instead.');
  }

  async #protectHistory(runner: QueryRunner, schema: string): Promise<void> {
    await runner.query(`
      create function ${schema}.refuse_rewriting() returns trigger language plpgsql as $$
      begin
        raise exception 'events are never changed (% on %)', tg_op, tg_table_name using errcode = 'insufficient_privilege';
      end $$`);
    await runner.query(`
      create trigger never_rewritten before update or delete on ${schema}.events
      for each row execute function ${schema}.refuse_rewriting()`);
    await runner.query(`
      create trigger never_truncated before truncate on ${schema}.events
      for each statement execute function ${schema}.refuse_rewriting()`);
  }

  async #partitions(runner: QueryRunner, schema: string): Promise<void> {
    // Created apart and then attached: "create table ... partition of" would wait for every reader of events and make all
    // others wait behind it. The caller holds the head row, so that two sessions never make the same partition.
    await runner.query(`
      create function ${schema}.add_partition() returns void language plpgsql
      set search_path = ${schema}, pg_temp as $$
      declare
        v_from bigint;
        v_name text;
      begin
        select partitioned_to into strict v_from from log_head where only_row for update;
        v_name := 'events_' || v_from / ${PARTITION_SIZE};
        execute format('create table %I (like events including defaults including constraints including indexes)', v_name);
        execute format('alter table events attach partition %I for values from (%s) to (%s)',
          v_name, v_from, v_from + ${PARTITION_SIZE});
        execute format('create trigger never_truncated before truncate on %I for each statement execute function refuse_rewriting()',
          v_name);
        update log_head set partitioned_to = v_from + ${PARTITION_SIZE} where only_row;
      end $$`);
  }
}
