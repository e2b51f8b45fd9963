const TABLES = "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'"
const columnsOf = (table: string): string =>
  `select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute where attrelid = format('public.%I', ${table})::regclass and attnum > 0 and not attisdropped and attgenerated = ''`

/** Copies every table beside the real ones: a backup of the database, taken now. */
export const TAKE_BACKUP = /* sql */ `
drop schema if exists backup cascade;
create schema backup;
do $$
declare
  t record;
begin
  for t in ${TABLES} loop execute format('create table backup.%I as select * from public.%I', t.relname, t.relname); end loop;
end $$;
`

/** Every row as it was at the backup. Triggers and foreign keys are off meanwhile, as when a server's files are put back. */
export const RESTORE_BACKUP = /* sql */ `
do $$
declare
  t record;
  columns text;
begin
  perform set_config('session_replication_role', 'replica', true);
  for t in ${TABLES} loop
    ${columnsOf('t.relname').replace(' order by attnum)', ' order by attnum) into columns')};
    execute format('delete from public.%I', t.relname);
    execute format('insert into public.%I (%s) overriding system value select %s from backup.%I', t.relname, columns, columns, t.relname);
  end loop;
end $$;
`
