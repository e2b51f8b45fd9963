import { type Kysely, sql } from 'kysely'
import type { Database } from './schema.ts'

/*
 * PGlite has none of the server's background processes. Without a checkpoint the log grows for ever, and with it the time to recover; without a
 * vacuum queues grow slow, because finished rows stay in their indexes; tables that only grow would never be analysed, and the more they hold the
 * worse their queries are planned.
 */

const EVERY_MS = 60_000
const CHECKPOINT_BYTES = 16 * 1024 * 1024

/** Does both once a minute where they are due, until the returned function is called. */
export function startUpkeep(db: Kysely<Database>, onError: (error: unknown) => void): () => void {
  const timer = setInterval(() => void keepUp(db).catch(onError), EVERY_MS)
  timer.unref()
  return () => clearInterval(timer)
}

/**
 * One round: a checkpoint after 16 MB of log, a vacuum of each table where 500 rows and a tenth of it are dead, an analysis of each other where as
 * many are new. Returns what was done.
 */
export async function keepUp(db: Kysely<Database>): Promise<{ checkpoint: boolean; vacuumed: string[]; analysed: string[] }> {
  // Counts of rows are otherwise written at most once a second, and then only when there is something to do.
  await sql`select pg_stat_force_next_flush()`.execute(db)
  const { rows: tables } = await sql<{ name: string; dead: boolean }>`
    select relname as name, n_dead_tup >= 500 and n_dead_tup >= n_live_tup / 10 as dead from pg_stat_user_tables
    where schemaname = 'public' and greatest(n_dead_tup, n_mod_since_analyze) >= 500
      and greatest(n_dead_tup, n_mod_since_analyze) >= n_live_tup / 10 order by relname`.execute(db)
  for (const { name, dead } of tables) await (dead ? sql`vacuum (analyze) ${sql.table(name)}` : sql`analyze ${sql.table(name)}`).execute(db)
  const { rows: log } = await sql<{ due: boolean }>`
    select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), redo_lsn) >= ${sql.lit(CHECKPOINT_BYTES)} as due from pg_control_checkpoint()`.execute(
    db,
  )
  const checkpoint = log[0]?.due === true
  if (checkpoint) await sql`checkpoint`.execute(db)
  const named = (dead: boolean): string[] => tables.filter((table) => table.dead === dead).map(({ name }) => name)
  return { checkpoint, vacuumed: named(true), analysed: named(false) }
}
