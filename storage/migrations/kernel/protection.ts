/** What holds for the kernel's tables and functions alike, also for those that a later part adds before this one runs. */
export const PROTECTION = `
do $$
declare
  t record;
  f record;
begin
  -- Invariant 9: no row trigger sees a truncate.
  for t in
    select c.relname from pg_class c
    where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r' and exists (
      select 1 from pg_trigger g where g.tgrelid = c.oid and g.tgfoid in ('keep_history'::regproc, 'keep_rules'::regproc, 'only_revoke'::regproc, 'execution_follows_its_events'::regproc)
    )
  loop
    execute format('create trigger never_emptied before truncate on %I for each statement execute function keep_history()', t.relname);
  end loop;
  -- A temporary table of the same name would otherwise be read in place of the real one: nobody's roles, no stop, another turn. And a trigger
  -- writes what its caller may not: an entry of the log, a notice, the authorisation that a vote completes.
  for f in
    select p.oid::regprocedure as name from pg_proc p
    where p.pronamespace = current_schema()::regnamespace and (p.prorettype = 'trigger'::regtype or p.prosecdef)
  loop
    execute format('alter function %s security definer set search_path to %I, pg_temp', f.name, current_schema());
  end loop;
end $$;
`
