import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import type { PGlite, Results } from '@electric-sql/pglite'
import { sqlFaultOf } from './errors.ts'
import type { PgliteReply, PgliteRequest, PgliteWorkerData, StatementResult } from './pglite-messages.ts'
import { openPgliteFolder, openPgliteMemory } from './pglite-open.ts'

/*
 * The thread in which PGlite runs, so that a heavy statement never stalls the event loop of the process. It answers one request at a time, in order.
 */

const WRITES = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE'])

async function runStatement(database: PGlite, request: PgliteRequest & { kind: 'statement' }): Promise<StatementResult> {
  if (request.parameters.length > 0) return toResult(await database.query(request.sql, request.parameters))
  const results = await database.exec(request.sql)
  const [only] = results
  return results.length === 1 && only ? toResult(only) : { rows: [], command: null, affected: null }
}

function toResult(result: Results): StatementResult {
  const command = result.command ?? null
  return { rows: result.rows, command, affected: command && WRITES.has(command) ? (result.rowCount ?? 0) : null }
}

async function answer(database: PGlite, request: PgliteRequest): Promise<PgliteReply> {
  const { id } = request
  try {
    if (request.kind === 'statement') return { id, kind: 'result', result: await runStatement(database, request) }
    if (request.kind === 'dump') return { id, kind: 'dump', bytes: await (await database.dumpDataDir('none')).bytes() }
    await database.close()
    return { id, kind: 'closed' }
  } catch (error) {
    const fault = sqlFaultOf(error)
    if (fault) return { id, kind: 'refused', fault }
    // Without the database's own words its state is unknown: it recovers from its log at the next start.
    throw error
  }
}

async function serve(port: MessagePort, { directory, template }: PgliteWorkerData): Promise<void> {
  const send = (reply: PgliteReply): void => port.postMessage(reply)
  let panicked = false
  const onPanic = (message: string): void => {
    if (!panicked) send({ id: 0, kind: 'broken', message })
    panicked = true
  }
  const fail = (error: unknown): void => onPanic(error instanceof Error ? `${error.name}: ${error.message}` : String(error))
  const opening = directory === null ? openPgliteMemory(template, onPanic) : openPgliteFolder(directory, onPanic)
  const database = await opening.catch(fail)
  if (!database) return
  database.onNotification((channel) => send({ id: 0, kind: 'notified', channel }))
  let line: Promise<void> = Promise.resolve()
  port.on('message', (request: PgliteRequest) => {
    line = line.then(() => answer(database, request)).then(send, fail)
  })
  send({ id: 0, kind: 'ready' })
}

if (parentPort) await serve(parentPort, workerData)
