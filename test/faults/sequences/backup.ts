const TABLES = "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'"
const COLUMNS =
  "select string_agg(quote_ident(attname), ', ' order by attnum) into columns from pg_attribute where attrelid = format('public.%I', t.relname)::regclass and attnum > 0 and not attisdropped and attgenerated = ''"

/** Makes room for a backup beside the real tables; once for a database, because making tables is what takes long. */
export const PREPARE_BACKUP = /* sql */ `
drop schema if exists backup cascade;
create schema backup;
do $$
declare
  t record;
begin
  for t in ${TABLES} loop execute format('create unlogged table backup.%I (like public.%I)', t.relname, t.relname); end loop;
end $$;
`

/** Copies every table beside the real ones: a backup of the database, taken now. */
export const TAKE_BACKUP = /* sql */ `
do $$
declare
  t record;
begin
  for t in ${TABLES} loop
    execute format('delete from backup.%I', t.relname);
    execute format('insert into backup.%I select * from public.%I', t.relname, t.relname);
  end loop;
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
    ${COLUMNS};
    execute format('delete from public.%I', t.relname);
    execute format('insert into public.%I (%s) overriding system value select %s from backup.%I', t.relname, columns, columns, t.relname);
  end loop;
end $$;
`
