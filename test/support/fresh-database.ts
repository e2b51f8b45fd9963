import { type Kysely, sql } from 'kysely'
import type { Database } from '../../storage/schema.ts'

/** Remembers what a freshly migrated database holds, for `makeFresh`. */
export async function rememberFresh(db: Kysely<Database>): Promise<void> {
  await sql.raw(REMEMBER).execute(db)
}

/**
 * Empties every table, puts back the rows that the migrations wrote, and sets sequences and clock back. Triggers and foreign keys are off
 * meanwhile: history that refuses to be deleted is deleted here, and only here.
 */
export async function makeFresh(db: Kysely<Database>): Promise<void> {
  await sql.raw(RESTORE).execute(db)
}

const TABLES = "select c.oid, c.relname from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')"

const REMEMBER = /* sql */ `
drop schema if exists fresh cascade;
create schema fresh;
create table fresh.row_set (name text, columns text);
create table fresh.sequence_state as
  select schemaname, sequencename, last_value, start_value from pg_sequences where schemaname = 'public';
create table fresh.clock as select pg_get_functiondef('public.clk'::regproc) as definition;
do $$
declare
  t record;
  columns text;
  filled boolean;
begin
  for t in ${TABLES} loop
    execute format('select exists (select from public.%I)', t.relname) into filled;
    continue when not filled;
    select string_agg(quote_ident(attname), ', ' order by attnum) into columns
    from pg_attribute where attrelid = t.oid and attnum > 0 and not attisdropped and attgenerated = '';
    execute format('create table fresh.%I as select %s from public.%I', 'rows_' || t.relname, columns, t.relname);
    insert into fresh.row_set values (t.relname, columns);
  end loop;
end $$;
`

const RESTORE = /* sql */ `
do $$
declare
  t record;
  filled boolean;
begin
  perform set_config('session_replication_role', 'replica', true);
  for t in ${TABLES} loop
    execute format('select exists (select from public.%I)', t.relname) into filled;
    if filled then execute format('delete from public.%I', t.relname); end if;
  end loop;
  for t in select name, columns from fresh.row_set loop
    execute format('insert into public.%I (%s) overriding system value select %s from fresh.%I', t.name, t.columns, t.columns, 'rows_' || t.name);
  end loop;
  for t in select * from fresh.sequence_state loop
    perform setval(format('%I.%I', t.schemaname, t.sequencename), coalesce(t.last_value, t.start_value), t.last_value is not null);
  end loop;
  for t in select definition from fresh.clock loop execute t.definition; end loop;
end $$;
`
