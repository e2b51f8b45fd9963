/** Requests, votes and authorisations: from a card to a quorum. */
export const APPROVALS = `
create table request (
  id uuid primary key default gen_random_uuid(),
  plan_id uuid not null unique,
  digest text not null,
  incident_id text not null,
  state text not null default 'pending'
    constraint request_state check (state in ('pending', 'authorised', 'denied', 'expired', 'cancelled', 'superseded')),
  created_at timestamptz not null default clk(),
  decided_at timestamptz,
  decided_by text,
  reason text constraint request_reason_is_short check (length(reason) <= 500),
  -- Invariant 11: SHA-256 of the card's facts as rendered from the canonical plan, and by which version of the renderer.
  render_hash text not null constraint request_render_hash check (render_hash ~ '^[0-9a-f]{64}$'),
  render_version int not null,
  constraint request_is_for_these_bytes foreign key (plan_id, digest) references plan (id, digest),
  constraint request_is_of_the_plans_incident foreign key (plan_id, incident_id) references plan (id, incident_id),
  constraint request_end_has_a_time check ((state = 'pending') = (decided_at is null)),
  unique (id, plan_id, digest)
);
-- One card at a time for an incident: nothing to click by habit, and no two answers to one question.
create unique index one_pending_request_per_incident on request (incident_id) where state = 'pending';

-- Everybody who may decide a plan: the role in its environment, and not its requester unless the plan says so.
create function may_decide(who text, p plan) returns boolean language plpgsql stable as $$
begin
  return may(who, p.role, p.environment) and (p.requester is null or p.requester <> who or p.requester_may_approve);
end $$;

create function request_guard() returns trigger language plpgsql as $$
declare
  p plan;
begin
  perform take_turn();
  select * into p from plan where id = new.plan_id;
  if p.undo_of is not null then perform refuse('policy-denied', 'an undo is approved with its plan'); end if;
  if p.expires_at <= clk() then perform refuse('expired'); end if;
  -- An empty approver table approves nothing, and does not ask either.
  if (select count(*) from principal x where may_decide(x.id, p)) < p.needed then perform refuse('nobody-may-approve'); end if;
  new.state := 'pending';
  new.decided_by := null;
  new.reason := null;
  new.created_at := clk();
  return new;
end $$;
create trigger request_guard before insert on request for each row execute function request_guard();

-- Where the card is shown: a click counts only from there.
create table presentation (
  request_id uuid not null references request,
  surface text not null constraint presentation_surface check (surface in ('slack', 'teams', 'console')),
  tenant text not null,
  place text not null,
  primary key (request_id, surface, tenant, place)
);
create trigger presentation_stays before update or delete on presentation for each row execute function keep_history();

create table vote (
  request_id uuid not null,
  plan_id uuid not null,
  digest text not null,
  principal_id text not null,
  -- The link as it was at the click: one that is revoked later takes its vote with it, also when the account is linked anew.
  link_id bigint not null,
  decision text not null constraint vote_decision check (decision in ('approve', 'deny')),
  surface text not null,
  tenant text not null,
  external_id text not null,
  place text not null,
  -- What the person typed, for a plan that asks for it.
  confirm text constraint vote_confirm_is_short check (length(confirm) <= 200),
  reason text constraint vote_reason_is_short check (length(reason) <= 500),
  -- The newest role of the person at the click, by its number, which no clock changes: one that is given later is not behind this vote.
  last_grant bigint not null default 0,
  delivery_key text not null constraint vote_delivery_counts_once unique
    constraint vote_delivery_key_is_short check (length(delivery_key) between 1 and 512),
  at timestamptz not null default clk(),
  -- Invariant 3: one person, one approval; who approved may still veto before the quorum is reached.
  constraint vote_counts_people primary key (request_id, principal_id, decision),
  constraint vote_is_for_these_bytes foreign key (request_id, plan_id, digest) references request (id, plan_id, digest),
  constraint vote_was_cast_where_the_card_is foreign key (request_id, surface, tenant, place) references presentation (request_id, surface, tenant, place),
  constraint vote_is_by_a_linked_account foreign key (link_id, surface, tenant, external_id, principal_id)
    references identity_link (id, surface, tenant, external_id, principal_id)
);

-- Invariants 1, 3, 4, 5: who may vote, on what, and until when.
create function vote_guard() returns trigger language plpgsql as $$
declare
  r request;
  p plan;
begin
  perform take_turn();
  -- The moment that is judged is the moment that is kept.
  new.at := clk();
  new.last_grant := coalesce((select max(g.id) from role_grant g where g.principal_id = new.principal_id), 0);
  select * into r from request where id = new.request_id;
  if not found then perform refuse('unknown-approval'); end if;
  select * into p from plan where id = r.plan_id;
  if new.digest <> r.digest or new.plan_id <> r.plan_id then perform refuse('stale-digest'); end if;
  if not exists (
    select 1 from presentation s where s.request_id = r.id and s.surface = new.surface and s.tenant = new.tenant and s.place = new.place
  ) then perform refuse('wrong-place'); end if;
  if not exists (
    select 1 from identity_link l where l.id = new.link_id and l.surface = new.surface and l.tenant = new.tenant and l.external_id = new.external_id
      and l.principal_id = new.principal_id and l.revoked_at is null
  ) then perform refuse('not-linked'); end if;
  if exists (select 1 from principal x where x.id = new.principal_id and x.kind <> 'human') then perform refuse('not-human'); end if;
  if not may(new.principal_id, p.role, p.environment) then perform refuse('not-authorised'); end if;
  if r.state = 'cancelled' then perform refuse('cancelled'); end if;
  if r.state = 'superseded' then perform refuse('superseded'); end if;
  if r.state = 'expired' or (r.state = 'pending' and p.expires_at <= new.at) then perform refuse('expired'); end if;
  if r.state <> 'pending' then perform refuse('already-decided'); end if;
  if new.decision = 'approve' then
    if p.requester = new.principal_id and not p.requester_may_approve then perform refuse('self-approval'); end if;
    if p.confirm is not null and new.confirm is distinct from p.confirm then perform refuse('step-up-required'); end if;
    if stopped(p.environment, p.action_kind) then perform refuse('kill-switch'); end if;
    if frozen(p.environment, p.resource) then perform refuse('frozen'); end if;
  end if;
  return new;
end $$;
create trigger vote_guard before insert on vote for each row execute function vote_guard();
create trigger vote_stays before update or delete on vote for each row execute function keep_history();

-- Whether a vote counts at this moment: the person still has the account and the role they clicked with.
create function vote_stands(v vote, p plan) returns boolean language plpgsql stable as $$
begin
  return may_decide(v.principal_id, p)
    and exists (select 1 from identity_link l where l.id = v.link_id and l.revoked_at is null)
    -- A role that was taken away takes its votes with it, as an account does, also when it is given again.
    and exists (
      select 1 from role_grant g join role held on held.name = g.role join role needed on needed.name = p.role
      where g.principal_id = v.principal_id and g.id <= v.last_grant and g.revoked_at is null and g.valid_until > clk()
        and held.rank >= needed.rank and (g.environment = '*' or g.environment = p.environment)
    );
end $$;
-- The same for who may read of a vote who cast it and not how it was delivered.
create function vote_counts(r uuid, who text, said text) returns boolean language plpgsql stable security definer as $$
begin
  return (
    select vote_stands(v, p) from vote v join plan p on p.id = v.plan_id
    where v.request_id = r and v.principal_id = who and v.decision = said
  );
end $$;
-- People whose approval of these bytes counts at this moment.
create function standing_approvals(r uuid) returns int language plpgsql stable as $$
declare
  p plan;
begin
  select q.* into p from request asked join plan q on q.id = asked.plan_id where asked.id = r;
  return (
    select count(distinct v.principal_id) from vote v
    where v.request_id = r and v.decision = 'approve' and v.digest = p.digest and vote_stands(v, p)
  );
end $$;

create table authorisation (
  id uuid primary key default gen_random_uuid(),
  -- Invariant 2: one authorisation for a plan, ever.
  plan_id uuid not null constraint plan_is_authorised_once unique,
  digest text not null,
  kind text not null constraint authorisation_kind check (kind in ('votes', 'undo')),
  request_id uuid unique,
  -- For an undo: the execution it takes back.
  parent_execution_id uuid constraint undo_is_authorised_once unique,
  at timestamptz not null default clk(),
  constraint authorisation_is_for_these_bytes foreign key (plan_id, digest) references plan (id, digest),
  constraint authorisation_is_of_the_requests_bytes foreign key (request_id, plan_id, digest) references request (id, plan_id, digest),
  constraint authorisation_has_one_ground check ((kind = 'votes') = (request_id is not null) and (kind = 'undo') = (parent_execution_id is not null)),
  unique (id, plan_id, digest)
);
create trigger authorisation_stays before update or delete on authorisation for each row execute function keep_history();

-- A request ends once; its bytes and its render never change.
create function request_end_guard() returns trigger language plpgsql as $$
declare
  p plan;
begin
  if to_jsonb(new) - array['state', 'decided_at', 'decided_by', 'reason'] is distinct from to_jsonb(old) - array['state', 'decided_at', 'decided_by', 'reason']
  then raise exception using errcode = 'SH002', message = 'a request may only be decided'; end if;
  if old.state = 'authorised' and new.state = 'cancelled' then
    -- Cancelled after the quorum, before sent: the executor finds it and aborts.
    if exists (select 1 from execution x join execution_event e on e.execution_id = x.id where x.plan_id = new.plan_id and e.to_state in ('sent', 'aborted'))
    then perform refuse('too-late'); end if;
  elsif old.state = 'authorised' and new.state = 'expired' then
    -- Authorised, and nobody claimed it in time: that is an end as well, and no claim comes after it.
    if exists (select 1 from execution x where x.plan_id = new.plan_id) then perform refuse('too-late'); end if;
  elsif old.state <> 'pending' then perform refuse('already-decided');
  end if;
  select * into p from plan where id = new.plan_id;
  if new.state = 'authorised' and not exists (select 1 from authorisation a where a.request_id = new.id) then perform refuse('quorum-missing'); end if;
  if new.state = 'denied' and not exists (select 1 from vote v where v.request_id = new.id and v.decision = 'deny') then perform refuse('quorum-missing'); end if;
  -- Timeout is expiry, and only time makes it.
  if new.state = 'expired' then
    if p.expires_at > clk() then perform refuse('too-late', 'not expired yet'); end if;
    new.decided_by := null;
  end if;
  if new.state = 'cancelled' and exists (select 1 from principal x where x.id = new.decided_by) and not may(new.decided_by, 'responder', p.environment)
  then perform refuse('not-authorised'); end if;
  new.decided_at := clk();
  return new;
end $$;
create trigger request_turn before update on request for each statement execute function take_turn_for_statement();
create trigger request_end_guard before update on request for each row execute function request_end_guard();
create trigger request_stays before delete on request for each row execute function keep_history();

-- One denial vetoes; the last needed approval authorises, in the transaction of that vote.
create function vote_decides() returns trigger language plpgsql as $$
declare
  p plan;
begin
  if new.decision = 'deny' then
    update request set state = 'denied', decided_by = new.principal_id, reason = new.reason where id = new.request_id;
    return null;
  end if;
  select * into p from plan where id = new.plan_id;
  if standing_approvals(new.request_id) >= p.needed then
    insert into authorisation (plan_id, digest, kind, request_id) values (new.plan_id, new.digest, 'votes', new.request_id);
    update request set state = 'authorised', decided_by = new.principal_id where id = new.request_id;
  end if;
  return null;
end $$;
create trigger vote_decides after insert on vote for each row execute function vote_decides();
`
