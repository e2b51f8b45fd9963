/** Who may decide: principals, their accounts, their roles. */
export const PEOPLE = `
create table principal (
  id text primary key constraint principal_id_is_plain check (id ~ '^[a-z0-9][a-z0-9._-]{0,63}$'),
  -- Names that mean something else where a person could stand: the command line on the host may start again alone.
  constraint principal_id_is_not_reserved check (id not in ('host', 'configuration', 'steadyhand')),
  kind text not null constraint principal_is_person_or_service check (kind in ('human', 'service')),
  name text not null constraint principal_name_is_short check (length(name) between 1 and 100),
  active boolean not null default true,
  created_at timestamptz not null default clk()
);

-- An account is tied to a person deliberately, never by e-mail address or name; a revoked link stays as history.
create table identity_link (
  id bigint generated always as identity primary key,
  surface text not null constraint identity_link_surface check (surface in ('slack', 'teams', 'console')),
  tenant text not null,
  external_id text not null,
  principal_id text not null references principal,
  linked_by text not null,
  linked_at timestamptz not null default clk(),
  revoked_at timestamptz,
  unique (id, surface, tenant, external_id, principal_id)
);
-- Invariant 3: quorum counts people, so one account is one person at a time.
create unique index identity_link_is_one_person on identity_link (surface, tenant, external_id) where revoked_at is null;

create table role (name text primary key, rank int not null unique);
insert into role values ('viewer', 1), ('responder', 2), ('approver', 3), ('admin', 4);
create trigger role_stays before insert or update or delete on role for each statement execute function keep_rules();

create table role_grant (
  id bigint generated always as identity primary key,
  principal_id text not null references principal,
  role text not null references role,
  -- '*' is every environment.
  environment text not null,
  granted_by text not null,
  granted_at timestamptz not null default clk(),
  valid_until timestamptz not null default 'infinity',
  revoked_at timestamptz
);
create unique index role_grant_once on role_grant (principal_id, role, environment) where revoked_at is null;

-- Deny by default: an empty table, an inactive person, a service or another environment is a no.
create function may(who text, wanted text, env text) returns boolean language plpgsql stable as $$
begin
  return exists (
    select 1
    from role_grant g
    join principal p on p.id = g.principal_id
    join role held on held.name = g.role
    join role needed on needed.name = wanted
    where g.principal_id = who and p.active and p.kind = 'human'
      and held.rank >= needed.rank
      and (g.environment = '*' or g.environment = env)
      and g.revoked_at is null and g.valid_until > clk()
  );
end $$;
-- The same in any environment: for what concerns all of them, such as stopping.
create function may_anywhere(who text, wanted text) returns boolean language sql stable as $$
  select exists (select 1 from role_grant g where g.principal_id = who and may(who, wanted, g.environment))
$$;

-- Rows of people are never deleted, and a bot never becomes a person.
create trigger principal_stays before delete on principal for each row execute function keep_history();
create function principal_guard() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' then new.created_at := clk();
  elsif (new.id, new.kind, new.created_at) is distinct from (old.id, old.kind, old.created_at)
  then raise exception using errcode = 'SH002', message = 'a principal may only change its name and be deactivated'; end if;
  return new;
end $$;
create trigger principal_guard before insert or update on principal for each row execute function principal_guard();

-- Links and grants are only ever revoked; their times are the database's, so that none can be dated back.
create function only_revoke() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' then raise exception using errcode = 'SH002', message = format('%s is revoked, never deleted', tg_table_name); end if;
  if old.revoked_at is not null or to_jsonb(new) - 'revoked_at' - 'revoked_by' is distinct from to_jsonb(old) - 'revoked_at' - 'revoked_by' then
    raise exception using errcode = 'SH002', message = format('%s may only be revoked', tg_table_name);
  end if;
  if new.revoked_at is not null then new.revoked_at := clk(); end if;
  return new;
end $$;
create function identity_link_begins() returns trigger language plpgsql as $$
begin
  new.linked_at := clk();
  new.revoked_at := null;
  new.revoked_by := null;
  return new;
end $$;
create function role_grant_begins() returns trigger language plpgsql as $$
begin
  new.granted_at := clk();
  new.revoked_at := null;
  new.revoked_by := null;
  return new;
end $$;
create trigger identity_link_begins before insert on identity_link for each row execute function identity_link_begins();
create trigger role_grant_begins before insert on role_grant for each row execute function role_grant_begins();
create trigger identity_link_only_revoked before update or delete on identity_link for each row execute function only_revoke();
create trigger role_grant_only_revoked before update or delete on role_grant for each row execute function only_revoke();
create trigger principal_turn before insert or update on principal for each statement execute function take_turn_for_statement();
create trigger identity_link_turn before insert or update on identity_link for each statement execute function take_turn_for_statement();
create trigger role_grant_turn before insert or update on role_grant for each statement execute function take_turn_for_statement();
`
