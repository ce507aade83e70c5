import type { MigrationInterface, QueryRunner } from 'typeorm';
import { schemaOf } from '../schema.js';

/** Keys of secrets, wrapped: the one thing beside leases and snapshots that can go again, so that what it opens is gone too. */
export class SecretKeys1763800000004 implements MigrationInterface {
  readonly name = 'SecretKeys1763800000004';

  async up(runner: QueryRunner): Promise<void> {
    const schema = schemaOf(runner);
    const secured = `language plpgsql volatile security definer set search_path = ${schema}, pg_temp`;
    await runner.query(`
      create table ${schema}.secret_keys (
        uid text collate "C" primary key, wrapped bytea not null, master_key_id text collate "C" not null,
        made_at timestamptz not null default clock_timestamp()
      )`);
    await runner.query(`
      create table ${schema}.vault (
        only_row boolean primary key default true check (only_row), master_key_id text collate "C" not null
      )`);
    // The first to ask decides, and everybody hears the same.
    await runner.query(`
      create function ${schema}.claim_master_key(p_id text) returns text ${secured} as $$
      begin
        insert into vault (master_key_id) values (p_id) on conflict do nothing;
        return (select v.master_key_id from vault v);
      end $$`);
    await runner.query(`
      create function ${schema}.obtain_secret_key(p_uid text, p_wrapped bytea, p_master_key_id text) returns bytea ${secured} as $$
      begin
        insert into secret_keys (uid, wrapped, master_key_id) values (p_uid, p_wrapped, p_master_key_id)
          on conflict do nothing;
        return (select k.wrapped from secret_keys k where k.uid = p_uid);
      end $$`);
    await runner.query(`
      create function ${schema}.destroy_secret_keys(p_uids text[]) returns void ${secured} as $$
      begin
        delete from secret_keys where uid = any (p_uids);
      end $$`);
  }

  async down(): Promise<void> {
    throw new Error('History is not undone: restore a backup into a new database instead.');
  }
}
