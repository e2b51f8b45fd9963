import { type Kysely, sql } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
import { MigrationFailed } from './errors.ts'
import { migration0001 } from './migrations/0001-foundation.ts'
import { migration0002 } from './migrations/0002-incidents.ts'
import { migration0003 } from './migrations/0003-kernel.ts'
import { migration0004 } from './migrations/0004-surfaces.ts'
import { migration0005 } from './migrations/0005-drills.ts'
import { migration0006 } from './migrations/0006-handling.ts'
import { migration0007 } from './migrations/0007-restoration.ts'
import { migration0008 } from './migrations/0008-retention.ts'
import { migration0009 } from './migrations/0009-runbooks.ts'
import { migration0010 } from './migrations/0010-sign-in.ts'
import { migration0011 } from './migrations/0011-postings.ts'
import { migration0012 } from './migrations/0012-model-runs.ts'
import { migration0013 } from './migrations/0013-refused-attempts.ts'
import { migration0014 } from './migrations/0014-model-questions.ts'
import type { Database, Executor } from './schema.ts'

/** In the order in which they run. A migration that was released is never changed; a change is a new one. */
export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001-foundation': migration0001,
  '0002-incidents': migration0002,
  '0003-kernel': migration0003,
  '0004-surfaces': migration0004,
  '0005-drills': migration0005,
  '0006-handling': migration0006,
  '0007-restoration': migration0007,
  '0008-retention': migration0008,
  '0009-runbooks': migration0009,
  '0010-sign-in': migration0010,
  '0011-postings': migration0011,
  '0012-model-runs': migration0012,
  '0013-refused-attempts': migration0013,
  '0014-model-questions': migration0014,
}

/**
 * Brings the database to the newest schema, in one transaction; two starters at once wait for each other.
 *
 * @returns the names of the migrations that ran now.
 * @throws MigrationFailed with the database's words; the database is unchanged.
 */
export async function migrateToLatest(
  db: Kysely<Database>,
  migrations: Readonly<Record<string, Migration>> = MIGRATIONS,
): Promise<string[]> {
  const { error, results } = await db.connection().execute(async (connection) => {
    // A second starter waits here for as long as the first one migrates.
    const before = await sql<{ timeout: string }>`select current_setting('statement_timeout') as timeout`.execute(connection)
    await sql`set statement_timeout to 0`.execute(connection)
    const outcome = await new Migrator({ db: connection, provider: { getMigrations: async () => migrations } }).migrateToLatest()
    await sql`select set_config('statement_timeout', ${before.rows[0]?.timeout ?? '0'}, false)`.execute(connection)
    return outcome
  })
  if (error) throw toMigrationFailed(error, results?.find(({ status }) => status === 'Error')?.migrationName ?? null)
  return (results ?? []).map(({ migrationName }) => migrationName)
}

/**
 * The same inside a transaction of the caller, up to one migration or to the newest.
 *
 * @returns the names of the migrations that ran now.
 * @throws MigrationFailed
 */
export async function migrateInside(tx: Executor, upTo: string | null): Promise<string[]> {
  const { rows } = await sql<{ schema: string }>`select current_schema() as schema`.execute(tx)
  // Named, because a schema that was put aside has tables of the same names.
  const migrator = new Migrator({
    db: tx,
    provider: { getMigrations: async () => MIGRATIONS },
    migrationTableSchema: rows[0]?.schema ?? 'public',
  })
  const { error, results } = upTo === null ? await migrator.migrateToLatest() : await migrator.migrateTo(upTo)
  if (error) throw toMigrationFailed(error, results?.find(({ status }) => status === 'Error')?.migrationName ?? null)
  return (results ?? []).map(({ migrationName }) => migrationName)
}

/** The migrations that have not run yet, in order. */
export async function pendingMigrations(
  db: Kysely<Database>,
  migrations: Readonly<Record<string, Migration>> = MIGRATIONS,
): Promise<string[]> {
  const known = await new Migrator({ db, provider: { getMigrations: async () => migrations } }).getMigrations()
  return known.filter(({ executedAt }) => !executedAt).map(({ name }) => name)
}

function toMigrationFailed(error: unknown, migration: string | null): MigrationFailed {
  const words = error instanceof Error ? error.message : String(error)
  if (migration) return new MigrationFailed(migration, `Migration ${migration} failed and was taken back: ${words}`, { cause: error })
  return new MigrationFailed(null, `The database was not migrated: ${words}`, { cause: error })
}
