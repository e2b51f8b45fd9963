import { Kysely, sql } from 'kysely'
import { openDatabase } from '../../../storage/database.ts'
import { sqlFaultOf } from '../../../storage/errors.ts'
import { migrateToLatest } from '../../../storage/migrate.ts'
import { createPgliteDialect } from '../../../storage/pglite-dialect.ts'
import { openPgliteSession } from '../../../storage/pglite-session.ts'
import type { Database } from '../../../storage/schema.ts'
import { describe } from './scenarios.ts'

type Db = Kysely<Database>

/** The one database of all suites, and what it said while the last test ran. */
const shared: { db: Db | null; said: Set<string>; mutation: readonly string[]; template: Uint8Array | null; close: () => Promise<void> } = {
  db: null,
  said: new Set(),
  mutation: [],
  template: null,
  close: async () => {},
}

/** Makes a migrated database, and opens the one that all suites share. */
export async function openShared(): Promise<{ db: Db; said: Set<string>; close(): Promise<void> }> {
  if (!shared.template) {
    const database = await openDatabase({ dataDir: ':memory:', now: () => new Date() })
    await migrateToLatest(database.db)
    shared.template = await database.dump()
    await database.close()
  }
  const { db, close } = await openOne(shared.template)
  Object.assign(shared, { db, close })
  return { db, said: shared.said, close }
}

/** Databases that tests open for themselves are without the same part. */
export function mutateNewDatabases(statements: readonly string[]): void {
  shared.mutation = statements
}

async function openOne(template: Uint8Array): Promise<{ db: Db; close(): Promise<void> }> {
  const session = await openPgliteSession({ directory: null, template, waitMs: 15_000, onLost: () => {}, onNotified: () => {} })
  const db = new Kysely<Database>({
    dialect: createPgliteDialect(session),
    log({ level, ...event }) {
      const fault = level === 'error' && 'error' in event ? sqlFaultOf(event.error) : null
      if (fault) for (const words of [fault.constraint, fault.message, fault.detail]) if (words) shared.said.add(words)
    },
  })
  return {
    db,
    async close() {
      await db.destroy()
      await session.close()
    },
  }
}

function opened(): { db: Db; kind: 'pglite' } {
  if (!shared.db) throw new Error('the database is open only while scenarios run')
  return { db: shared.db, kind: 'pglite' }
}

const store = {
  kind: 'pglite',
  perTest: () => opened,
  perSuite: () => opened,
  async open() {
    const { db, close } = await openOne(shared.template ?? new Uint8Array())
    for (const statement of shared.mutation) await sql.raw(statement).execute(db)
    return { db, close, url: null, kind: 'pglite', created: false }
  },
}

/** In place of the functions of the same names in test/support/database.ts. */
export function describeDatabases(title: string, body: (one: typeof store) => void): void {
  describe(title, () => body(store))
}
/** Nothing runs on a server here. */
export function describePostgres(): void {}

// biome-ignore lint/performance/noBarrelFile: the module stands in for test/support/database.ts
export { moveClock, stopClock } from '../../support/database.ts'
