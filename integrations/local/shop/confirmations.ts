import { Worker } from 'node:worker_threads'
import type { Batch } from './confirmation-job.ts'
import type { ShopLog } from './service.ts'
import type { SupervisorLink } from './supervisor-link.ts'

const EVERY_MS = 500
const MAX_BATCH = 50
/** Beyond this the oldest confirmations are given up, and said so. */
const MAX_WAITING = 5_000
/** A batch that is held for this long is reported, and again after as long. */
const LATE_MS = 5_000

/** The job that confirms orders to the people who placed them: a thread of its own, which takes one batch at a time. */
export interface Confirmations {
  add(order: string): void
  /** Orders that are not confirmed yet, those of the batch under way included. */
  waiting(): number
  /** Seconds since the batch under way was taken; 0 when there is none. */
  batchAge(): number
}

export function createConfirmations(link: SupervisorLink, log: ShopLog): Confirmations {
  let queue: string[] = []
  let batch: { orders: string[]; since: number; reported: number } | null = null
  let run = jobOf(link).run
  let thread = startThread()

  function startThread(): Worker {
    const started = new Worker(new URL('./confirmation-job.ts', import.meta.url))
    started.on('message', () => {
      batch = null
    })
    started.on('error', (error) => log('error', `the job confirmations failed: ${error.message}`))
    started.unref()
    return started
  }
  /** Ends the thread wherever it is stuck. What it held is taken again by the next one. */
  const restart = (): void => {
    const held = batch?.orders ?? []
    batch = null
    queue = [...held, ...queue]
    thread.removeAllListeners('message')
    void thread.terminate()
    thread = startThread()
    log('info', `the job confirmations was started anew, with ${held.length} orders that it held`)
  }
  const report = (): void => {
    if (!batch || Date.now() - Math.max(batch.since, batch.reported) < LATE_MS) return
    batch.reported = Date.now()
    log('error', `the job confirmations holds a batch of ${batch.orders.length} orders and makes no progress`)
  }
  setInterval(() => {
    const job = jobOf(link)
    if (job.run !== run) restart()
    run = job.run
    report()
    if (batch || queue.length === 0) return
    batch = { orders: queue.splice(0, MAX_BATCH), since: Date.now(), reported: 0 }
    thread.postMessage({ orders: batch.orders, hangs: job.hangs } satisfies Batch)
  }, EVERY_MS)

  return {
    add(order) {
      queue.push(order)
      if (queue.length <= MAX_WAITING) return
      queue.shift()
      log('error', 'a confirmation was given up: too many are waiting')
    },
    waiting: () => queue.length + (batch?.orders.length ?? 0),
    batchAge: () => (batch ? (Date.now() - batch.since) / 1_000 : 0),
  }
}

function jobOf(link: SupervisorLink): { run: number; hangs: boolean } {
  return link.conditions().job ?? { run: 0, hangs: false }
}
