import type { SqlFault } from './errors.ts'
import type { Parameter } from './values.ts'

/** What the worker is given at its start. */
export interface PgliteWorkerData {
  /** The folder of an existing database, or null for one in memory. */
  directory: string | null
  /** For a database in memory: a tar of a data directory to start from, instead of creating an empty one. */
  template: Uint8Array | null
}

export type PgliteRequest =
  | { id: number; kind: 'statement'; sql: string; parameters: Parameter[] }
  | { id: number; kind: 'dump' }
  | { id: number; kind: 'close' }

/** The result of the one statement that was sent; of several statements in one text, nothing but that they ran. */
export interface StatementResult {
  rows: unknown[]
  /** 'INSERT', 'COMMIT' … as the database names what it did. */
  command: string | null
  /** Rows inserted, updated, deleted or merged; null for other commands. */
  affected: number | null
}

export type PgliteReply =
  | { id: number; kind: 'result'; result: StatementResult }
  | { id: number; kind: 'dump'; bytes: Uint8Array }
  | { id: number; kind: 'closed' }
  | { id: number; kind: 'refused'; fault: SqlFault }
  /** Not a refusal by the database but the end of it; answers no request. */
  | { id: 0; kind: 'broken'; message: string }
  | { id: 0; kind: 'ready' }
  /** Not an answer: a notification on a channel that the session listens on. */
  | { id: 0; kind: 'notified'; channel: string }
