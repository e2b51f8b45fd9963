import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Runs of drills: what was broken for practice, and how it went. */
export const migration0005: Migration = {
  async up(db: Kysely<never>): Promise<void> {
    await sql.raw(DRILLS).execute(db)
  },
}

const DRILLS = /* sql */ `
create table drill_run (
  id          text primary key,
  name        text not null check (name <> '' and length(name) <= 100),
  state       text not null default 'running' constraint drill_run_state check (state in ('running', 'passed', 'failed')),
  incident_id text references incident,
  -- Ids of the approvals that were asked, in order; no reference each, because the run only points.
  approvals   jsonb not null default '[]' constraint drill_run_approvals check (
    jsonb_typeof(approvals) = 'array' and octet_length(approvals::text) <= 8192
  ),
  started_at  timestamptz not null,
  -- The person, where one was signed in; programs have no name here.
  started_by  text references principal,
  ended_at    timestamptz,
  words       text check (length(words) <= 2000),
  -- An end always has its moment and its reason.
  constraint drill_run_ended check ((state = 'running') = (ended_at is null) and (state = 'running') = (words is null))
);
-- One fault at a time: with two, nobody could say what mended what.
create unique index drill_run_one_at_a_time on drill_run ((state)) where state = 'running';

create function drill_run_stays() returns trigger language plpgsql as $$
begin
  if tg_op <> 'UPDATE' or old.state <> 'running' or (new.id, new.name, new.started_at, new.started_by) is distinct from (old.id, old.name, old.started_at, old.started_by)
  then raise exception using errcode = 'SH002', message = 'a run of a drill that has ended stays as it is'; end if;
  return new;
end $$;
create trigger drill_run_stays before update or delete on drill_run for each row execute function drill_run_stays();
`
