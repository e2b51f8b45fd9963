/** The hash chain and the notices: written by the database with the rows they speak of, so that no caller can forget them. */
export const AUDIT = `
create table audit_entry (
  seq bigint primary key,
  prev text not null,
  hash text not null,
  at timestamptz not null,
  actor text not null,
  what text not null,
  -- Digests and keys, so that retention can drop content and leave the chain whole.
  body jsonb not null
);
create trigger audit_entry_stays before update or delete on audit_entry for each row execute function keep_history();
-- The entries of one row, for the proof: where in the log it was written and changed.
create index audit_entry_of_row on audit_entry (what, (body ->> 'key'), seq);

-- SHA-256 of a row as it is; columns added later are null in older rows and change nothing.
create function row_digest(content jsonb) returns text language plpgsql immutable as $$
begin
  return encode(sha256(convert_to((select jsonb_object_agg(key, value) from jsonb_each(content) where value <> 'null')::text, 'UTF8')), 'hex');
end $$;
-- Lengths stand before free text, so that no byte can move from one field to the next. Times in UTC, whatever the session's time zone.
create function audit_hash(prev text, seq bigint, at timestamptz, actor text, what text, body jsonb) returns text language plpgsql immutable as $$
begin
  return encode(sha256(convert_to(
    prev || '|' || seq || '|' || to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US')
      || '|' || length(actor) || '|' || actor || '|' || length(what) || '|' || what || '|' || body::text, 'UTF8')), 'hex');
end $$;

-- An entry follows from the one before it, whoever writes it; and only a row that was written makes one.
create function audit_entry_guard() returns trigger language plpgsql as $$
declare
  last audit_entry;
begin
  if pg_trigger_depth() < 2 then raise exception using errcode = 'SH002', message = 'the audit log is written with the rows it speaks of'; end if;
  perform take_turn();
  select * into last from audit_entry order by seq desc limit 1;
  new.seq := coalesce(last.seq, 0) + 1;
  new.prev := coalesce(last.hash, repeat('0', 64));
  new.at := clk();
  new.hash := audit_hash(new.prev, new.seq, new.at, new.actor, new.what, new.body);
  return new;
end $$;
create trigger audit_entry_guard before insert on audit_entry for each row execute function audit_entry_guard();

-- Arguments: the columns that identify the row, 'by:COLUMN' for who did it, 'note:COLUMN' for a fact to keep in the chain itself.
create function audit_row() returns trigger language plpgsql set timezone to 'UTC' as $$
declare
  content jsonb := to_jsonb(new);
  key jsonb := '{}';
  facts jsonb := '{}';
  actor text := 'steadyhand';
  argument text;
begin
  foreach argument in array tg_argv loop
    if argument like 'by:%' then actor := coalesce(content ->> substr(argument, 4), actor);
    elsif argument like 'note:%' then facts := facts || jsonb_build_object(substr(argument, 6), content -> substr(argument, 6));
    else key := key || jsonb_build_object(argument, content -> argument);
    end if;
  end loop;
  insert into audit_entry (actor, what, body) values (
    actor, tg_table_name || '-' || case tg_op when 'INSERT' then 'written' else 'changed' end,
    jsonb_build_object('table', tg_table_name, 'key', key, 'facts', facts, 'row', row_digest(content)));
  return null;
end $$;
create trigger audit after insert or update on principal for each row execute function audit_row('id', 'note:active');
create trigger audit after insert or update on identity_link for each row execute function audit_row('id', 'by:linked_by', 'by:revoked_by');
create trigger audit after insert or update on role_grant for each row execute function audit_row('id', 'by:granted_by', 'by:revoked_by');
create trigger audit after insert or update on power_change for each row execute function audit_row('id', 'note:state', 'by:asked_by', 'by:decided_by');
create trigger audit after insert on power_confirmation for each row execute function audit_row('change_id', 'principal_id', 'by:principal_id');
create trigger audit after insert on policy_version for each row execute function audit_row('digest');
create trigger audit after insert on policy_activation for each row execute function audit_row('id', 'note:digest');
create trigger audit after insert on action_definition for each row execute function audit_row('kind', 'version');
create trigger audit after insert on plan for each row execute function audit_row('id', 'by:requester');
create trigger audit after insert or update on request for each row execute function audit_row('id', 'by:decided_by');
create trigger audit after insert on presentation for each row execute function audit_row('request_id', 'surface', 'tenant', 'place');
create trigger audit after insert on vote for each row execute function audit_row('request_id', 'principal_id', 'decision', 'by:principal_id');
create trigger audit after insert on authorisation for each row execute function audit_row('id');
create trigger audit after insert on execution_event for each row execute function audit_row('execution_id', 'seq', 'note:to_state');
create trigger audit after insert on undo_waived for each row execute function audit_row('execution_id', 'by:principal_id');
create trigger audit after insert or update on kill_switch for each row execute function audit_row('scope', 'note:engaged', 'by:by_whom');
create trigger audit after insert on start_vote for each row execute function audit_row('scope', 'generation', 'principal_id', 'lapsed', 'by:principal_id');
create trigger audit after insert or update on freeze_window for each row execute function audit_row('id', 'by:by_whom', 'by:ended_by');
create trigger audit after insert on graduation_report for each row execute function audit_row('id');
create trigger audit after insert or update on standing_grant for each row execute function audit_row('id', 'by:first_grantor');

-- Invariant 8: the notice is written with the transition. 'notice' is told to people, 'approval-changed' redraws cards.
-- A row that stands there under this name was not written by the transition: it would keep the real notice from being sent, so it becomes it.
create function tell(unique_name text, topic text, incident text, body jsonb, priority int) returns void language plpgsql as $$
begin
  insert into outbox (dedupe, topic, incident_id, body, priority) values (unique_name, topic, incident, body, priority)
  on conflict (dedupe) do update set topic = excluded.topic, incident_id = excluded.incident_id, body = excluded.body, priority = excluded.priority,
    not_before = excluded.not_before, attempts = 0, claimed_until = null, done_at = null, dead_at = null, last_error = null;
end $$;

create function request_tells() returns trigger language plpgsql as $$
declare
  about jsonb := jsonb_build_object('incidentId', new.incident_id, 'requestId', new.id);
begin
  if tg_op = 'UPDATE' and new.state = old.state then return null; end if;
  perform tell('approval:' || new.id || ':' || new.state, 'approval-changed', new.incident_id, about, 1);
  if new.state <> 'superseded' then
    perform tell('notice:request:' || new.id || ':' || new.state, 'notice', new.incident_id, about || jsonb_build_object('code', 'request-' || new.state), 2);
  end if;
  return null;
end $$;
create trigger tells after insert or update on request for each row execute function request_tells();

create function vote_tells() returns trigger language plpgsql as $$
begin
  perform tell('approval:' || new.request_id || ':vote:' || new.principal_id || ':' || new.decision, 'approval-changed',
    (select incident_id from request where id = new.request_id),
    jsonb_build_object('incidentId', (select incident_id from request where id = new.request_id), 'requestId', new.request_id), 1);
  return null;
end $$;
create trigger tells after insert on vote for each row execute function vote_tells();

create function execution_tells() returns trigger language plpgsql as $$
declare
  p plan;
  about jsonb;
begin
  select q.* into p from plan q join execution x on x.plan_id = q.id where x.id = new.execution_id;
  about := jsonb_build_object('incidentId', p.incident_id, 'requestId', (select id from request where plan_id = coalesce(p.undo_of, p.id)), 'executionId', new.execution_id);
  perform tell('approval:execution:' || new.execution_id || ':' || new.seq, 'approval-changed', p.incident_id, about, 1);
  if new.to_state = 'unknown' or (select terminal from execution_state where name = new.to_state) then
    perform tell('notice:execution:' || new.execution_id || ':' || new.to_state, 'notice', p.incident_id,
      about || jsonb_build_object('code', (case when p.undo_of is null then 'execution-' else 'undo-' end) || new.to_state), 2);
  end if;
  return null;
end $$;
create trigger tells after insert on execution_event for each row execute function execution_tells();

create function undo_waived_tells() returns trigger language plpgsql as $$
declare
  p plan;
  about jsonb;
begin
  select q.* into p from plan q join execution x on x.plan_id = q.id where x.id = new.execution_id;
  about := jsonb_build_object('incidentId', p.incident_id, 'requestId', (select id from request where plan_id = p.id), 'executionId', new.execution_id);
  perform tell('approval:undo-waived:' || new.execution_id, 'approval-changed', p.incident_id, about, 1);
  perform tell('notice:undo-waived:' || new.execution_id, 'notice', p.incident_id, about || jsonb_build_object('code', 'undo-' || new.how), 2);
  return null;
end $$;
create trigger tells after insert on undo_waived for each row execute function undo_waived_tells();

create function control_tells() returns trigger language plpgsql as $$
declare
  content jsonb := to_jsonb(new);
begin
  -- A switch that was off and is off is no news. A freeze is not engaged, and always news.
  if (content ->> 'engaged') = coalesce(to_jsonb(old) ->> 'engaged', 'false') then return null; end if;
  perform tell('notice:' || tg_table_name || ':' || coalesce(content ->> 'id', content ->> 'scope') || ':' || extract(epoch from clk()), 'notice', null,
    jsonb_build_object('incidentId', null, 'requestId', null, 'code',
      case when tg_table_name = 'kill_switch' then case when (content ->> 'engaged')::boolean then 'stopped' else 'started' end
        when content ->> 'ended_at' is null then 'frozen' else 'unfrozen' end,
      'scope', content ->> 'scope', 'by', coalesce(content ->> 'ended_by', content ->> 'by_whom')), 2);
  return null;
end $$;
create trigger tells after insert or update on kill_switch for each row execute function control_tells();
create trigger tells after insert or update on freeze_window for each row execute function control_tells();

create function power_tells() returns trigger language plpgsql as $$
begin
  -- What takes is asked and done at once: one notice says so.
  if new.state = 'pending' and new.kind in ('revoke', 'unlink') then return null; end if;
  perform tell('notice:power:' || new.id || ':' || new.state, 'notice', null, jsonb_build_object('incidentId', null, 'requestId', null,
    'code', 'power-' || new.state, 'by', case when new.state = 'done' then new.asked_by else coalesce(new.decided_by, new.asked_by) end,
    'second', case when new.state = 'done' then new.decided_by end, 'change', new.canonical::jsonb, 'digest', new.digest), 2);
  return null;
end $$;
create trigger tells after insert or update on power_change for each row execute function power_tells();

-- What the configuration, or the host, changed about people. Silent is only the first configuration there ever was: it changes nothing.
create function people_tells() returns trigger language plpgsql as $$
declare
  row jsonb := to_jsonb(new);
  ended boolean := new.revoked_at is not null;
  author text := case when ended then new.revoked_by else coalesce(row ->> 'granted_by', row ->> 'linked_by') end;
begin
  if author not in ('configuration', 'host') then return null; end if;
  if not exists (select 1 from audit_entry e where e.what = 'principal-written' and e.xmin <> pg_current_xact_id()::xid) then return null; end if;
  perform tell('notice:' || tg_table_name || ':' || new.id || case when ended then ':revoked' else ':written' end, 'notice', null,
    jsonb_build_object('incidentId', null, 'requestId', null, 'code', 'people-changed', 'by', author, 'change', jsonb_build_object(
      'kind', case when tg_table_name = 'role_grant' then case when ended then 'revoke' else 'grant' end when ended then 'unlink' else 'link' end,
      'person', new.principal_id, 'role', row ->> 'role', 'environment', row ->> 'environment',
      'surface', row ->> 'surface', 'tenant', row ->> 'tenant', 'account', row ->> 'external_id')), 2);
  return null;
end $$;
create trigger tells after insert or update on role_grant for each row execute function people_tells();
create trigger tells after insert or update on identity_link for each row execute function people_tells();

create function policy_tells() returns trigger language plpgsql as $$
begin
  if new.change_id is not null or not exists (select 1 from policy_activation a where a.id < new.id) then return null; end if;
  perform tell('notice:policy:' || new.id, 'notice', null, jsonb_build_object('incidentId', null, 'requestId', null,
    'code', 'policy-changed', 'by', 'host', 'digest', new.digest), 2);
  return null;
end $$;
create trigger tells after insert on policy_activation for each row execute function policy_tells();
insert into kill_switch (scope, engaged, by_whom) values ('*', false, 'host');
`
