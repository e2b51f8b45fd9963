import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Incidents, what happened to them, the alerts that made them, and what was found out: evidence and diagnoses. */
export const migration0002: Migration = {
  async up(db: Kysely<never>): Promise<void> {
    await sql.raw(INCIDENTS).execute(db)
  },
}

const INCIDENTS = /* sql */ `
-- Intake takes turns: what a decision has read cannot change before its result is stored. The row also counts, so that ids stay short.
create table intake_turn (
  id            int primary key constraint intake_turn_is_one_row check (id = 1),
  last_incident int not null
);
insert into intake_turn values (1, 0);

create table incident (
  id              text primary key,
  number          int not null unique,
  title           text not null check (title <> '' and length(title) <= 300),
  service         text not null check (service <> '' and length(service) <= 200),
  environment     text not null check (environment <> '' and length(environment) <= 100),
  severity        int not null check (severity between 1 and 4),
  severity_reason text not null check (length(severity_reason) <= 1000),
  state           text not null default 'open' constraint incident_state check (
    state in ('open', 'investigating', 'observing', 'awaiting-approval', 'acting', 'verifying', 'resolved', 'healed')
  ),
  opened_at       timestamptz not null,
  ended_at        timestamptz,
  drill_run       text,
  -- Counters of its rows; whoever appends takes the incident's row first, so numbers have no gaps and no doubles.
  last_event      int not null default 0,
  last_evidence   int not null default 0,
  last_diagnosis  int not null default 0,
  constraint incident_id_is_its_number check (id = 'inc-' || number),
  -- An end always has its moment, and an open incident never has one.
  constraint incident_ended_at check ((state in ('resolved', 'healed')) = (ended_at is not null))
);
create index incident_open on incident (number desc) where ended_at is null;
create index incident_service on incident (service, number desc);

-- Plans, votes and records refer to an incident: what it is and when it began never changes.
create function incident_keeps_identity() returns trigger language plpgsql as $$
begin
  if tg_op <> 'UPDATE' then raise exception using errcode = 'SH002', message = 'an incident is never deleted'; end if;
  if (new.id, new.number, new.environment, new.opened_at, new.drill_run) is distinct from (old.id, old.number, old.environment, old.opened_at, old.drill_run)
  then raise exception using errcode = 'SH002', message = 'id, environment, beginning and drill of an incident never change'; end if;
  return new;
end $$;
create trigger incident_keeps_identity before update or delete on incident for each row execute function incident_keeps_identity();

create function incident_history_stays() returns trigger language plpgsql as $$
begin
  raise exception using errcode = 'SH002', message = format('%s is append-only', tg_table_name);
end $$;

-- The lifecycle and the timeline, in one.
create table incident_event (
  incident_id text not null references incident,
  seq         int not null check (seq > 0),
  at          timestamptz not null,
  kind        text not null check (kind <> '' and length(kind) <= 100),
  text        text not null check (length(text) <= 4000),
  detail      jsonb not null constraint incident_event_bounded check (octet_length(detail::text) <= 65536),
  primary key (incident_id, seq)
);
create trigger incident_event_stays before update or delete on incident_event for each row execute function incident_history_stays();

-- Every alert that was heard, with what was decided about it and why.
create table alert (
  id               bigint generated always as identity primary key,
  incident_id      text references incident,
  -- The delivery it came in; no reference, because deliveries are pruned and alerts stay.
  inbox_id         bigint,
  source           text not null,
  key              text not null,
  status           text not null check (status in ('firing', 'resolved')),
  -- When it began at its source; where the source does not say, the delivery that told.
  occurrence       text not null,
  body             jsonb not null constraint alert_bounded check (octet_length(body::text) <= 262144),
  decision         text not null check (decision in ('open', 'attach', 'drop')),
  reason           text not null check (reason <> ''),
  deliveries       int not null default 1 check (deliveries > 0),
  received_at      timestamptz not null,
  last_received_at timestamptz not null,
  -- Replays and repeats change nothing twice.
  constraint alert_taken_once unique (source, key, status, occurrence),
  constraint alert_dropped_has_no_incident check ((decision = 'drop') = (incident_id is null))
);
create index alert_key on alert (source, key, id desc);
create index alert_incident on alert (incident_id, id) where incident_id is not null;

create function alert_only_counts() returns trigger language plpgsql as $$
begin
  if tg_op <> 'UPDATE' or to_jsonb(new) - 'deliveries' - 'last_received_at' is distinct from to_jsonb(old) - 'deliveries' - 'last_received_at'
  then raise exception using errcode = 'SH002', message = 'an alert is kept as it was taken'; end if;
  return new;
end $$;
create trigger alert_only_counts before update or delete on alert for each row execute function alert_only_counts();

-- The result of one read-only question, as it was when a claim cited it.
create table evidence (
  id           text primary key,
  incident_id  text not null references incident,
  number       int not null check (number > 0),
  kind         text not null,
  source       text not null,
  trust        text not null check (trust in ('metric', 'platform', 'log', 'chat')),
  status       text not null check (status in ('ok', 'empty', 'failed', 'denied')),
  summary      text not null check (length(summary) <= 2000),
  query        text not null check (length(query) <= 8000),
  window_from  timestamptz not null,
  window_to    timestamptz not null,
  link         text,
  content      jsonb not null constraint evidence_bounded check (octet_length(content::text) <= 262144),
  hash         text not null check (hash ~ '^[0-9a-f]{64}$'),
  collected_at timestamptz not null,
  constraint evidence_window check (window_from <= window_to),
  unique (incident_id, number)
);
create trigger evidence_stays before update or delete on evidence for each row execute function incident_history_stays();

-- Diagnoses; the highest version is the current one.
create table hypothesis_set (
  incident_id text not null references incident,
  version     int not null check (version > 0),
  hypotheses  jsonb not null constraint hypothesis_set_bounded check (octet_length(hypotheses::text) <= 262144),
  at          timestamptz not null,
  primary key (incident_id, version)
);
create trigger hypothesis_set_stays before update or delete on hypothesis_set for each row execute function incident_history_stays();
`
