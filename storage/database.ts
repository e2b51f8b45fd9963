import { Kysely, sql } from 'kysely'
import { type DataDirectory, holdDataDirectory } from './data-directory.ts'
import type { DatabaseUnavailable } from './errors.ts'
import { createPgliteDialect } from './pglite-dialect.ts'
import { ensurePgliteFolder } from './pglite-folder.ts'
import { openPgliteSession, type PgliteSession } from './pglite-session.ts'
import { startUpkeep } from './pglite-upkeep.ts'
import { createPostgresListener } from './postgres-listener.ts'
import { checkPostgres, createPostgresDialect, createPostgresPool, POSTGRES_LIMITS, type PostgresLimits } from './postgres-pool.ts'
import type { Database } from './schema.ts'

export interface OpenDatabase {
  db: Kysely<Database>
  /** The same for what a person waits for at this moment: where there is one session, ahead of everything else that waits for it. Keep it short. */
  urgent: Kysely<Database>
  kind: 'pglite' | 'postgres'
  /** True when the database was created by this start. */
  created: boolean
  /**
   * Calls back after each commit that notified the channel. A wake-up, not a message: it may be missed, so poll as well. Resolves with the function
   * that ends it.
   */
  listen(channel: string, callback: () => void): Promise<() => void>
  /** PGlite only: a tar of the data directory, to open others from in memory. */
  dump(): Promise<Uint8Array>
  /** Waits for statements under way, closes the database and gives the data directory back. */
  close(): Promise<void>
}

/** What this module says while it works; a pino logger fits. */
export interface DatabaseLog {
  info(detail: object, message: string): void
  error(detail: object, message: string): void
}

export interface DatabaseOptions {
  /** The folder for PGlite and its lock, or ':memory:' for a database that is gone when closed. */
  dataDir: string
  /** postgres:// address; when given, PostgreSQL is used and `dataDir` is left alone. */
  databaseUrl?: string | undefined
  now: () => Date
  log?: DatabaseLog
  /** In memory only: the tar to start from. */
  template?: Uint8Array
  /** Milliseconds to wait for a connection; 15 s unless given. */
  waitMs?: number
  limits?: Partial<PostgresLimits>
  /** PGlite only: a directory that the caller holds, with the folder to open; it stays held when the database is closed. */
  held?: Pick<DataDirectory, 'path' | 'database'>
  /** Called once when the database is lost while open; the process should end then, and be started again. */
  onLost?: (error: DatabaseUnavailable) => void
}

const WAIT_MS = 15_000
const SILENT: DatabaseLog = { info: () => {}, error: () => {} }

/**
 * Opens the one database of the process: PGlite in a thread, or PostgreSQL. Both give the same values for the same statements. It is not migrated yet.
 *
 * @throws DataDirectoryUnusable, DatabaseUnavailable, each with what to do.
 */
export async function openDatabase(options: DatabaseOptions): Promise<OpenDatabase> {
  return options.databaseUrl ? await openPostgres(options.databaseUrl, options) : await openPglite(options)
}

async function openPostgres(databaseUrl: string, { log = SILENT, limits, waitMs }: DatabaseOptions): Promise<OpenDatabase> {
  const all = { ...POSTGRES_LIMITS, ...(waitMs ? { connectMs: waitMs } : {}), ...limits }
  const onError = (error: Error): void => log.error({ error: error.message }, 'a database connection broke')
  const pool = createPostgresPool(databaseUrl, all, onError)
  try {
    await checkPostgres(pool, databaseUrl)
  } catch (error) {
    await pool.end()
    throw error
  }
  const callbacks = createCallbacks()
  const listener = createPostgresListener({ databaseUrl, onNotified: callbacks.call, onError })
  const db = new Kysely<Database>({ dialect: createPostgresDialect(pool, all) })
  return {
    db,
    urgent: db,
    kind: 'postgres',
    created: false,
    listen: (channel, callback) => callbacks.add(channel, callback, listener.listen),
    dump: async () => Promise.reject(new Error('a PostgreSQL database is dumped with pg_dump')),
    async close() {
      await listener.close()
      await db.destroy()
    },
  }
}

async function openPglite(options: DatabaseOptions): Promise<OpenDatabase> {
  const { log = SILENT, template = null, waitMs = WAIT_MS, onLost } = options
  const directory = directoryOf(options)
  const callbacks = createCallbacks()
  const lost = (error: DatabaseUnavailable): void => {
    log.error({ error: error.message }, 'the database was lost')
    onLost?.(error)
  }
  try {
    const created = directory !== null && (await ensurePgliteFolder(directory.database))
    if (created) log.info({ directory: directory.path }, 'a new database was created')
    const folder = directory?.database ?? null
    const session = await openPgliteSession({ directory: folder, template, waitMs, onLost: lost, onNotified: callbacks.call })
    return toPglite({ session, directory, created, callbacks, log })
  } catch (error) {
    directory?.release()
    throw error
  }
}

function directoryOf({ dataDir, held, now }: DatabaseOptions): DataDirectory | null {
  if (held) return { ...held, release: () => {} }
  return dataDir === ':memory:' ? null : holdDataDirectory(dataDir, { now })
}

interface PgliteParts {
  session: PgliteSession
  directory: DataDirectory | null
  created: boolean
  callbacks: Callbacks
  log: DatabaseLog
}

function toPglite({ session, directory, created, callbacks, log }: PgliteParts): OpenDatabase {
  const db = new Kysely<Database>({ dialect: createPgliteDialect(session) })
  const stopUpkeep = startUpkeep(db, (error) => log.error({ error: String(error) }, 'the upkeep of the database failed'))
  const subscribe = async (channel: string): Promise<void> => void (await sql`listen ${sql.id(channel)}`.execute(db))
  return {
    db,
    urgent: new Kysely<Database>({ dialect: createPgliteDialect(session, { ahead: true }) }),
    kind: 'pglite',
    created,
    listen: (channel, callback) => callbacks.add(channel, callback, subscribe),
    dump: session.dump,
    async close() {
      stopUpkeep()
      try {
        await db.destroy()
        await session.close()
      } finally {
        directory?.release()
      }
    },
  }
}

interface Callbacks {
  /** `subscribe` is called for the first callback of a channel; the subscription stays until the database is closed. */
  add(channel: string, callback: () => void, subscribe: (channel: string) => Promise<void>): Promise<() => void>
  call(channel: string): void
}

function createCallbacks(): Callbacks {
  const byChannel = new Map<string, Set<() => void>>()
  return {
    async add(channel, callback, subscribe) {
      const callbacks = byChannel.get(channel) ?? new Set()
      callbacks.add(callback)
      if (!byChannel.has(channel)) {
        byChannel.set(channel, callbacks)
        await subscribe(channel)
      }
      return () => void callbacks.delete(callback)
    },
    call(channel) {
      for (const callback of byChannel.get(channel) ?? []) callback()
    },
  }
}
