import { type Kysely, sql, type Transaction } from 'kysely'
import type { SealedPlan } from '../../agent/domain/plan.ts'
import { Refusal } from '../../agent/domain/refusal.ts'
import { sqlFaultOf } from '../../storage/errors.ts'
import type { Database } from '../../storage/schema.ts'

type Db = Kysely<Database>

/**
 * How a write ended, in words that tell guards from constraints: 'done', 'refused CODE' (with the guard's own words, if it has any),
 * 'kept WORDS' for history and rules that do not change, 'broken WORDS' for a step out of turn, 'constraint NAME', or 'null COLUMN'.
 */
export async function outcomeOf(write: Promise<unknown>): Promise<string> {
  try {
    await write
    return 'done'
  } catch (error) {
    if (error instanceof Refusal) return `refused ${error.code}`
    return wordsOf(error)
  }
}

function wordsOf(error: unknown): string {
  const fault = sqlFaultOf(error)
  if (!fault) throw error
  if (fault.code === 'SH001') return `refused ${fault.message}${fault.detail ? `: ${fault.detail}` : ''}`
  if (fault.code === 'SH002') return `kept ${fault.message}`
  if (fault.code === 'SH003') return `broken ${fault.message}`
  if (fault.constraint) return `constraint ${fault.constraint}`
  if (fault.code === '23502') return `null ${/column "([^"]+)"/.exec(fault.message)?.[1]}`
  return `fault ${fault.code} ${fault.message}`
}

class Undone extends Error {}

/** Runs statements in a transaction that is taken back, and says how they ended. */
export async function rehearse(db: Db, work: (tx: Transaction<Database>) => Promise<unknown>): Promise<string> {
  let outcome = 'done'
  const rehearsal = db.transaction().execute(async (tx) => {
    outcome = await outcomeOf(work(tx))
    throw new Undone()
  })
  await rehearsal.catch((error: unknown) => {
    if (!(error instanceof Undone)) throw error
  })
  return outcome
}

/** The same with the tables' own guards off: what is left are constraints and foreign keys. */
export async function rehearseUnguarded(
  db: Db,
  tables: readonly string[],
  work: (tx: Transaction<Database>) => Promise<unknown>,
): Promise<string> {
  return await rehearse(db, async (tx) => {
    for (const table of tables) await sql`alter table ${sql.id(table)} disable trigger user`.execute(tx)
    await work(tx)
  })
}

/** Writes for good what no guard, foreign key or audit trigger sees: what a person with the disk could do. Checks and unique indexes hold. */
export async function behind(db: Db, work: (tx: Transaction<Database>) => Promise<unknown>): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await sql`set local session_replication_role = replica`.execute(tx)
    await work(tx)
  })
}

/** Takes one named trigger away for good; for databases of a test's own. */
export async function disable(db: Db, table: string, trigger: string): Promise<void> {
  await sql`alter table ${sql.id(table)} disable trigger ${sql.id(trigger)}`.execute(db)
}

/** Inserts a plan as it is, whatever its bytes say; `columns` replace what the table is told. */
export async function insertPlan(
  db: Db,
  { plan, canonical, digest }: SealedPlan,
  columns: Partial<{ id: string; digest: string; expires_at: Date; created_at: Date }> = {},
): Promise<void> {
  const row = { id: plan.id, digest, expires_at: new Date(plan.expiresAt), created_at: new Date(plan.createdAt), ...columns }
  await sql`insert into plan (id, canonical, digest, expires_at, created_at)
    values (${row.id}, ${canonical}, ${row.digest}, ${row.expires_at}, ${row.created_at})`.execute(db)
}

/** Rows of a table, for counting. */
export async function countOf(db: Db, table: keyof Database): Promise<number> {
  const { rows } = await sql<{ n: number }>`select count(*) as n from ${sql.id(table)}`.execute(db)
  return rows[0]?.n ?? 0
}
