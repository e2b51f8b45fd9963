/** What a database says about a statement it refused; the same fields on PGlite and PostgreSQL. */
export interface SqlFault {
  /** SQLSTATE, five characters: '23505' is a unique violation. */
  code: string
  message: string
  constraint: string | null
  table: string | null
  detail: string | null
  hint: string | null
}

/** A statement that PGlite refused, with the fields that pg's DatabaseError has. */
export class StatementRefused extends Error {
  override readonly name = 'StatementRefused'
  readonly code: string
  readonly constraint: string | undefined
  readonly table: string | undefined
  readonly detail: string | undefined
  readonly hint: string | undefined
  constructor(fault: SqlFault) {
    super(fault.message)
    this.code = fault.code
    this.constraint = fault.constraint ?? undefined
    this.table = fault.table ?? undefined
    this.detail = fault.detail ?? undefined
    this.hint = fault.hint ?? undefined
  }
}

/** The database cannot be reached, or was lost while open; nothing more can be read or written through this handle. */
export class DatabaseUnavailable extends Error {
  override readonly name = 'DatabaseUnavailable'
  readonly code = 'database-unavailable'
}

/** No connection came free in time. On PGlite the usual cause is `db` used inside a transaction where `tx` belongs. */
export class DatabaseBusy extends Error {
  override readonly name = 'DatabaseBusy'
  readonly code = 'database-busy'
}

/** The data directory cannot be used; the message says why and what to do. */
export class DataDirectoryUnusable extends Error {
  override readonly name = 'DataDirectoryUnusable'
  readonly code: string
  constructor(
    code: 'in-use' | 'network-file-system' | 'not-writable' | 'disk-full' | 'not-created',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
    this.code = code
  }
}

/** A migration did not run; the database is as it was before it. */
export class MigrationFailed extends Error {
  override readonly name = 'MigrationFailed'
  readonly code = 'migration-failed'
  /** The migration that failed, or null when the list itself does not fit the database. */
  readonly migration: string | null
  constructor(migration: string | null, message: string, options?: ErrorOptions) {
    super(message, options)
    this.migration = migration
  }
}

/** The database's own words about a failed statement, or null when the error is of another kind. */
export function sqlFaultOf(error: unknown): SqlFault | null {
  if (!(error instanceof Error) || !('code' in error)) return null
  if (typeof error.code !== 'string' || !/^[0-9A-Z]{5}$/.test(error.code)) return null
  const field = (name: string): string | null => {
    const value: unknown = Reflect.get(error, name)
    return typeof value === 'string' ? value : null
  }
  return {
    code: error.code,
    message: error.message,
    constraint: field('constraint'),
    table: field('table'),
    detail: field('detail'),
    hint: field('hint'),
  }
}

/** SQLSTATEs of a server that goes, comes or is full, and what Node says of a connection that cannot be made or broke. */
const AWAY_CODES =
  /^(08...|57P0[1-5]|53[1-3]00|25006|ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)$/
/** pg gives these no code. */
const AWAY_WORDS = /^(Connection terminated|timeout exceeded when trying to connect|Query read timeout)/

/** Whether a fault means that the database is away, or has no room, for the moment: the same may succeed later. */
export function isDatabaseAway(error: unknown): boolean {
  if (error instanceof DatabaseUnavailable || error instanceof DatabaseBusy) return true
  if (!(error instanceof Error)) return false
  if (AWAY_WORDS.test(error.message)) return true
  return 'code' in error && typeof error.code === 'string' && AWAY_CODES.test(error.code)
}

/** True for a unique violation, of the named constraint if one is named. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  const fault = sqlFaultOf(error)
  return fault?.code === '23505' && (constraint === undefined || fault.constraint === constraint)
}
