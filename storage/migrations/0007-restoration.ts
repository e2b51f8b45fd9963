import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** What a restore leaves in the audit log, and what it takes from older approvals: after it none of them is carried out. */
export const migration0007: Migration = {
  async up(db: Kysely<never>): Promise<void> {
    await sql.raw(RESTORATION).execute(db)
  },
}

const RESTORATION = /* sql */ `
-- The database was put back to an earlier state: which one, and when.
create table restoration (
  id       bigint generated always as identity primary key,
  -- When the backup was made, the head of its log, and the SHA-256 that names it.
  taken_at timestamptz not null,
  entries  bigint not null check (entries >= 0),
  head     text not null constraint restoration_head_is_a_hash check (head ~ '^[0-9a-f]{64}$'),
  sha256   text not null constraint restoration_names_a_backup check (sha256 ~ '^[0-9a-f]{64}$'),
  by_whom  text not null default 'host' constraint restoration_is_by_the_host check (by_whom = 'host'),
  at       timestamptz not null default clk()
);
create trigger restoration_stays before update or delete on restoration for each row execute function keep_history();
create trigger never_emptied before truncate on restoration for each statement execute function keep_history();
create trigger audit after insert on restoration for each row execute function audit_row('id', 'by:by_whom');

-- Effects that the effect journal knows and this database does not, which a person on the host has looked at and taken responsibility for.
create table accepted_effect (
  execution_id uuid primary key,
  plan_id      uuid not null,
  digest       text not null constraint accepted_effect_has_a_digest check (digest ~ '^[0-9a-f]{64}$'),
  resource     text not null check (length(resource) between 1 and 2000),
  reason       text not null constraint accepted_effect_has_a_reason check (length(reason) between 1 and 500),
  by_whom      text not null default 'host' constraint accepted_effect_is_by_the_host check (by_whom = 'host'),
  at           timestamptz not null default clk()
);
create trigger accepted_effect_stays before update or delete on accepted_effect for each row execute function keep_history();
create trigger never_emptied before truncate on accepted_effect for each statement execute function keep_history();
create trigger audit after insert on accepted_effect for each row execute function audit_row('execution_id', 'by:by_whom');

-- What was approved before a restore may have been used after the backup: nothing is sent on it any more, and no undo that stands on it.
create function restored_guard() returns trigger language plpgsql as $$
begin
  if new.to_state in ('intent', 'sent') and exists (
    select 1 from execution x join plan p on p.id = x.plan_id join authorisation a on a.plan_id = coalesce(p.undo_of, p.id)
    where x.id = new.execution_id and (
      select min(seq) from audit_entry where what = 'authorisation-written' and body ->> 'key' = jsonb_build_object('id', a.id)::text
    ) < (select max(seq) from audit_entry where what = 'restoration-written')
  ) then perform refuse('restored'); end if;
  return new;
end $$;
-- After execution_event_guard, which has taken the turn: triggers run in the order of their names.
create trigger restored_guard before insert on execution_event for each row execute function restored_guard();
do $$
begin
  execute format('alter function restored_guard() set search_path to %I, pg_temp', current_schema());
end $$;
`
