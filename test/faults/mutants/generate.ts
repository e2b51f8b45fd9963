import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Kysely, sql } from 'kysely'
import type { Database } from '../../../storage/schema.ts'
import { type Edit, withoutConditions, withoutStatements } from './conditions.ts'

type Db = Kysely<Database>

/** The kernel without one of its parts. */
export interface Mutant {
  /** Names it for good: what it is taken from, and what is left out. */
  name: string
  apply: readonly string[]
  /** Words that tests provoke which are likely to notice: constraints, refusal codes, messages. */
  signals: readonly string[]
}

const KERNEL = new URL('../../../storage/migrations/kernel/', import.meta.url).pathname

/** Every constraint, unique index, trigger, statement and condition of the kernel's migrations, left out one at a time. */
export async function generateMutants(db: Db): Promise<Mutant[]> {
  const source = readdirSync(KERNEL)
    .map((file) => readFileSync(join(KERNEL, file), 'utf8'))
    .join('\n')
  const named = (pattern: RegExp): string[] => [...source.matchAll(pattern)].map(([, name]) => name ?? '')
  const tables = named(/^create table (\w+)/gm)
  const functions = named(/^create function (\w+)/gm)
  const mutants = [
    ...(await withoutConstraints(db, tables)),
    ...(await withoutIndexes(db, tables)),
    ...(await withoutTriggers(db, tables)),
    ...(await inFunctions(db, functions)),
  ]
  return numbered(mutants)
}

/** The same words may stand in a function twice. */
function numbered(mutants: readonly Mutant[]): Mutant[] {
  const seen = new Map<string, number>()
  return mutants.map((mutant) => {
    const count = (seen.get(mutant.name) ?? 0) + 1
    seen.set(mutant.name, count)
    return count === 1 ? mutant : { ...mutant, name: `${mutant.name} (${count})` }
  })
}

interface Part {
  table: string
  name: string
}

/** A key that contains the primary key says nothing of its own: it is there for foreign keys to refer to, and cannot be broken. */
async function withoutConstraints(db: Db, tables: readonly string[]): Promise<Mutant[]> {
  const { rows } = await sql<Part>`
    select c.conrelid::regclass::text as table, c.conname as name from pg_constraint c
    where c.conrelid::regclass::text = any (${[...tables]}) and c.contype in ('c', 'u', 'p', 'f')
      and not exists (
        select 1 from pg_constraint k
        where c.contype = 'u' and k.conrelid = c.conrelid and k.contype in ('p', 'u') and k.oid <> c.oid and k.conkey <@ c.conkey
      )
    order by 1, 2`.execute(db)
  return rows.map(({ table, name }) => ({
    name: `${table}: without constraint ${name}`,
    apply: [`alter table ${table} drop constraint "${name}" cascade`],
    signals: [name],
  }))
}

async function withoutIndexes(db: Db, tables: readonly string[]): Promise<Mutant[]> {
  const { rows } = await sql<Part>`
    select i.indrelid::regclass::text as table, i.indexrelid::regclass::text as name from pg_index i
    where i.indrelid::regclass::text = any (${[...tables]}) and i.indisunique and not exists (select 1 from pg_constraint c where c.conindid = i.indexrelid)
    order by 1, 2`.execute(db)
  return rows.map(({ table, name }) => ({
    name: `${table}: without unique index ${name}`,
    apply: [`drop index ${name}`],
    signals: [name],
  }))
}

/** Words in the names of tests that are likely to notice what is missing from a part of this name. */
function noticedBy(name: string): string[] {
  const words = name.split('_').filter((word) => word.length > 4 && word !== 'guard')
  return [...(name.includes('tell') ? ['notices'] : []), ...(name.includes('audit') ? ['the log', 'chain', 'rows'] : []), ...words]
}

async function withoutTriggers(db: Db, tables: readonly string[]): Promise<Mutant[]> {
  const { rows } = await sql<Part & { source: string }>`
    select t.tgrelid::regclass::text as table, t.tgname as name, p.prosrc as source
    from pg_trigger t join pg_proc p on p.oid = t.tgfoid
    where t.tgrelid::regclass::text = any (${[...tables]}) and not t.tgisinternal order by 1, 2`.execute(db)
  return rows.map(({ table, name, source }) => ({
    name: `${table}: without trigger ${name}`,
    apply: [`drop trigger ${name} on ${table}`],
    signals: [name, ...signalsOf(source).map((signal) => signal.replace('%s', table)), ...noticedBy(name), table],
  }))
}

async function inFunctions(db: Db, functions: readonly string[]): Promise<Mutant[]> {
  const { rows } = await sql<{ name: string; source: string; definition: string }>`
    select proname as name, prosrc as source, pg_get_functiondef(oid) as definition from pg_proc
    where pronamespace = 'public'::regnamespace and proname = any (${[...functions]}) order by 1`.execute(db)
  return rows.flatMap(({ name, source, definition }) => {
    const edits = [...(definition.includes('LANGUAGE plpgsql') ? withoutStatements(source) : []), ...withoutConditions(source)]
    return edits.map((edit) => ({
      name: `${name}: without ${edit.left.replaceAll(/\s+/g, ' ')}`,
      apply: [definition.replace(source, () => edited(source, edit))],
      signals: [...signalsOf(statementAround(source, edit)), ...signalsOf(source), ...noticedBy(name)],
    }))
  })
}

function edited(source: string, { from, to, text }: Edit): string {
  return source.slice(0, from) + text + source.slice(to)
}

/** From the statement before to the refusal that follows: its words name the tests that matter most. */
function statementAround(source: string, { from, to }: Edit): string {
  const end = source.indexOf(';', to)
  return source.slice(source.lastIndexOf(';', from) + 1, end < 0 ? source.length : end)
}

/** Refusal codes, and the messages of what is raised. */
function signalsOf(source: string): string[] {
  const found = [...source.matchAll(/refuse\('([a-z-]+)'|return '([a-z-]+)'|message = (?:format\()?'([^']+)'/g)]
  return found.map(([, refused, returned, message]) => refused ?? returned ?? message ?? '')
}
