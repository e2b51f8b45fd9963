/** The catalogue's rows, and plans: the exact bytes that people approve. */
export const PLANS = `
-- One row per action and version, immutable: an action that changes gets a new version.
create table action_definition (
  kind text not null,
  version int not null,
  reversibility text not null constraint action_reversibility check (reversibility in ('reversible', 'compensable', 'irreversible')),
  risk text not null constraint action_risk check (risk in ('safe', 'caution')),
  role text not null constraint action_role_can_vote check (role in ('approver', 'admin')),
  min_needed int not null constraint action_needs_people check (min_needed between 1 and 5),
  requester_may_approve boolean not null,
  step_up text not null constraint action_step_up check (step_up in ('none', 'typed')),
  max_ttl_seconds int not null constraint action_ttl check (max_ttl_seconds between 30 and 3600),
  min_cooldown_seconds int not null constraint action_cooldown check (min_cooldown_seconds between 0 and 86400),
  retry text not null constraint action_retry check (retry in ('token', 'precondition', 'never')),
  probe_horizon_seconds int not null constraint action_probe_horizon check (probe_horizon_seconds between 1 and 3600),
  primary key (kind, version),
  unique (kind, version, reversibility),
  -- Invariant 5.
  constraint irreversible_is_strict check (
    reversibility <> 'irreversible'
    or (min_needed >= 2 and step_up = 'typed' and retry = 'never' and max_ttl_seconds <= 600)
  ),
  -- Invariant 4: a requester's own approval counts for reversible and compensable actions at most.
  constraint own_approval_is_never_irreversible check (not (requester_may_approve and reversibility = 'irreversible'))
);
create trigger action_definition_stays before update or delete on action_definition for each row execute function keep_history();

-- What the columns say is read from the canonical text by the database itself, so that no column can disagree with the approved bytes.
create table plan (
  id uuid primary key,
  canonical text not null constraint plan_fits_in_64_kib check (octet_length(canonical) <= 65536),
  digest text not null,
  created_at timestamptz not null default clk(),
  expires_at timestamptz not null,
  incident_id text not null generated always as ((canonical::jsonb) ->> 'incident') stored references incident (id),
  severity int not null generated always as (((canonical::jsonb) ->> 'severity')::int) stored,
  action_kind text not null generated always as ((canonical::jsonb) #>> '{action,kind}') stored,
  action_version int not null generated always as (((canonical::jsonb) #>> '{action,version}')::int) stored,
  environment text not null generated always as ((canonical::jsonb) #>> '{target,environment}') stored,
  resource text not null generated always as ((canonical::jsonb) ->> 'resource') stored,
  reversibility text not null generated always as ((canonical::jsonb) ->> 'reversibility') stored,
  requester text generated always as ((canonical::jsonb) ->> 'requester') stored references principal (id),
  cause text not null generated always as (((canonical::jsonb) #>> '{cause,class}') || ' ' || ((canonical::jsonb) #>> '{cause,component}')) stored,
  role text not null generated always as ((canonical::jsonb) #>> '{approval,role}') stored references role (name),
  needed int not null generated always as (((canonical::jsonb) #>> '{approval,needed}')::int) stored,
  requester_may_approve boolean not null generated always as (((canonical::jsonb) #>> '{approval,requesterMayApprove}')::boolean) stored,
  confirm text generated always as ((canonical::jsonb) #>> '{approval,confirm}') stored,
  cooldown_seconds int not null generated always as (((canonical::jsonb) #>> '{limits,cooldownSeconds}')::int) stored,
  max_attempts int not null generated always as (((canonical::jsonb) #>> '{limits,maxAttempts}')::int) stored,
  build text not null generated always as ((canonical::jsonb) ->> 'build') stored,
  undo_plan_id uuid generated always as (((canonical::jsonb) #>> '{undo,plan}')::uuid) stored,
  undo_digest text generated always as ((canonical::jsonb) #>> '{undo,digest}') stored,
  undo_of uuid generated always as (((canonical::jsonb) ->> 'undoOf')::uuid) stored,

  -- Invariant 1 starts here: the digest is of these bytes, and travels by foreign key to request, vote, authorisation and execution.
  constraint plan_digest_is_of_its_bytes check (digest = encode(sha256(convert_to(canonical, 'UTF8')), 'hex')),
  -- 'is not distinct from': a check lets null pass, and a field that is missing is null.
  constraint plan_id_is_in_its_bytes check (id is not distinct from ((canonical::jsonb) ->> 'id')::uuid),
  -- In UTC, so that it is the same moment whatever the time zone of a session.
  constraint plan_expiry_is_in_its_bytes check (
    coalesce((canonical::jsonb) ->> 'expiresAt' ~ '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d([.]\\d{1,6})?Z$', false)
    and expires_at = ((canonical::jsonb) ->> 'expiresAt')::timestamptz
  ),
  constraint plan_resource_is_its_target check (
    resource is not distinct from ((canonical::jsonb) #>> '{target,provider}') || '/' || ((canonical::jsonb) #>> '{target,environment}')
      || '/' || ((canonical::jsonb) #>> '{target,kind}') || '/' || ((canonical::jsonb) #>> '{target,name}')
  ),
  constraint plan_severity check (severity between 1 and 4),
  constraint plan_lives_an_hour_at_most check (expires_at > created_at and expires_at <= created_at + interval '1 hour'),
  constraint plan_needs_somebody check (needed >= 1),
  constraint plan_attempts check (max_attempts between 1 and 2),
  -- An empty text would be typed by everybody.
  constraint plan_confirmation_has_to_be_typed check (confirm ~ '[^[:space:]]' and length(confirm) <= 200),
  -- Invariant 4.
  constraint own_approval_only_when_it_can_be_taken_back check (not (requester_may_approve and reversibility = 'irreversible')),
  -- Invariant 5: no way back to promise, and at least two people.
  constraint irreversible_plan_is_strict check (reversibility <> 'irreversible' or (needed >= 2 and confirm is not null and undo_plan_id is null)),
  -- An undo carries no undo of its own: anything beyond it is a new plan and a new click.
  constraint undo_ends_the_chain check (undo_of is null or undo_plan_id is null),
  constraint plan_action_is_in_the_catalogue foreign key (action_kind, action_version, reversibility) references action_definition (kind, version, reversibility),
  unique (id, digest),
  unique (id, incident_id),
  unique (id, resource),
  -- The click on the parent covers exactly the undo's bytes.
  constraint plan_undo_is_these_bytes foreign key (undo_plan_id, undo_digest) references plan (id, digest),
  constraint undo_has_a_parent foreign key (undo_of) references plan (id) deferrable initially deferred
);
create index plan_incident on plan (incident_id);
create unique index plan_has_one_undo on plan (undo_of) where undo_of is not null;

create function plan_guard() returns trigger language plpgsql as $$
declare
  canon jsonb := new.canonical::jsonb;
  definition action_definition;
begin
  perform take_turn();
  select * into definition from action_definition where kind = canon #>> '{action,kind}' and version = (canon #>> '{action,version}')::int;
  if not found then perform refuse('unknown-action'); end if;
  if (canon #>> '{approval,needed}')::int < definition.min_needed then perform refuse('policy-denied', 'fewer people than the action needs'); end if;
  if (select rank from role where name = canon #>> '{approval,role}') < (select rank from role where name = definition.role)
  then perform refuse('policy-denied', 'a lesser role than the action needs'); end if;
  if (canon #>> '{approval,requesterMayApprove}')::boolean and not definition.requester_may_approve
  then perform refuse('policy-denied', 'the action does not let its requester approve'); end if;
  if definition.step_up = 'typed' and canon #>> '{approval,confirm}' is null then perform refuse('policy-denied', 'the action needs a typed confirmation'); end if;
  if (canon #>> '{limits,cooldownSeconds}')::int < definition.min_cooldown_seconds then perform refuse('policy-denied', 'a shorter cooldown than the action needs'); end if;
  -- An undo is written before its parent, which names its bytes: one that comes later was covered by no click.
  if exists (select 1 from plan parent where parent.id = (canon ->> 'undoOf')::uuid) then perform refuse('policy-denied', 'the undo does not belong to this plan'); end if;
  if canon ->> 'undoOf' is null and new.expires_at > clk() + make_interval(secs => definition.max_ttl_seconds + 5)
  then perform refuse('policy-denied', 'more time to decide than the action allows'); end if;
  new.created_at := clk();
  return new;
end $$;
create trigger plan_guard before insert on plan for each row execute function plan_guard();

-- The undo acts on what its parent acted on, for the same incident; the parent names it, and asks no less of people than the undo does.
create function plan_pair_guard() returns trigger language plpgsql as $$
declare
  u plan;
begin
  select * into u from plan where undo_of = new.id;
  if u.id is distinct from new.undo_plan_id then perform refuse('policy-denied', 'the undo does not belong to this plan'); end if;
  if u.id is null then return null; end if;
  if (u.resource, u.incident_id) <> (new.resource, new.incident_id) then perform refuse('policy-denied', 'the undo acts on something else'); end if;
  if u.reversibility = 'irreversible' then perform refuse('policy-denied', 'the undo cannot be irreversible'); end if;
  if u.needed > new.needed or (select rank from role where name = u.role) > (select rank from role where name = new.role)
    or (u.confirm is not null and new.confirm is null) or (new.requester_may_approve and not u.requester_may_approve)
  then perform refuse('policy-denied', 'the undo needs more than this plan asks for'); end if;
  return null;
end $$;
create trigger plan_pair_guard after insert on plan for each row execute function plan_pair_guard();
create trigger plan_stays before update or delete on plan for each row execute function keep_history();
`
