import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** What lets old content go and keeps what the proof needs of it: that a notice was told, and the digest of what was cited. */
export const migration0008: Migration = {
  async up(db: Kysely<never>): Promise<void> {
    await sql.raw(RETENTION).execute(db)
  },
}

const RETENTION = /* sql */ `
-- Invariant 8, when the notice itself is gone from the outbox: that it was told, and when.
create table told_notice (
  dedupe  text primary key check (dedupe <> ''),
  told_at timestamptz not null
);
create trigger told_notice_stays before update or delete on told_notice for each row execute function keep_history();
create index outbox_done on outbox (done_at) where done_at is not null;
create index inbox_received on inbox (received_at);
create index surface_message_at on surface_message (at);
create index incident_ended on incident (ended_at) where ended_at is not null;

-- Evidence loses its content, once and wholly, when its incident is over; what it was, what it was asked and the digest of what it said stay.
create function evidence_only_forgets() returns trigger language plpgsql as $$
begin
  if tg_op <> 'UPDATE' or to_jsonb(new) - 'content' is distinct from to_jsonb(old) - 'content'
    or new.content is distinct from jsonb_build_object('forgotten', new.content -> 'forgotten') or old.content ? 'forgotten'
    or not exists (select 1 from incident where id = old.incident_id and ended_at is not null)
  then raise exception using errcode = 'SH002', message = 'evidence is append-only; only the content of an incident that is over is forgotten'; end if;
  return new;
end $$;
drop trigger evidence_stays on evidence;
create trigger evidence_stays before update or delete on evidence for each row execute function evidence_only_forgets();
create index evidence_remembered on evidence (incident_id) where not content ? 'forgotten';
do $$
begin
  execute format('alter function evidence_only_forgets() set search_path to %I, pg_temp', current_schema());
end $$;
`
