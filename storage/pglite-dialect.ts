import {
  AbortedTransactionError,
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryCompiler,
  type QueryResult,
  type TransactionSettings,
} from 'kysely'
import type { PgliteSession } from './pglite-session.ts'
import { toParameter } from './values.ts'

/** PGlite in its thread behind kysely. There is one session: a transaction holds it, everything else waits in line, or ahead of it. */
export function createPgliteDialect(session: PgliteSession, { ahead = false } = {}): Dialect {
  return {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new PgliteDriver(session, ahead),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  }
}

class PgliteConnection implements DatabaseConnection {
  readonly #session: PgliteSession
  readonly release: () => void
  constructor(session: PgliteSession, release: () => void) {
    this.#session = session
    this.release = release
  }

  /** A statement without parameters may hold several, as in pg; only then no rows come back. */
  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const { rows, affected } = await this.#session.run(query.sql, query.parameters.map(toParameter))
    const result = { rows: rows as R[] }
    return affected === null ? result : { ...result, numAffectedRows: BigInt(affected) }
  }

  /** @returns the command that the database carried out: COMMIT of a failed transaction is a ROLLBACK. */
  async command(sql: string): Promise<string | null> {
    return (await this.#session.run(sql, [])).command
  }

  // biome-ignore lint/correctness/useYield: the interface asks for it; PGlite has no cursors
  async *streamQuery(): AsyncIterableIterator<never> {
    throw new Error('Rows cannot be streamed from PGlite; read them in pages.')
  }
}

class PgliteDriver implements Driver {
  readonly #session: PgliteSession
  readonly #ahead: boolean
  constructor(session: PgliteSession, ahead: boolean) {
    this.#session = session
    this.#ahead = ahead
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<PgliteConnection> {
    return new PgliteConnection(this.#session, await this.#session.take(this.#ahead))
  }

  async beginTransaction(connection: PgliteConnection, { isolationLevel, accessMode }: TransactionSettings): Promise<void> {
    const isolation = isolationLevel ? ` isolation level ${isolationLevel}` : ''
    await connection.command(`start transaction${isolation}${accessMode ? ` ${accessMode}` : ''}`)
  }

  async commitTransaction(connection: PgliteConnection): Promise<void> {
    if ((await connection.command('commit')) === 'ROLLBACK') throw new AbortedTransactionError()
  }

  async rollbackTransaction(connection: PgliteConnection): Promise<void> {
    await connection.command('rollback')
  }

  async savepoint(connection: PgliteConnection, name: string, _compile: QueryCompiler['compileQuery']): Promise<void> {
    await connection.command(`savepoint ${quote(name)}`)
  }

  async rollbackToSavepoint(connection: PgliteConnection, name: string): Promise<void> {
    await connection.command(`rollback to ${quote(name)}`)
  }

  async releaseSavepoint(connection: PgliteConnection, name: string): Promise<void> {
    await connection.command(`release ${quote(name)}`)
  }

  async releaseConnection(connection: PgliteConnection): Promise<void> {
    connection.release()
  }

  async destroy(): Promise<void> {
    await this.#session.close()
  }
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
