/** Who may change who may: roles, accounts and the policy. Two admins give, one takes, and what is written is what both were shown. */
export const POWER = `
-- One change as canonical text. Its columns are read from the text by the database, so that no column can disagree with the bytes that were shown.
create table power_change (
  id uuid primary key,
  canonical text not null constraint power_change_fits_in_4_kib check (octet_length(canonical) <= 4096),
  digest text not null,
  -- A person, or 'host': the policy file, which only the host changes.
  asked_by text not null,
  link_id bigint references identity_link,
  last_grant bigint not null default 0,
  asked_at timestamptz not null default clk(),
  expires_at timestamptz not null default clk(),
  state text not null default 'pending' constraint power_change_state check (state in ('pending', 'done', 'withdrawn', 'expired')),
  decided_at timestamptz,
  decided_by text,
  kind text not null generated always as ((canonical::jsonb) ->> 'kind') stored
    constraint power_change_kind check (kind in ('grant', 'revoke', 'link', 'unlink', 'policy')),
  person text generated always as ((canonical::jsonb) ->> 'person') stored,
  name text generated always as ((canonical::jsonb) ->> 'name') stored,
  role text generated always as ((canonical::jsonb) ->> 'role') stored references role (name),
  environment text generated always as ((canonical::jsonb) ->> 'environment') stored,
  surface text generated always as ((canonical::jsonb) ->> 'surface') stored,
  tenant text generated always as ((canonical::jsonb) ->> 'tenant') stored,
  account text generated always as ((canonical::jsonb) ->> 'account') stored,
  policy text generated always as ((canonical::jsonb) ->> 'policy') stored,
  constraint power_change_digest_is_of_its_bytes check (digest = encode(sha256(convert_to(canonical, 'UTF8')), 'hex')),
  constraint power_change_id_is_in_its_bytes check (id is not distinct from ((canonical::jsonb) ->> 'id')::uuid),
  constraint power_change_says_what check (
    case kind
      when 'grant' then num_nulls(person, role, environment) = 0
      when 'revoke' then person is not null
      when 'link' then num_nulls(person, surface, tenant, account) = 0
      when 'unlink' then num_nulls(surface, tenant, account) = 0
      else policy is not null
    end
  ),
  constraint policy_is_asked_by_the_host check ((kind = 'policy') = (asked_by = 'host')),
  constraint power_change_end_has_a_time check ((state = 'pending') = (decided_at is null)),
  unique (id, digest)
);

-- Another admin's word for exactly these bytes.
create table power_confirmation (
  change_id uuid not null,
  digest text not null,
  principal_id text not null,
  link_id bigint not null references identity_link,
  last_grant bigint not null default 0,
  at timestamptz not null default clk(),
  constraint power_confirmation_counts_people primary key (change_id, principal_id),
  constraint power_confirmation_is_of_these_bytes foreign key (change_id, digest) references power_change (id, digest)
);
create trigger power_confirmation_stays before update or delete on power_confirmation for each row execute function keep_history();

-- The text of every policy that was ever offered, by what it hashes to; and which of them held since when.
create table policy_version (
  digest text primary key,
  text text not null constraint policy_fits_in_256_kib check (octet_length(text) <= 262144),
  at timestamptz not null default clk(),
  constraint policy_digest_is_of_its_text check (digest = encode(sha256(convert_to(text, 'UTF8')), 'hex'))
);
create trigger policy_version_stays before update or delete on policy_version for each row execute function keep_history();
create table policy_activation (
  id bigint generated always as identity primary key,
  digest text not null references policy_version,
  -- Null: by the host's file alone, while there were no two admins to ask.
  change_id uuid constraint policy_is_activated_once_for_a_change unique references power_change,
  at timestamptz not null default clk()
);
create trigger policy_activation_stays before update or delete on policy_activation for each row execute function keep_history();

-- What a row of people stands on: the configuration or the first enrolment, both the host's word, or a change by two admins.
alter table role_grant add column change_id uuid constraint role_is_granted_once_for_a_change unique references power_change,
  add column revoked_by text,
  add constraint role_grant_has_a_ground check ((change_id is null) = (granted_by in ('configuration', 'host'))),
  add constraint role_grant_is_revoked_by_somebody check ((revoked_at is null) = (revoked_by is null));
alter table identity_link add column change_id uuid constraint account_is_linked_once_for_a_change unique references power_change,
  add column revoked_by text,
  add constraint identity_link_has_a_ground check ((change_id is null) = (linked_by in ('configuration', 'host'))),
  add constraint identity_link_is_revoked_by_somebody check ((revoked_at is null) = (revoked_by is null));

-- An admin whose word stands: still with the account it was given by, and with the role as it was then.
create function admin_stands(who text, link bigint, newest bigint, env text) returns boolean language plpgsql stable as $$
begin
  return may(who, 'admin', env)
    and exists (select 1 from identity_link l where l.id = link and l.principal_id = who and l.revoked_at is null)
    and exists (
      select 1 from role_grant g
      where g.principal_id = who and g.role = 'admin' and g.id <= newest and g.revoked_at is null and g.valid_until > clk()
        and (g.environment = '*' or g.environment = env)
    );
end $$;
-- Admins who stand behind a change now: who asked, and who confirmed. The host asks, and confirms nothing.
create function admins_behind(c power_change) returns int language plpgsql stable as $$
begin
  return (
    select count(distinct word.who) from (
      select c.asked_by as who, c.link_id as link, c.last_grant as newest
      union all select k.principal_id, k.link_id, k.last_grant from power_confirmation k where k.change_id = c.id
    ) word
    where admin_stands(word.who, word.link, word.newest, coalesce(c.environment, '*'))
  );
end $$;
create function newest_grant(who text) returns bigint language plpgsql stable as $$
begin
  return coalesce((select max(g.id) from role_grant g where g.principal_id = who), 0);
end $$;
create function there_is_an_admin() returns boolean language plpgsql stable as $$
begin
  return exists (select 1 from principal x where may_anywhere(x.id, 'admin'));
end $$;

create function power_change_guard() returns trigger language plpgsql as $$
declare
  env text := coalesce((new.canonical::jsonb) ->> 'environment', '*');
  who text := (new.canonical::jsonb) ->> 'person';
  what text := (new.canonical::jsonb) ->> 'kind';
begin
  perform take_turn();
  new.asked_at := clk();
  new.state := 'pending';
  new.decided_at := null;
  new.decided_by := null;
  new.last_grant := newest_grant(new.asked_by);
  -- A night and a day for people; for a file that changed, until somebody is back from a week away.
  new.expires_at := new.asked_at + case when new.asked_by = 'host' then interval '168 hours' else interval '24 hours' end;
  if new.asked_by <> 'host' then
    if not exists (select 1 from identity_link l where l.id = new.link_id and l.principal_id = new.asked_by and l.revoked_at is null)
    then perform refuse('not-linked'); end if;
    if not may(new.asked_by, 'admin', env) then perform refuse('not-authorised', 'This takes an admin.'); end if;
  end if;
  if what in ('grant', 'revoke') and not exists (select 1 from principal x where x.id = who and x.kind = 'human')
  then perform refuse('invalid-parameters', 'There is no such person.'); end if;
  return new;
end $$;
create trigger power_change_guard before insert on power_change for each row execute function power_change_guard();
create trigger power_change_stays before delete on power_change for each row execute function keep_history();

-- A change ends once, and is done only when two admins stand behind it, or when it takes.
create function power_change_end_guard() returns trigger language plpgsql as $$
begin
  -- What is read from the bytes is not there yet before a write: those columns are taken from the old row.
  if (new.id, new.canonical, new.digest, new.asked_by, new.link_id, new.last_grant, new.asked_at, new.expires_at)
    is distinct from (old.id, old.canonical, old.digest, old.asked_by, old.link_id, old.last_grant, old.asked_at, old.expires_at)
  then raise exception using errcode = 'SH002', message = 'a change of who may is only decided'; end if;
  if old.state <> 'pending' then perform refuse('change-over'); end if;
  new.decided_at := clk();
  if new.state = 'done' and old.kind in ('grant', 'link', 'policy') then
    if new.decided_at >= old.expires_at then perform refuse('change-over', 'Its time was over.'); end if;
    if admins_behind(old) < 2 then perform refuse('quorum-missing'); end if;
  elsif new.state = 'expired' then
    if new.decided_at < old.expires_at then perform refuse('too-late', 'It is not expired yet.'); end if;
    new.decided_by := null;
  elsif new.decided_by <> 'host' and not may(new.decided_by, 'admin', coalesce(old.environment, '*')) then
    perform refuse('not-authorised', 'This takes an admin.');
  end if;
  return new;
end $$;
create trigger power_change_turn before update on power_change for each statement execute function take_turn_for_statement();
create trigger power_change_end_guard before update on power_change for each row execute function power_change_end_guard();

create function power_confirmation_guard() returns trigger language plpgsql as $$
declare
  c power_change;
begin
  perform take_turn();
  new.at := clk();
  new.last_grant := newest_grant(new.principal_id);
  select * into c from power_change where id = new.change_id;
  if not found then perform refuse('unknown-change'); end if;
  if new.digest <> c.digest then perform refuse('stale-digest'); end if;
  if not exists (select 1 from identity_link l where l.id = new.link_id and l.principal_id = new.principal_id and l.revoked_at is null)
  then perform refuse('not-linked'); end if;
  if not may(new.principal_id, 'admin', coalesce(c.environment, '*')) then perform refuse('not-authorised', 'This takes an admin.'); end if;
  if c.asked_by = new.principal_id then perform refuse('same-person'); end if;
  if c.state <> 'pending' or c.expires_at <= new.at then perform refuse('change-over'); end if;
  return new;
end $$;
create trigger power_confirmation_guard before insert on power_confirmation for each row execute function power_confirmation_guard();

create function power_confirmation_decides() returns trigger language plpgsql as $$
declare
  c power_change;
begin
  select * into c from power_change where id = new.change_id;
  if admins_behind(c) >= 2 then update power_change set state = 'done', decided_by = new.principal_id where id = c.id; end if;
  return null;
end $$;
create trigger power_confirmation_decides after insert on power_confirmation for each row execute function power_confirmation_decides();

-- What is decided is done in the same transaction; what takes waits for nobody.
create function power_takes_effect() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' then
    if new.kind in ('revoke', 'unlink') then update power_change set state = 'done', decided_by = new.asked_by where id = new.id; end if;
    return null;
  end if;
  if new.state <> 'done' then return null; end if;
  if new.kind = 'grant' then
    insert into role_grant (principal_id, role, environment, granted_by, change_id) values (new.person, new.role, new.environment, new.asked_by, new.id);
  elsif new.kind = 'link' then
    insert into principal (id, kind, name) values (new.person, 'human', coalesce(new.name, new.person)) on conflict (id) do nothing;
    insert into identity_link (surface, tenant, external_id, principal_id, linked_by, change_id)
    values (new.surface, new.tenant, new.account, new.person, new.asked_by, new.id);
  elsif new.kind = 'policy' then
    insert into policy_activation (digest, change_id) values (new.policy, new.id);
  else
    if new.kind = 'revoke' then
      update role_grant set revoked_at = clk(), revoked_by = new.asked_by
      where principal_id = new.person and role = coalesce(new.role, role) and environment = coalesce(new.environment, environment) and revoked_at is null;
    else
      update identity_link set revoked_at = clk(), revoked_by = new.asked_by
      where surface = new.surface and tenant = new.tenant and external_id = new.account and revoked_at is null;
    end if;
    if not found then perform refuse('nothing-to-change'); end if;
  end if;
  return null;
end $$;
create trigger power_takes_effect after insert or update on power_change for each row execute function power_takes_effect();

create function role_grant_guard() returns trigger language plpgsql as $$
begin
  if new.change_id is not null then
    if not exists (
      select 1 from power_change c where c.id = new.change_id and c.state = 'done' and c.kind = 'grant' and c.asked_by = new.granted_by
        and (c.person, c.role, c.environment) = (new.principal_id, new.role, new.environment)
    ) then perform refuse('quorum-missing', 'Two admins give a role.'); end if;
  elsif new.granted_by = 'host' and (new.role <> 'admin' or there_is_an_admin()) then perform refuse('admin-exists');
  -- What an admin took away is given back by two of them, not by the next start.
  elsif new.granted_by = 'configuration' and (
    select g.change_taken from (
      select g.revoked_by not in ('configuration', 'host') as change_taken from role_grant g
      where g.principal_id = new.principal_id and g.role = new.role and g.environment = new.environment order by g.id desc limit 1
    ) g
  ) then perform refuse('quorum-missing', 'An admin took this role away.');
  end if;
  return new;
end $$;
create trigger role_grant_guard before insert on role_grant for each row execute function role_grant_guard();

create function identity_link_guard() returns trigger language plpgsql as $$
begin
  if new.change_id is not null then
    if not exists (
      select 1 from power_change c where c.id = new.change_id and c.state = 'done' and c.kind = 'link' and c.asked_by = new.linked_by
        and (c.person, c.surface, c.tenant, c.account) = (new.principal_id, new.surface, new.tenant, new.external_id)
    ) then perform refuse('quorum-missing', 'Two admins link an account.'); end if;
  elsif new.linked_by = 'host' and there_is_an_admin() then perform refuse('admin-exists');
  elsif new.linked_by = 'configuration' and (
    select l.change_taken from (
      select l.revoked_by not in ('configuration', 'host') as change_taken from identity_link l
      where l.surface = new.surface and l.tenant = new.tenant and l.external_id = new.external_id and l.principal_id = new.principal_id
      order by l.id desc limit 1
    ) l
  ) then perform refuse('quorum-missing', 'An admin took this account away.');
  end if;
  return new;
end $$;
create trigger identity_link_guard before insert on identity_link for each row execute function identity_link_guard();

-- Who takes is named: the host unless somebody says so, and a person only when that person asked for it.
create function taken_by_somebody() returns trigger language plpgsql as $$
declare
  taken jsonb := to_jsonb(new);
begin
  if new.revoked_at is not null then new.revoked_by := coalesce(new.revoked_by, 'host'); end if;
  if new.revoked_by not in ('host', 'configuration') and not exists (
    select 1 from power_change c where c.asked_by = new.revoked_by and (
      (c.kind = 'revoke' and c.person = taken ->> 'principal_id' and coalesce(c.role, taken ->> 'role') = taken ->> 'role'
        and coalesce(c.environment, taken ->> 'environment') = taken ->> 'environment')
      or (c.kind = 'unlink' and (c.surface, c.tenant, c.account) = (taken ->> 'surface', taken ->> 'tenant', taken ->> 'external_id'))
    )
  ) then perform refuse('not-authorised', 'Nobody of this name asked for it.'); end if;
  return new;
end $$;
create trigger role_grant_taken before update on role_grant for each row execute function taken_by_somebody();
create trigger identity_link_taken before update on identity_link for each row execute function taken_by_somebody();

create function policy_activation_guard() returns trigger language plpgsql as $$
begin
  perform take_turn();
  new.at := clk();
  if new.change_id is not null then
    if not exists (select 1 from power_change c where c.id = new.change_id and c.state = 'done' and c.kind = 'policy' and c.policy = new.digest)
    then perform refuse('quorum-missing', 'Two admins confirm a policy.'); end if;
  elsif exists (select 1 from policy_activation) and (select count(*) from principal x where may(x.id, 'admin', '*')) >= 2
  then perform refuse('quorum-missing', 'There are two admins, and they confirm a policy.'); end if;
  return new;
end $$;
create trigger policy_activation_guard before insert on policy_activation for each row execute function policy_activation_guard();
`
