import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** What models were told, asked and said in incidents: every prompt, call, result and decision, in the order it happened. */
export const migration0012: Migration = {
  async up(db: Kysely<never>): Promise<void> {
    await sql.raw(MODEL_RUNS).execute(db)
  },
}

const MODEL_RUNS = /* sql */ `
create table model_run (
  id          bigint generated always as identity primary key,
  incident_id text not null references incident,
  number      int not null check (number > 0),
  started_at  timestamptz not null,
  unique (incident_id, number)
);
create trigger model_run_stays before update or delete on model_run for each row execute function incident_history_stays();

-- The primary key lets one process alone go on: of two that write the same step the second is refused.
create table model_step (
  run_id bigint not null references model_run,
  seq    int not null check (seq > 0),
  at     timestamptz not null,
  kind   text not null check (kind <> '' and length(kind) <= 40),
  body   jsonb not null constraint model_step_bounded check (octet_length(body::text) <= 262144),
  primary key (run_id, seq)
);
-- As evidence: what was told and said is forgotten some time after the incident; that it was, and when, stays.
create function model_step_only_forgets() returns trigger language plpgsql as $$
begin
  if tg_op <> 'UPDATE' or to_jsonb(new) - 'body' is distinct from to_jsonb(old) - 'body'
    or new.body is distinct from jsonb_build_object('forgotten', new.body -> 'forgotten') or old.body ? 'forgotten'
    or not exists (select 1 from model_run r join incident i on i.id = r.incident_id where r.id = old.run_id and i.ended_at is not null)
  then raise exception using errcode = 'SH002', message = 'model_step is append-only; only the content of an incident that is over is forgotten'; end if;
  return new;
end $$;
create trigger model_step_stays before update or delete on model_step for each row execute function model_step_only_forgets();
create index model_step_remembered on model_step (run_id) where not body ? 'forgotten';
do $$
begin
  execute format('alter function model_step_only_forgets() set search_path to %I, pg_temp', current_schema());
end $$;
`
