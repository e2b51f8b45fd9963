/**
 * What every rule of the kernel stands on: how it refuses, and how its writes take turns. Functions that read are PL/pgSQL, because that keeps
 * their plans from one call to the next: as SQL functions they made a click four times as long.
 */
export const GROUND = `
-- A refusal for people: the code is one of agent/domain/refusal.ts, SQLSTATE SH001 tells it from a fault.
create function refuse(code text, words text default '') returns void language plpgsql as $$
begin
  raise exception using errcode = 'SH001', message = code, detail = words;
end $$;

-- Kernel writes take turns: each guard takes this row first, so what it reads next cannot change before its transaction ends.
create table kernel_turn (id int primary key constraint kernel_turn_is_one_row check (id = 1));
insert into kernel_turn values (1);
create function take_turn() returns void language plpgsql security definer as $$
begin
  -- A snapshot older than the turn would not see what was decided, or stopped, while it waited.
  if current_setting('transaction_isolation') not in ('read committed', 'read uncommitted')
  then raise exception using errcode = 'SH003', message = 'the kernel is written at read committed only'; end if;
  perform 1 from kernel_turn where id = 1 for update;
  if not found then raise exception using errcode = 'SH003', message = 'the row by which kernel writes take turns is gone'; end if;
end $$;
-- Updates lock their row before a row trigger runs, so the turn is taken by the statement.
create function take_turn_for_statement() returns trigger language plpgsql as $$
begin
  perform take_turn();
  return null;
end $$;

-- The host is whoever the tables belong to; a process with rights of its own cannot write in its name.
create function is_host() returns boolean language plpgsql stable as $$
begin
  return pg_has_role(session_user, (select relowner from pg_class where oid = 'kernel_turn'::regclass), 'member');
end $$;

-- Invariant 9: history is append-only.
create function keep_history() returns trigger language plpgsql as $$
begin
  raise exception using errcode = 'SH002', message = format('%s is append-only', tg_table_name);
end $$;
-- What the rules themselves are made of changes by migration only.
create function keep_rules() returns trigger language plpgsql as $$
begin
  raise exception using errcode = 'SH002', message = format('%s is part of the rules', tg_table_name);
end $$;
create trigger kernel_turn_stays before insert or update or delete on kernel_turn for each statement execute function keep_rules();
`
