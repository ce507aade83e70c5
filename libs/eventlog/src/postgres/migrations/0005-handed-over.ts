import type { MigrationInterface, QueryRunner } from 'typeorm';
import { growthChannel, schemaOf } from '../schema.js';

/** The next partition is made this many revisions before it is needed. */
const PARTITION_HEADROOM = 1_000_000;

/**
 * `append` of migration 0002, told more and telling more, so that a process need not read back what it has just written: the
 * ids of events come with the command, the verdict on a command says the time of its events, and the notification says the
 * revision that the log now ends at. How it works is said in migration 0002.
 */
export class HandedOver1763800000005 implements MigrationInterface {
  readonly name = 'HandedOver1763800000005';

  async up(runner: QueryRunner): Promise<void> {
    const schema = schemaOf(runner);
    await runner.query(`drop function ${schema}.append`);
    await runner.query(appendFunction(schema));
  }

  async down(): Promise<void> {
    throw new Error('History is not undone: restore a backup into a new database instead.');
  }
}

// enable_seqscan: a plan made while the tables were small must not scan them once they are large. Before PostgreSQL 18 what is
// disabled counts as very expensive, and what is very expensive is compiled first: hence no jit.
// string_to_array: the payloads arrive as lines, because JSON on one line contains no line break and needs no quoting.
const appendFunction = (schema: string): string => `
create function ${schema}.append(
  p_streams text[],
  p_command_ids text[], p_command_slots int[], p_epochs bigint[], p_actor_kinds text[], p_actor_names text[],
  p_request_ids text[], p_causation_ids text[], p_correlation_ids text[],
  p_check_commands int[], p_check_streams int[], p_check_versions bigint[],
  p_event_commands int[], p_event_streams int[], p_event_types text[], p_event_schema_versions int[], p_event_ids uuid[],
  p_event_data text
) returns table (
  outcome text, first_revision bigint, final_revision bigint, conflict_stream text, expected bigint, actual bigint,
  time_ms bigint
)
language plpgsql volatile security definer
set search_path = ${schema}, pg_temp
set enable_seqscan = off
set jit = off
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
  v_head log_head%rowtype;
  v_revision bigint;
  v_first bigint;
  v_now bigint;
  v_versions bigint[];
  v_versions_before bigint[];
  v_first_of bigint[];
  v_last_of bigint[];
  v_count int := cardinality(p_command_ids);
  v_checks int := cardinality(p_check_commands);
  v_events int := cardinality(p_event_commands);
  v_outcomes text[] := array_fill(null::text, array[v_count]);
  v_failed_check int[] := array_fill(null::int, array[v_count]);
  v_actual bigint[] := array_fill(null::bigint, array[v_count]);
  v_event_revisions bigint[] := array_fill(null::bigint, array[v_events]);
  v_event_versions bigint[] := array_fill(null::bigint, array[v_events]);
  v_check int := 1;
  v_event int := 1;
  v_stream int;
  v_same int;
  v_accepted boolean;
begin
  select * into strict v_head from log_head where only_row for update;
  v_revision := v_head.last_revision;

  -- Streams are named once each in p_streams: were one named twice, the upsert below would refuse the whole batch.
  select array_agg(coalesce((select s.version from streams s where s.stream_id = n.name), 0) order by n.i)
    into v_versions from unnest(p_streams) with ordinality n(name, i);
  v_versions_before := v_versions;
  select array_agg(c.first order by n.i), array_agg(c.last order by n.i) into v_first_of, v_last_of
    from unnest(p_command_ids) with ordinality n(id, i)
    left join lateral (select c.first, c.last from commands c where c.command_id = n.id) c on true;

  for v_command in 1..v_count loop
    -- Where the same id stands first in the batch. Were the slots wrong, the key of commands would refuse the whole batch.
    v_same := p_command_slots[v_command];
    v_accepted := false;
    if v_first_of[v_same] is not null then
      v_outcomes[v_command] := 'duplicate';
    elsif p_epochs[v_command] < v_head.scheduler_epoch then
      v_outcomes[v_command] := 'stale';
    else
      v_accepted := true;
    end if;
    while v_check <= v_checks and p_check_commands[v_check] = v_command loop
      if v_accepted and v_versions[p_check_streams[v_check]] <> p_check_versions[v_check] then
        v_accepted := false;
        v_outcomes[v_command] := 'conflict';
        v_failed_check[v_command] := v_check;
        v_actual[v_command] := v_versions[p_check_streams[v_check]];
      end if;
      v_check := v_check + 1;
    end loop;
    v_first := v_revision + 1;
    while v_event <= v_events and p_event_commands[v_event] = v_command loop
      if v_accepted then
        v_stream := p_event_streams[v_event];
        v_revision := v_revision + 1;
        v_versions[v_stream] := v_versions[v_stream] + 1;
        v_event_revisions[v_event] := v_revision;
        v_event_versions[v_event] := v_versions[v_stream];
      end if;
      v_event := v_event + 1;
    end loop;
    if v_accepted then
      v_outcomes[v_command] := 'ok';
      v_first_of[v_same] := v_first;
      v_last_of[v_same] := v_revision;
    end if;
    if v_same <> v_command then
      v_first_of[v_command] := v_first_of[v_same];
      v_last_of[v_command] := v_last_of[v_same];
    end if;
  end loop;

  if v_revision > v_head.last_revision then
    while v_revision + ${PARTITION_HEADROOM} >= v_head.partitioned_to loop
      perform add_partition();
      select partitioned_to into strict v_head.partitioned_to from log_head where only_row;
    end loop;
    v_now := greatest(v_head.last_time_ms, floor(extract(epoch from clock_timestamp()) * 1000)::bigint);
    insert into events (revision, stream_id, version, type, schema_version, time_ms, id, command_id, command_last,
        actor_kind, actor_name, request_id, causation_id, correlation_id, data)
      select e.revision, p_streams[e.stream], e.version, e.type, e.schema_version, v_now, e.id, c.id, c.last,
          c.actor_kind, c.actor_name, c.request_id, c.causation_id, c.correlation_id, e.data::json
        from unnest(p_event_commands, v_event_revisions, p_event_streams, v_event_versions, p_event_types,
            p_event_schema_versions, p_event_ids, string_to_array(p_event_data, E'\\n'))
          e(command, revision, stream, version, type, schema_version, id, data)
        join unnest(p_command_ids, v_last_of, p_actor_kinds, p_actor_names, p_request_ids, p_causation_ids,
            p_correlation_ids) with ordinality
          c(id, last, actor_kind, actor_name, request_id, causation_id, correlation_id, i) on c.i = e.command
        where e.revision is not null;
    insert into streams (stream_id, version)
      select s.name, s.version from unnest(p_streams, v_versions, v_versions_before) s(name, version, before)
        where s.version <> s.before
      on conflict (stream_id) do update set version = excluded.version;
    insert into commands (command_id, first, last)
      select c.id, c.first, c.last from unnest(p_command_ids, v_first_of, v_last_of, v_outcomes) c(id, first, last, outcome)
        where c.outcome = 'ok';
    update log_head set last_revision = v_revision, last_time_ms = v_now where only_row;
    perform pg_notify('${growthChannel(schema)}', v_revision::text);
  end if;

  return query
    select v.outcome, v.first, v.last, p_streams[p_check_streams[v.failed]], p_check_versions[v.failed],
        case v.outcome when 'stale' then v_head.scheduler_epoch else v.actual end, v_now
      from unnest(v_outcomes, v_first_of, v_last_of, v_failed_check, v_actual) with ordinality
        v(outcome, first, last, failed, actual, i)
      order by v.i;
end $$`;
