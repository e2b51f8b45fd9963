import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** What the audit log tells beside what was done: who was refused, and who broke the target for practice. */
export const migration0013: Migration = {
  async up(db: Kysely<never>): Promise<void> {
    await sql.raw(REFUSED_ATTEMPTS).execute(db)
  },
}

const REFUSED_ATTEMPTS = /* sql */ `
-- A person who is known asked for what their role does not allow. Names of calls and codes only: nothing that anybody typed.
create table refused_attempt (
  id           bigint generated always as identity primary key,
  principal_id text not null references principal,
  -- The call or command, by the name it has in the product.
  what         text not null constraint refused_attempt_names_a_call check (what ~ '^[a-zA-Z][a-zA-Z-]{0,59}$'),
  code         text not null constraint refused_attempt_has_a_code check (code ~ '^[a-z][a-z-]{0,59}$'),
  -- The request it was about, where it was about one.
  request_id   uuid references request,
  at           timestamptz not null default clk()
);
create index refused_attempt_of_person on refused_attempt (principal_id, at);

-- The same again within the hour says nothing new, and nobody fills the log: what is too much is left out, and the refusal itself stands. What was tried
-- at a request is counted by itself, so that nobody keeps it out by trying other things before. Attempts at one moment may be some more than that.
create function refused_attempt_guard() returns trigger language plpgsql as $$
declare
  since timestamptz := clk() - interval '1 hour';
begin
  new.at := clk();
  if exists (select 1 from refused_attempt r where r.principal_id = new.principal_id and r.at > since
    and (r.what, r.code) = (new.what, new.code) and r.request_id is not distinct from new.request_id) then return null; end if;
  if (select count(*) from refused_attempt r where r.principal_id = new.principal_id and r.at > since
    and (r.request_id is null) = (new.request_id is null)) >= 20 then return null; end if;
  return new;
end $$;
create trigger refused_attempt_guard before insert on refused_attempt for each row execute function refused_attempt_guard();
create trigger refused_attempt_stays before update or delete on refused_attempt for each row execute function keep_history();
create trigger never_emptied before truncate on refused_attempt for each statement execute function keep_history();
create trigger audit after insert on refused_attempt for each row execute function audit_row('id', 'by:principal_id', 'note:what', 'note:code');

-- Written with the run, so that no caller can forget it. The run itself goes on changing; that it was started does not.
create table drill_start (
  run_id       text primary key references drill_run,
  name         text not null,
  -- Null where a program started it, or nobody who was signed in.
  principal_id text references principal,
  at           timestamptz not null default clk()
);
create trigger drill_start_stays before update or delete on drill_start for each row execute function keep_history();
create trigger never_emptied before truncate on drill_start for each statement execute function keep_history();
create trigger audit after insert on drill_start for each row execute function audit_row('run_id', 'by:principal_id', 'note:name', 'note:principal_id');

create function drill_run_starts() returns trigger language plpgsql as $$
begin
  insert into drill_start (run_id, name, principal_id) values (new.id, new.name, new.started_by);
  return null;
end $$;
create trigger starts after insert on drill_run for each row execute function drill_run_starts();

do $$
declare
  f text;
begin
  foreach f in array array['refused_attempt_guard', 'drill_run_starts'] loop
    execute format('alter function %I() security definer set search_path to %I, pg_temp', f, current_schema());
  end loop;
end $$;
`
