import type { MigrationInterface, QueryRunner } from 'typeorm';
import { SCHEDULER_LEASE } from '../../log-state.js';
import { schemaOf } from '../schema.js';

/** Leases by the database's clock, and the storing of snapshots: functions, because the apps' role may write no table. */
export class LeasesAndSnapshots1763800000003 implements MigrationInterface {
  readonly name = 'LeasesAndSnapshots1763800000003';

  async up(runner: QueryRunner): Promise<void> {
    const schema = schemaOf(runner);
    const secured = `language plpgsql volatile security definer set search_path = ${schema}, pg_temp`;
    // The condition is evaluated on the locked row, so of two who ask at once one gets it. The epoch of the scheduler is
    // raised in the head row, hence after the last append of its predecessor and before the first it would refuse.
    await runner.query(`
      create function ${schema}.acquire_lease(p_name text, p_holder text, p_ttl_ms bigint) returns bigint ${secured} as $$
      declare
        v_epoch bigint;
      begin
        insert into leases as l (name, holder, epoch, expires_at)
          values (p_name, p_holder, 1, clock_timestamp() + p_ttl_ms * interval '1 millisecond')
          on conflict (name) do update set
            epoch = case when l.holder = p_holder then l.epoch else l.epoch + 1 end,
            holder = p_holder,
            expires_at = clock_timestamp() + p_ttl_ms * interval '1 millisecond'
          where l.holder = p_holder or l.holder = '' or l.expires_at <= clock_timestamp()
          returning l.epoch into v_epoch;
        if p_name = '${SCHEDULER_LEASE}' and v_epoch is not null then
          update log_head set scheduler_epoch = v_epoch where only_row and scheduler_epoch < v_epoch;
        end if;
        return v_epoch;
      end $$`);
    await runner.query(`
      create function ${schema}.release_lease(p_name text, p_holder text) returns void ${secured} as $$
      begin
        update leases set holder = '' where name = p_name and holder = p_holder;
      end $$`);
    // The same revision again is the same state: whoever comes second has nothing to add.
    await runner.query(`
      create function ${schema}.put_snapshot_chunk(
        p_name text, p_format int, p_revision bigint, p_chunk int, p_data bytea
      ) returns void ${secured} as $$
      begin
        insert into snapshots (name, format, revision, chunk, data)
          values (p_name, p_format, p_revision, p_chunk, p_data)
          on conflict do nothing;
      end $$`);
    await runner.query(`
      create function ${schema}.drop_snapshots(p_name text, p_format int, p_revisions bigint[]) returns void ${secured} as $$
      begin
        delete from snapshots where name = p_name and format = p_format and revision = any (p_revisions);
      end $$`);
  }

  async down(): Promise<void> {
    throw new Error('History is not undone: restore a backup into a new database instead.');
  }
}
