/** Carrying out: authorisation guard, executions, their events, undo. */
export const EXECUTIONS = `
create table execution_state (name text primary key, in_flight boolean not null, terminal boolean not null);
insert into execution_state values
  ('none', false, false), ('claimed', true, false), ('intent', true, false), ('sent', true, false), ('unknown', true, false), ('succeeded', true, false),
  ('verified', false, true), ('failed', false, true), ('undetermined', false, true), ('undone', false, true), ('aborted', false, true);
create table execution_edge (from_state text references execution_state, to_state text references execution_state, primary key (from_state, to_state));
insert into execution_edge values
  ('none', 'claimed'),
  ('claimed', 'intent'), ('claimed', 'aborted'),
  ('intent', 'sent'), ('intent', 'aborted'),
  ('sent', 'succeeded'), ('sent', 'failed'), ('sent', 'unknown'),
  ('unknown', 'succeeded'), ('unknown', 'failed'),
  ('succeeded', 'verified'), ('succeeded', 'failed'), ('succeeded', 'undetermined'),
  ('failed', 'undone');

create trigger execution_state_stays before insert or update or delete on execution_state for each statement execute function keep_rules();
create trigger execution_edge_stays before insert or update or delete on execution_edge for each statement execute function keep_rules();

create table execution (
  -- Also the idempotency key that marks the effect at the target.
  id uuid primary key default gen_random_uuid(),
  -- Invariant 2: one execution for an authorisation, and so for a plan.
  authorisation_id uuid not null constraint authorisation_is_used_once unique,
  plan_id uuid not null constraint plan_is_executed_once unique,
  digest text not null,
  resource text not null,
  epoch bigint not null,
  state text not null default 'claimed' references execution_state (name),
  constraint execution_is_of_the_authorised_bytes foreign key (authorisation_id, plan_id, digest) references authorisation (id, plan_id, digest),
  constraint execution_is_on_the_plans_resource foreign key (plan_id, resource) references plan (id, resource)
);
-- Invariant 2: one thing at a time on a resource, until it was verified.
create unique index one_in_flight_per_resource on execution (resource) where state in ('claimed', 'intent', 'sent', 'unknown', 'succeeded');
create index execution_resource on execution (resource);
alter table authorisation add constraint undo_is_of_an_execution foreign key (parent_execution_id) references execution (id);

create table execution_event (
  execution_id uuid not null references execution,
  seq int not null constraint execution_event_seq check (seq >= 1),
  from_state text not null,
  to_state text not null,
  epoch bigint not null,
  at timestamptz not null default clk(),
  detail jsonb not null default '{}' constraint execution_detail_is_bounded check (octet_length(detail::text) <= 32768),
  primary key (execution_id, seq),
  constraint execution_takes_allowed_steps foreign key (from_state, to_state) references execution_edge (from_state, to_state),
  -- Truthful outcome: no success without samples, whatever the verifier says.
  constraint verified_has_samples check (to_state <> 'verified' or coalesce((detail ->> 'samples')::int, 0) >= 1)
);
-- Invariant 2: one intent and one sent, ever.
create unique index one_intent_ever on execution_event (execution_id) where to_state = 'intent';
create unique index one_sent_ever on execution_event (execution_id) where to_state = 'sent';
create trigger execution_event_stays before update or delete on execution_event for each row execute function keep_history();

-- What ended an undo window other than the undo: somebody kept the change, or the ten minutes passed.
create table undo_waived (
  execution_id uuid primary key references execution,
  how text not null constraint undo_waived_how check (how in ('kept', 'lapsed')),
  principal_id text references principal,
  at timestamptz not null default clk(),
  constraint undo_kept_by_somebody check ((how = 'kept') = (principal_id is not null))
);
create trigger undo_waived_stays before update or delete on undo_waived for each row execute function keep_history();

-- Invariant 7: only the holder of the current, unexpired lease epoch writes.
create function fence(wanted bigint) returns void language plpgsql as $$
begin
  perform 1 from lease where name = 'executor' and epoch = wanted and expires_at > clk() for share;
  if not found then perform refuse('fenced'); end if;
end $$;

-- When an execution was judged failed after its effect took place: the moment its undo window opens. Null when there is nothing to undo.
create function undo_window_opened_at(x uuid) returns timestamptz language plpgsql stable as $$
begin
  return (select f.at from execution_event f where f.execution_id = x and f.from_state = 'succeeded' and f.to_state = 'failed');
end $$;

create function authorisation_guard() returns trigger language plpgsql as $$
declare
  p plan;
  parent execution;
  opened timestamptz;
begin
  perform take_turn();
  -- The moment that is judged is the moment that is kept.
  new.at := clk();
  select * into p from plan where id = new.plan_id;
  if p.expires_at <= new.at then perform refuse('expired'); end if;
  if stopped(p.environment, p.action_kind) then perform refuse('kill-switch'); end if;
  if frozen(p.environment, p.resource) then perform refuse('frozen'); end if;
  if new.kind = 'votes' then
    if p.undo_of is not null then perform refuse('policy-denied', 'an undo is authorised by its parent'); end if;
    if not exists (select 1 from request r where r.id = new.request_id and r.state = 'pending') then perform refuse('already-decided'); end if;
    if exists (select 1 from vote v where v.request_id = new.request_id and v.decision = 'deny') then perform refuse('denied'); end if;
    if standing_approvals(new.request_id) < p.needed then perform refuse('quorum-missing'); end if;
  else
    select * into parent from execution where id = new.parent_execution_id;
    -- The click on the parent covers the bytes that the parent names, and no others; the undo's id is among them.
    if not exists (select 1 from plan q where q.id = parent.plan_id and q.undo_digest = new.digest)
    then perform refuse('policy-denied', 'not the undo of this execution'); end if;
    opened := undo_window_opened_at(parent.id);
    if parent.state <> 'failed' or opened is null then perform refuse('undo-not-due'); end if;
    if exists (select 1 from undo_waived w where w.execution_id = parent.id) then perform refuse('kept'); end if;
    if new.at < opened + interval '60 seconds' then perform refuse('undo-not-due'); end if;
    if new.at > opened + interval '10 minutes' then perform refuse('expired'); end if;
  end if;
  return new;
end $$;
create trigger authorisation_guard before insert on authorisation for each row execute function authorisation_guard();

create function undo_waived_guard() returns trigger language plpgsql as $$
declare
  p plan;
  x execution;
  opened timestamptz;
begin
  perform take_turn();
  select * into x from execution where id = new.execution_id;
  select * into p from plan where id = x.plan_id;
  opened := undo_window_opened_at(x.id);
  if exists (select 1 from undo_waived w where w.execution_id = x.id and w.how = 'kept') then perform refuse('kept'); end if;
  if exists (select 1 from undo_waived w where w.execution_id = x.id) then perform refuse('too-late'); end if;
  if x.state <> 'failed' or opened is null or p.undo_plan_id is null then perform refuse('undo-not-due'); end if;
  -- An undo that was authorised lapses as well, when nobody claimed it in time; no claim comes after that.
  if exists (
    select 1 from authorisation a join plan u on u.id = a.plan_id
    where a.parent_execution_id = x.id and (new.how = 'kept' or u.expires_at > clk() or exists (select 1 from execution o where o.authorisation_id = a.id))
  ) then perform refuse('too-late'); end if;
  if new.how = 'kept' and not may(new.principal_id, 'viewer', p.environment) then perform refuse('not-authorised'); end if;
  if new.how = 'lapsed' and clk() <= opened + interval '10 minutes' and clk() < (select u.expires_at from plan u where u.id = p.undo_plan_id)
  then perform refuse('undo-not-due'); end if;
  new.at := clk();
  return new;
end $$;
create trigger undo_waived_guard before insert on undo_waived for each row execute function undo_waived_guard();

-- Invariants 1, 6, 12 and the limits, read again right before intent and again before sent. Null: nothing forbids it.
create function refusal_to_act(x uuid) returns text language plpgsql security definer as $$
declare
  e execution;
  p plan;
  root uuid;
begin
  select * into e from execution where id = x;
  if not found then raise exception using errcode = 'SH003', message = 'there is no such execution'; end if;
  select * into p from plan where id = e.plan_id;
  if stopped(p.environment, p.action_kind) then return 'kill-switch'; end if;
  if frozen(p.environment, p.resource) then return 'frozen'; end if;
  if p.expires_at <= clk() then return 'expired'; end if;
  -- An undo stands on the votes of its parent.
  select r.id into root from request r where r.plan_id = coalesce(p.undo_of, p.id);
  if exists (select 1 from request r where r.id = root and r.state <> 'authorised') then return 'cancelled'; end if;
  if standing_approvals(root) < (select q.needed from plan q where q.id = coalesce(p.undo_of, p.id)) then return 'lost-authority'; end if;
  if p.undo_of is not null then
    if exists (select 1 from undo_waived w join execution parent on parent.id = w.execution_id where parent.plan_id = p.undo_of) then return 'kept'; end if;
    return null;
  end if;
  if exists (
    select 1 from execution_event s join execution o on o.id = s.execution_id
    where s.to_state = 'sent' and o.resource = p.resource and o.id <> x and s.at > clk() - make_interval(secs => p.cooldown_seconds)
  ) then return 'cooldown'; end if;
  if (
    select count(*) from execution_event s join execution o on o.id = s.execution_id join plan q on q.id = o.plan_id
    where s.to_state = 'sent' and o.id <> x and q.undo_of is null and q.incident_id = p.incident_id and q.cause = p.cause
  ) >= p.max_attempts then return 'attempts-exhausted'; end if;
  -- Invariant 12: from the third change of one incident on, two people.
  if p.needed < 2 and (
    select count(*) from execution_event s join execution o on o.id = s.execution_id join plan q on q.id = o.plan_id
    where s.to_state = 'sent' and o.id <> x and q.undo_of is null and q.incident_id = p.incident_id
  ) >= 2 then return 'needs-more-people'; end if;
  return null;
end $$;

create function execution_guard() returns trigger language plpgsql as $$
begin
  perform take_turn();
  perform fence(new.epoch);
  if exists (select 1 from request r where r.plan_id = new.plan_id and r.state = 'expired')
    or exists (select 1 from authorisation a join undo_waived w on w.execution_id = a.parent_execution_id where a.id = new.authorisation_id)
  then perform refuse('expired'); end if;
  if exists (
    select 1 from execution o where o.resource = new.resource and o.state in ('claimed', 'intent', 'sent', 'unknown', 'succeeded')
  ) then perform refuse('in-flight'); end if;
  new.state := 'claimed';
  return new;
end $$;
create trigger execution_guard before insert on execution for each row execute function execution_guard();

create function execution_begins() returns trigger language plpgsql as $$
begin
  insert into execution_event (execution_id, seq, from_state, to_state, epoch) values (new.id, 1, 'none', 'claimed', new.epoch);
  return null;
end $$;
create trigger execution_begins after insert on execution for each row execute function execution_begins();

create function execution_event_guard() returns trigger language plpgsql as $$
declare
  x execution;
  last int;
  refusal text;
begin
  perform take_turn();
  perform fence(new.epoch);
  -- Before the rules are read: what was sent in time is not written down as late.
  new.at := clk();
  select * into x from execution where id = new.execution_id for update;
  select coalesce(max(seq), 0) into last from execution_event where execution_id = x.id;
  if new.seq <> last + 1 then raise exception using errcode = 'SH003', message = 'execution events leave no gap'; end if;
  if new.from_state <> (case when last = 0 then 'none' else x.state end)
  then raise exception using errcode = 'SH003', message = format('the execution is %s, not %s', x.state, new.from_state); end if;
  if new.to_state in ('intent', 'sent') then
    refusal := refusal_to_act(x.id);
    if refusal is not null then perform refuse(refusal); end if;
  end if;
  if new.to_state = 'sent' and not exists (
    select 1 from execution_event i where i.execution_id = x.id and i.to_state = 'intent' and i.epoch = new.epoch
  ) then perform refuse('fenced', 'intent was written by another epoch'); end if;
  -- Undone is what the undo's own verification says.
  if new.to_state = 'undone' and not exists (
    select 1 from authorisation a join execution u on u.authorisation_id = a.id where a.parent_execution_id = x.id and u.state = 'verified'
  ) then perform refuse('undo-not-due', 'the undo is not verified'); end if;
  return new;
end $$;
create trigger execution_event_guard before insert on execution_event for each row execute function execution_event_guard();

-- The state of an execution is that of its last event, and nothing else about it ever changes.
create function execution_follows_its_events() returns trigger language plpgsql as $$
begin
  if to_jsonb(new) - 'state' - 'epoch' is distinct from to_jsonb(old) - 'state' - 'epoch'
    or not exists (
      select 1 from (select e.to_state, e.epoch from execution_event e where e.execution_id = new.id order by e.seq desc limit 1) last
      where last.to_state = new.state and last.epoch = new.epoch
    )
  then raise exception using errcode = 'SH002', message = 'an execution changes only through its events'; end if;
  return new;
end $$;
create trigger execution_follows_its_events before update on execution for each row execute function execution_follows_its_events();
create trigger execution_stays before delete on execution for each row execute function keep_history();
create function execution_event_moves() returns trigger language plpgsql as $$
begin
  update execution set state = new.to_state, epoch = new.epoch where id = new.execution_id and (state, epoch) is distinct from (new.to_state, new.epoch);
  return null;
end $$;
create trigger execution_event_moves after insert on execution_event for each row execute function execution_event_moves();
`
