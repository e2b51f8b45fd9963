import { Worker } from 'node:worker_threads'
import { DatabaseUnavailable } from './errors.ts'
import type { PgliteReply, PgliteRequest, PgliteWorkerData } from './pglite-messages.ts'

type Unnumbered<Request> = Request extends unknown ? Omit<Request, 'id'> : never

/** The worker thread in which a PGlite database runs, as questions and answers. */
export interface PgliteThread {
  /** Resolves when the database is open. @throws DatabaseUnavailable when it cannot be opened. */
  ready: Promise<unknown>
  /** @throws DatabaseUnavailable when the database stopped. */
  ask(request: Unnumbered<PgliteRequest>): Promise<PgliteReply>
  /** Closes the database and ends the thread. */
  end(): Promise<void>
}

export interface PgliteThreadEvents {
  /** Called once if the database stops after it was open, without having been asked to. */
  onLost(error: DatabaseUnavailable): void
  /** Called with the channel of each notification. */
  onNotified(channel: string): void
}

/** PGlite cannot be interrupted: what takes longer than this, in milliseconds, takes the database with it. */
const ANSWER_MS = 300_000

/** The thread's own objects live for one statement; V8 would keep tens of megabytes for them. */
const RESOURCE_LIMITS = { maxYoungGenerationSizeMb: 16 }

export function startPgliteThread(workerData: PgliteWorkerData, { onLost, onNotified }: PgliteThreadEvents): PgliteThread {
  const worker = new Worker(new URL('./pglite-worker.ts', import.meta.url), { workerData, resourceLimits: RESOURCE_LIMITS, execArgv: [] })
  const waiting = new Map<number, PromiseWithResolvers<PgliteReply>>()
  let state: 'opening' | 'open' | 'ending' = 'opening'
  let lost: DatabaseUnavailable | null = null
  let lastId = 0

  const lose = (reason: string): void => {
    if (lost) return
    const error = new DatabaseUnavailable(`The database stopped: ${reason}. ${adviceFor(reason)}`)
    lost = error
    for (const { reject } of waiting.values()) reject(error)
    waiting.clear()
    void worker.terminate()
    if (state === 'open') onLost(error)
  }
  const expect = async (id: number): Promise<PgliteReply> => {
    const entry = Promise.withResolvers<PgliteReply>()
    const limit = setTimeout(() => lose(`it has not answered for ${ANSWER_MS / 1_000} s`), ANSWER_MS)
    waiting.set(id, entry)
    return await entry.promise.finally(() => clearTimeout(limit))
  }
  const ask = async (request: Unnumbered<PgliteRequest>): Promise<PgliteReply> => {
    if (lost) throw lost
    lastId += 1
    const reply = expect(lastId)
    worker.postMessage({ id: lastId, ...request })
    return await reply
  }

  worker.on('error', (error) => lose(error instanceof Error ? error.message : String(error)))
  worker.on('exit', (code) => lose(`its thread ended with code ${code}`))
  worker.on('message', (reply: PgliteReply) => {
    if (reply.kind === 'notified') return onNotified(reply.channel)
    if (reply.kind === 'broken') return lose(reply.message)
    if (reply.kind === 'ready') state = 'open'
    waiting.get(reply.id)?.resolve(reply)
    waiting.delete(reply.id)
  })

  return {
    ready: expect(0),
    ask,
    async end() {
      state = 'ending'
      if (!lost) await ask({ kind: 'close' })
      await worker.terminate()
    },
  }
}

function adviceFor(reason: string): string {
  if (/No space left on device/.test(reason)) return 'The disk is full: free some space, then start the process again.'
  return 'Start the process again: it recovers from its log.'
}
