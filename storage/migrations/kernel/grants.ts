/** Standing grants and the report each has to stand on: their shape only; nothing can be authorised by one yet. */
export const GRANTS = `
create table graduation_report (
  id uuid primary key default gen_random_uuid(),
  environment text not null,
  build text not null,
  -- Shares: not a number compares as greater than any gate.
  diagnostic_accuracy numeric not null constraint graduation_accuracy check (diagnostic_accuracy between 0 and 1),
  destructive_false_positives int not null constraint graduation_false_positives check (destructive_false_positives >= 0),
  resolved_sev34 numeric not null constraint graduation_resolved check (resolved_sev34 between 0 and 1),
  coverage numeric not null constraint graduation_coverage check (coverage between 0 and 1),
  clean_days int not null,
  cases int not null,
  evidence_sha256 text not null constraint graduation_evidence check (evidence_sha256 ~ '^[0-9a-f]{64}$'),
  at timestamptz not null default clk(),
  -- The five gates; a report cannot claim to have passed.
  passed boolean not null generated always as (
    diagnostic_accuracy >= 0.90 and destructive_false_positives = 0 and resolved_sev34 >= 0.95 and coverage >= 0.30 and clean_days >= 7 and cases >= 100
  ) stored,
  unique (id, environment, build, passed)
);
create trigger graduation_report_stays before update or delete on graduation_report for each row execute function keep_history();

create table standing_grant (
  id uuid primary key default gen_random_uuid(),
  environment text not null,
  build text not null,
  action_kind text not null,
  action_version int not null,
  reversibility text not null constraint grant_is_for_reversible_actions check (reversibility = 'reversible'),
  -- A pattern must name something: '*' alone is not a scope.
  resource_pattern text not null constraint grant_names_something check (resource_pattern ~ '[A-Za-z0-9]' and length(resource_pattern) <= 300),
  least_severity int not null default 3 constraint grant_is_for_lesser_incidents check (least_severity in (3, 4)),
  max_uses int not null constraint grant_uses check (max_uses between 1 and 20),
  max_uses_an_hour int not null constraint grant_uses_an_hour check (max_uses_an_hour between 1 and 3),
  cooldown_seconds int not null constraint grant_cooldown check (cooldown_seconds >= 1800),
  max_replica_percent int not null constraint grant_replicas check (max_replica_percent between 1 and 25),
  -- Granted by a click of two people, on a plan of its own.
  granting_plan_id uuid not null unique references plan,
  first_grantor text not null references principal,
  second_grantor text not null references principal,
  granted_at timestamptz not null default clk(),
  expires_at timestamptz not null,
  revoked_at timestamptz,
  report_id uuid not null,
  report_passed boolean not null constraint grant_stands_on_a_passed_report check (report_passed),
  constraint grant_has_two_grantors check (first_grantor <> second_grantor),
  constraint grant_lives_a_week_at_most check (expires_at > granted_at and expires_at <= granted_at + interval '168 hours'),
  constraint grant_is_for_a_known_action foreign key (action_kind, action_version, reversibility) references action_definition (kind, version, reversibility),
  constraint grant_report_is_of_this_build foreign key (report_id, environment, build, report_passed)
    references graduation_report (id, environment, build, passed)
);
create function standing_grant_begins() returns trigger language plpgsql as $$
begin
  perform take_turn();
  new.granted_at := clk();
  new.revoked_at := null;
  return new;
end $$;
create trigger standing_grant_begins before insert on standing_grant for each row execute function standing_grant_begins();
create trigger standing_grant_only_revoked before update or delete on standing_grant for each row execute function only_revoke();
`
