import { CompiledQuery, type Dialect, PostgresDialect } from 'kysely'
import pg from 'pg'
import { DatabaseUnavailable } from './errors.ts'
import { VALUE_PARSERS } from './values.ts'

/** Limits of the pool; milliseconds. */
export interface PostgresLimits {
  connections: number
  /** To open a connection, or to wait for a free one. */
  connectMs: number
  statementMs: number
  /** A transaction left idle this long is ended by the server, so that a hung caller cannot hold its locks. */
  idleInTransactionMs: number
}

export const POSTGRES_LIMITS: PostgresLimits = { connections: 10, connectMs: 5_000, statementMs: 30_000, idleInTransactionMs: 60_000 }

const OLDEST_VERSION = 150_000
const STALLED_AFTER_MS = 5_000

/** Opens a pool. A connection that breaks, idle or between two statements of a transaction, is reported to `onError` and replaced by the pool. */
export function createPostgresPool(databaseUrl: string, limits: PostgresLimits, onError: (error: Error) => void): pg.Pool {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    application_name: 'steadyhand',
    max: limits.connections,
    connectionTimeoutMillis: limits.connectMs,
    // A server that is stalled does not end its statements itself.
    query_timeout: limits.statementMs + STALLED_AFTER_MS,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    types: { getTypeParser },
  })
  // The pool listens to idle connections only, and an error that nobody listens to ends the process.
  pool.on('connect', (client) => client.on('error', onError))
  pool.on('error', () => {})
  return pool
}

export function createPostgresDialect(pool: pg.Pool, limits: PostgresLimits): Dialect {
  const session = `set timezone to 'UTC'; set statement_timeout to ${limits.statementMs}; set idle_in_transaction_session_timeout to ${limits.idleInTransactionMs}`
  return new PostgresDialect({
    pool,
    onCreateConnection: async (connection) => void (await connection.executeQuery(CompiledQuery.raw(session))),
  })
}

/**
 * Says in words why a server cannot be used, before anything else tries.
 *
 * @throws DatabaseUnavailable when it does not answer, refuses the login or is older than PostgreSQL 15.
 */
export async function checkPostgres(pool: pg.Pool, databaseUrl: string): Promise<void> {
  const place = describePlace(databaseUrl)
  const version = await readVersion(pool).catch((error: Error) => {
    const words = error.message || 'no answer'
    throw new DatabaseUnavailable(`PostgreSQL at ${place} cannot be used: ${words}. Check DATABASE_URL and that the server runs.`, {
      cause: error,
    })
  })
  if (version >= OLDEST_VERSION) return
  throw new DatabaseUnavailable(`PostgreSQL at ${place} has version ${Math.floor(version / 10_000)}; version 15 or newer is needed.`)
}

async function readVersion(pool: pg.Pool): Promise<number> {
  const { rows } = await pool.query<{ version: string }>("select current_setting('server_version_num') as version")
  return Number(rows[0]?.version)
}

/** Host, port and database of a URL, without user or password. */
function describePlace(databaseUrl: string): string {
  if (!URL.canParse(databaseUrl)) return 'the given address'
  const { hostname, port, pathname } = new URL(databaseUrl)
  return `${hostname || 'localhost'}:${port || '5432'}${pathname}`
}

/** text[] */
const TEXT_ARRAY: number = 1009

/** Array types whose elements are read by VALUE_PARSERS: the element's type by the array's. */
const ARRAY_ELEMENTS: Readonly<Record<number, number>> = { 1016: 20, 1182: 1082, 1115: 1114, 1185: 1184, 1231: 1700, 3807: 3802 }

function getTypeParser(oid: number, format?: 'text' | 'binary'): (text: string) => unknown {
  const element = ARRAY_ELEMENTS[oid]
  if (element !== undefined) return readArrayOf(VALUE_PARSERS[element])
  return VALUE_PARSERS[oid] ?? pg.types.getTypeParser(oid, format === 'binary' ? 'text' : format)
}

function readArrayOf(parse: ((text: string) => unknown) | undefined): (text: string) => unknown[] {
  const readTexts: (text: string) => (string | null)[] = pg.types.getTypeParser(TEXT_ARRAY, 'text')
  return (text) => readTexts(text).map((entry) => (entry === null || !parse ? entry : parse(entry)))
}
