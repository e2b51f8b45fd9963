import { Kysely, type LogEvent, sql } from 'kysely'
import { openDatabase } from '../../../storage/database.ts'
import { sqlFaultOf } from '../../../storage/errors.ts'
import { migrateToLatest } from '../../../storage/migrate.ts'
import { createPgliteDialect } from '../../../storage/pglite-dialect.ts'
import { openPgliteSession } from '../../../storage/pglite-session.ts'
import { createPostgresDialect, createPostgresPool, POSTGRES_LIMITS } from '../../../storage/postgres-pool.ts'
import type { Database } from '../../../storage/schema.ts'
import { createDatabase, startPostgres15 } from '../../support/peers.ts'
import { describe } from './scenarios.ts'

type Db = Kysely<Database>

/** The one database of all suites, and what it said while the last test ran. */
const shared: { db: Db | null; said: Set<string>; mutation: readonly string[]; open: OpenOne; kind: 'pglite' | 'postgres' } = {
  db: null,
  said: new Set(),
  mutation: [],
  open: async () => Promise.reject(new Error('no database is open yet')),
  kind: 'pglite',
}

interface One {
  db: Db
  url: string | null
  close(): Promise<void>
}
type OpenOne = () => Promise<One>

export interface SharedDatabase {
  /** The kernel as it is. */
  db: Db
  where: string
  said: Set<string>
  /**
   * Does something while all suites use a new database of which a part was taken away, and those that tests open for themselves are without it, too. It
   * is thrown away afterwards: what is put back is not what it was, because PostgreSQL checks the oldest constraint first.
   */
  without<T>(statements: readonly string[], work: () => Promise<T>): Promise<T>
  close(): Promise<void>
}

/** Makes a migrated database, and opens the one that all suites share: on PostgreSQL where there is one, which is several times faster, else in memory. */
export async function openShared(prepare: (db: Db) => Promise<void>): Promise<SharedDatabase> {
  const server = await startPostgres15()
  const { open, stop } = 'missing' in server ? await inMemory() : await onServer(server.url, server.stop)
  Object.assign(shared, { open, kind: 'missing' in server ? 'pglite' : 'postgres' })
  const prepared = async (): Promise<One> => {
    const one = await open()
    await prepare(one.db)
    return one
  }
  const whole = await prepared()
  shared.db = whole.db
  return {
    db: whole.db,
    where: 'missing' in server ? `PGlite (without ${server.missing})` : 'PostgreSQL 15',
    said: shared.said,
    async without(statements, work) {
      const one = await prepared()
      for (const statement of statements) await sql.raw(statement).execute(one.db)
      Object.assign(shared, { db: one.db, mutation: statements })
      try {
        return await work()
      } finally {
        Object.assign(shared, { db: whole.db, mutation: [] })
        await one.close()
      }
    },
    async close() {
      await whole.close()
      await stop()
    },
  }
}

async function inMemory(): Promise<{ open: OpenOne; stop(): Promise<void> }> {
  const database = await openDatabase({ dataDir: ':memory:', now: () => new Date() })
  await migrateToLatest(database.db)
  const template = await database.dump()
  await database.close()
  const open: OpenOne = async () => {
    const session = await openPgliteSession({ directory: null, template, waitMs: 15_000, onLost: () => {}, onNotified: () => {} })
    const db = new Kysely<Database>({ dialect: createPgliteDialect(session), log: listen })
    const close = async (): Promise<void> => {
      await db.destroy()
      await session.close()
    }
    return { db, url: null, close }
  }
  return { open, stop: async () => {} }
}

async function onServer(server: string, stop: () => Promise<void>): Promise<{ open: OpenOne; stop(): Promise<void> }> {
  const template = await createDatabase(server)
  const database = await openDatabase({ dataDir: ':memory:', databaseUrl: template.url, now: () => new Date() })
  await migrateToLatest(database.db)
  await database.close()
  const open: OpenOne = async () => {
    const { url, drop } = await createDatabase(server, template.url)
    const pool = createPostgresPool(url, POSTGRES_LIMITS, () => {})
    const db = new Kysely<Database>({ dialect: createPostgresDialect(pool, POSTGRES_LIMITS), log: listen })
    const close = async (): Promise<void> => {
      await db.destroy()
      await drop()
    }
    return { db, url, close }
  }
  return { open, stop }
}

function listen({ level, ...event }: LogEvent): void {
  const fault = level === 'error' && 'error' in event ? sqlFaultOf(event.error) : null
  if (fault) for (const words of [fault.constraint, fault.message, fault.detail]) if (words) shared.said.add(words)
}

function opened(): { db: Db; kind: 'pglite' | 'postgres' } {
  if (!shared.db) throw new Error('the database is open only while scenarios run')
  return { db: shared.db, kind: shared.kind }
}

const store = {
  get kind() {
    return shared.kind
  },
  perTest: () => opened,
  perSuite: () => opened,
  async open() {
    const one = await shared.open()
    for (const statement of shared.mutation) await sql.raw(statement).execute(one.db)
    return { ...one, kind: shared.kind, created: false }
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
