import { DatabaseUnavailable, StatementRefused } from './errors.ts'
import type { PgliteWorkerData, StatementResult } from './pglite-messages.ts'
import { type PgliteThreadEvents, startPgliteThread } from './pglite-thread.ts'
import type { Parameter } from './values.ts'
import { createWaitingLine } from './waiting-line.ts'

/** The one session of a PGlite database. Whoever takes it holds it; the rest wait in line. */
export interface PgliteSession {
  /** Resolves with the function that gives the session back; `ahead` of everybody who is not. @throws DatabaseBusy after `waitMs`. */
  take(ahead?: boolean): Promise<() => void>
  /** @throws StatementRefused with the database's words; DatabaseUnavailable when it stopped. */
  run(sql: string, parameters: Parameter[]): Promise<StatementResult>
  /** A tar of the whole data directory. */
  dump(): Promise<Uint8Array>
  /** Waits for whoever holds the session (at most `waitMs`), then closes the database. */
  close(): Promise<void>
}

export interface PgliteSessionOptions extends PgliteWorkerData, PgliteThreadEvents {
  /** Milliseconds to wait for the session before giving up. */
  waitMs: number
}

/** @throws DatabaseUnavailable when the database cannot be opened. */
export async function openPgliteSession({ waitMs, directory, template, ...events }: PgliteSessionOptions): Promise<PgliteSession> {
  const thread = startPgliteThread({ directory, template }, events)
  const line = createWaitingLine(waitMs)
  let closing: Promise<void> | undefined
  await thread.ready

  const close = async (): Promise<void> => {
    // A holder that never lets go must not keep the process from ending.
    const release = await line.take().catch(() => undefined)
    // An end that fails is a crash like any other: the log has what was committed.
    await thread.end().catch(() => undefined)
    // Whoever still waits is told that the database is gone.
    release?.()
  }

  return {
    take: line.take,
    async run(sql, parameters) {
      const reply = await thread.ask({ kind: 'statement', sql, parameters })
      if (reply.kind === 'result') return reply.result
      // Made here, so that its stack names whoever ran the statement.
      if (reply.kind === 'refused') throw new StatementRefused(reply.fault)
      throw new DatabaseUnavailable(`The database answered "${reply.kind}" to a statement.`)
    },
    async dump() {
      const reply = await thread.ask({ kind: 'dump' })
      if (reply.kind === 'dump') return reply.bytes
      throw new DatabaseUnavailable(`The database answered "${reply.kind}" to a dump.`)
    },
    async close() {
      closing ??= close()
      await closing
    },
  }
}
