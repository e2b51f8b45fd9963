import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** The clock, and the tables that everything else stands on: inbox, outbox, job, lease, telemetry, app_meta. */
export const migration0001: Migration = {
  async up(db: Kysely<never>): Promise<void> {
    await sql.raw(FOUNDATION).execute(db)
  },
}

const FOUNDATION = /* sql */ `
-- The one clock of every rule in this database. Unlike now() it moves within a transaction; a test replaces it to move time.
create function clk() returns timestamptz language sql volatile as $$ select clock_timestamp() $$;

-- What arrived from outside, byte for byte, stored before it is acknowledged.
create table inbox (
  id           bigint generated always as identity primary key,
  source       text not null check (source <> ''),
  delivery_key text not null check (delivery_key <> '' and length(delivery_key) <= 512),
  body         bytea not null,
  -- Derived by the database, so that the digest in the row is always that of the bytes in the row.
  body_sha     text generated always as (encode(sha256(body), 'hex')) stored,
  headers      jsonb not null default '{}',
  -- The job that was enqueued in the same commit; a replay enqueues it again.
  job_kind     text,
  received_at  timestamptz not null default clk(),
  state        text not null default 'received' check (state in ('received', 'processed', 'failed', 'rejected')),
  error        text,
  processed_at timestamptz,
  attempts     integer not null default 0 check (attempts >= 0),
  -- The same delivery is taken once, however often and through however many replicas it is sent.
  constraint inbox_delivery_once unique (source, delivery_key),
  -- One delivery must not fill the disk; the edges accept far less.
  constraint inbox_body_bounded check (octet_length(body) <= 16 * 1024 * 1024),
  -- An ending always has its moment, and a waiting row never has one.
  constraint inbox_ended_at check ((state = 'received') = (processed_at is null))
);
create index inbox_waiting on inbox (received_at) where state in ('received', 'failed');
create index inbox_newest on inbox (source, id);
create index inbox_newest_of_a_body on inbox (source, body_sha, id);

-- Notices to send, written in the transaction of what they tell. Rows of one incident are sent in the order of their ids.
create table outbox (
  id            bigint generated always as identity primary key,
  -- The same notice is queued once, also when a recovery writes it again.
  dedupe        text not null constraint outbox_dedupe_once unique,
  topic         text not null check (topic <> ''),
  incident_id   text,
  body          jsonb not null,
  priority      integer not null default 5 check (priority between 1 and 9),
  at            timestamptz not null default clk(),
  not_before    timestamptz not null default clk(),
  attempts      integer not null default 0 check (attempts >= 0),
  claimed_until timestamptz,
  done_at       timestamptz,
  dead_at       timestamptz,
  last_error    text,
  -- Sent and given up are two different ends.
  constraint outbox_one_end check (done_at is null or dead_at is null)
);
create index outbox_waiting on outbox (priority, id) where done_at is null and dead_at is null;
create index outbox_incident_waiting on outbox (incident_id, id) where done_at is null and dead_at is null;
create index outbox_dead on outbox (dead_at) where dead_at is not null;

-- Work to do later or elsewhere.
create table job (
  id            bigint generated always as identity primary key,
  queue         text not null default 'default' check (queue <> ''),
  kind          text not null check (kind <> ''),
  payload       jsonb not null,
  dedupe        text,
  run_at        timestamptz not null default clk(),
  attempts      integer not null default 0 check (attempts >= 0),
  max_attempts  integer not null default 12 check (max_attempts between 1 and 100),
  claimed_by    text,
  claimed_until timestamptz,
  created_at    timestamptz not null default clk(),
  finished_at   timestamptz,
  dead_at       timestamptz,
  last_error    text,
  -- Finished and given up are two different ends.
  constraint job_one_end check (finished_at is null or dead_at is null),
  -- A claim names its worker and its end, or there is none.
  constraint job_claim_whole check ((claimed_by is null) = (claimed_until is null))
);
-- The same work waits once; it may be asked for again when it is over.
create unique index job_dedupe_waiting on job (dedupe) where finished_at is null and dead_at is null;
create index job_waiting on job (kind, run_at, id) where finished_at is null and dead_at is null;
create index job_dead on job (dead_at) where dead_at is not null;
create index job_finished on job (finished_at) where finished_at is not null;

-- Wakes whoever works these off, at the commit; who misses it polls.
create function wake_listeners() returns trigger language plpgsql as $$
begin
  perform pg_notify(tg_argv[0], '');
  return null;
end $$;
create trigger job_wakes after insert on job for each statement execute function wake_listeners('steadyhand_job');
create trigger outbox_wakes after insert on outbox for each statement execute function wake_listeners('steadyhand_outbox');

-- Who may do what only one process may do. The epoch fences off whoever held it before.
create table lease (
  name       text primary key,
  holder     text not null check (holder <> ''),
  epoch      bigint not null check (epoch > 0),
  expires_at timestamptz not null
);

-- An epoch that fell back, or began again after a delete, would let a fenced process write.
create function lease_only_grows() returns trigger language plpgsql as $$
begin
  if tg_op <> 'UPDATE' then
    raise exception 'a lease is released by its expiry, never deleted' using errcode = '23514', constraint = 'lease_only_grows';
  end if;
  if new.name <> old.name or new.epoch < old.epoch or (new.holder <> old.holder and new.epoch = old.epoch) then
    raise exception 'the epoch of lease % only grows, and grows with each new holder', old.name using errcode = '23514', constraint = 'lease_only_grows';
  end if;
  return new;
end $$;
create trigger lease_only_grows before update or delete on lease for each row execute function lease_only_grows();
create trigger lease_never_emptied before truncate on lease for each statement execute function lease_only_grows();

-- One row per scrape of one instance.
create table telemetry (
  id       bigint generated always as identity primary key,
  at       timestamptz not null,
  target   text not null,
  service  text not null,
  instance text not null,
  version  text not null,
  samples  jsonb not null
);
create index telemetry_service on telemetry (service, at);
create index telemetry_at on telemetry (at);

-- Small facts that have to survive a restart, by key.
create table app_meta (
  key        text primary key check (key <> '' and length(key) <= 200),
  value      jsonb not null,
  updated_at timestamptz not null default clk()
);
`
