/** Stopping and freezing. */
export const CONTROLS = `
-- Invariant 6. Scopes: '*', 'env:NAME', 'kind:ACTION'. A generation is one stop: votes to start again count for it alone.
create table kill_switch (
  scope text primary key constraint kill_switch_scope check (scope = '*' or scope ~ '^(env|kind):[^ ]+$'),
  engaged boolean not null,
  generation int not null default 0,
  by_whom text not null,
  at timestamptz not null default clk()
);
create table start_vote (
  scope text not null references kill_switch,
  generation int not null,
  principal_id text not null references principal,
  -- How many voices of this person to this start have lapsed before: one counts at a time.
  lapsed int not null default 0,
  at timestamptz not null default clk(),
  primary key (scope, generation, principal_id, lapsed)
);
-- Two voices that start again are of the same ten minutes: an older one may have meant another moment.
create function start_vote_counts(v start_vote) returns boolean language plpgsql stable as $$
begin
  return v.at > clk() - interval '10 minutes' and may_anywhere(v.principal_id, 'approver');
end $$;
create function start_vote_guard() returns trigger language plpgsql as $$
begin
  perform take_turn();
  if not may_anywhere(new.principal_id, 'approver') then perform refuse('not-authorised'); end if;
  if not exists (select 1 from kill_switch where scope = new.scope and engaged and generation = new.generation) then perform refuse('too-late'); end if;
  new.at := clk();
  new.lapsed := (
    select count(*) from start_vote v where v.scope = new.scope and v.generation = new.generation and v.principal_id = new.principal_id
      and not start_vote_counts(v)
  );
  return new;
end $$;
create trigger start_vote_guard before insert on start_vote for each row execute function start_vote_guard();
create trigger start_vote_stays before update or delete on start_vote for each row execute function keep_history();

-- Anyone with an approver role stops, and stopping again makes every voice for a start void; starting again takes two people, or the command
-- line on the host.
create function kill_switch_guard() returns trigger language plpgsql as $$
begin
  -- A stop that could be moved to another scope would be a start by one person.
  if tg_op = 'UPDATE' and new.scope <> old.scope then raise exception using errcode = 'SH002', message = 'a kill switch keeps its scope'; end if;
  if new.by_whom = 'host' and not is_host() then perform refuse('not-authorised', 'Only the command line on the host speaks for the host.'); end if;
  new.generation := case when tg_op = 'INSERT' then 0 when new.engaged then old.generation + 1 else old.generation end;
  if new.engaged then
    if new.by_whom <> 'host' and not may_anywhere(new.by_whom, 'approver') then perform refuse('not-authorised'); end if;
  elsif tg_op = 'UPDATE' and new.by_whom <> 'host' then
    if (select count(distinct v.principal_id) from start_vote v where v.scope = new.scope and v.generation = old.generation and start_vote_counts(v)) < 2
    then perform refuse('quorum-missing'); end if;
  end if;
  new.at := clk();
  return new;
end $$;
create trigger kill_switch_turn before insert or update on kill_switch for each statement execute function take_turn_for_statement();
create trigger kill_switch_guard before insert or update on kill_switch for each row execute function kill_switch_guard();
create trigger kill_switch_stays before delete on kill_switch for each row execute function keep_history();

create function stopped(env text, kind text) returns boolean language plpgsql stable as $$
begin
  return exists (select 1 from kill_switch where engaged and scope in ('*', 'env:' || env, 'kind:' || kind));
end $$;

-- Scopes: '*', 'env:NAME' or 'resource:NAME'.
create table freeze_window (
  id uuid primary key default gen_random_uuid(),
  scope text not null constraint freeze_scope check (scope = '*' or scope ~ '^(env|resource):[^ ]+$'),
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  reason text not null constraint freeze_reason_is_short check (length(reason) between 1 and 300),
  by_whom text not null,
  created_at timestamptz not null default clk(),
  ended_at timestamptz,
  ended_by text,
  constraint freeze_ends_after_it_starts check (ends_at > starts_at and ends_at <= starts_at + interval '2160 hours'),
  constraint freeze_end_has_a_person check ((ended_at is null) = (ended_by is null))
);
create function freeze_guard() returns trigger language plpgsql as $$
declare
  who text := coalesce(new.ended_by, new.by_whom);
begin
  if tg_op = 'UPDATE' and (old.ended_at is not null or to_jsonb(new) - 'ended_at' - 'ended_by' is distinct from to_jsonb(old) - 'ended_at' - 'ended_by')
  then raise exception using errcode = 'SH002', message = 'a freeze may only be ended'; end if;
  if (who = 'host' and not is_host()) or (who <> 'host' and not may_anywhere(who, 'responder')) then perform refuse('not-authorised'); end if;
  if tg_op = 'INSERT' then new.created_at := clk(); end if;
  if new.ended_at is not null then new.ended_at := clk(); end if;
  return new;
end $$;
create trigger freeze_turn before insert or update on freeze_window for each statement execute function take_turn_for_statement();
create trigger freeze_guard before insert or update on freeze_window for each row execute function freeze_guard();
create trigger freeze_stays before delete on freeze_window for each row execute function keep_history();
create function frozen(env text, resource_name text) returns boolean language plpgsql stable as $$
begin
  return exists (
    select 1 from freeze_window
    where ended_at is null and clk() >= starts_at and clk() < ends_at
      and scope in ('*', 'env:' || env, 'resource:' || resource_name)
  );
end $$;
`
