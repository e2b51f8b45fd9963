import { claimJobs, countJobs, type DeadJob, deadJobs, dropAllClaims, enqueueJob, type NewJob, pruneJobs, replayJob } from './job-rows.ts'
import type { GroupHandler, JobHandler } from './job-run.ts'
import { createJobWorker, type HandlerOptions, type JobWorkerDeps, LEASE_SECONDS } from './job-worker.ts'
import type { Executor } from './schema.ts'

export interface JobQueue {
  /** In the caller's transaction, or on its own; wakes the workers. */
  enqueue(tx: Executor, job: NewJob): Promise<{ id: number; duplicate: boolean }>
  /** Registers the handler of a kind; before `start`. */
  handle(kind: string, handler: JobHandler, options?: HandlerOptions): void
  /** The same for a handler that does several jobs of a kind at once, at most `most`. */
  handleTogether(kind: string, handler: GroupHandler, most: number): void
  start(): Promise<void>
  /** Takes nothing new, and waits for what was begun: `graceMs` at most (10 s), then aborts it and gives it back. */
  stop(graceMs?: number): Promise<void>
  /** Looks for due jobs now rather than at the next poll. */
  wake(): void
  deadLetters(limit: number): Promise<DeadJob[]>
  /** Makes a dead letter wait again. Returns whether there was one. */
  replay(id: number): Promise<boolean>
  counts(): Promise<{ waiting: number; running: number; dead: number }>
  /** Removes jobs finished before the moment; returns how many. */
  prune(finishedBefore: Date): Promise<number>
}

export interface JobQueueDeps extends JobWorkerDeps {
  /** True when no other process can have this database open (PGlite): claims found at the start are of a dead process. */
  soleWorker?: boolean
  /** Tells of jobs that others enqueued; without it they are found by the poll. */
  onEnqueued?: (wake: () => void) => Promise<() => void>
  /** Milliseconds between two looks when nothing wakes it. */
  pollMs?: number
}

const POLL_MS = 500
const HEARTBEAT_MS = 10_000
const GRACE_MS = 10_000

export function createJobQueue(deps: JobQueueDeps): JobQueue {
  const { db, log, workerId, soleWorker = false, pollMs = POLL_MS } = deps
  const worker = createJobWorker(deps, () => wake())
  const claim = async (): Promise<void> => {
    const free = worker.free()
    if (free.size === 0) return
    const { claimed, buried } = await claimJobs(db, { workerId, free, leaseSeconds: LEASE_SECONDS })
    worker.begin(claimed)
    for (const { error, ...job } of buried) worker.giveUp(job, error)
  }
  const onError = (error: unknown): void => log.error({ error: String(error) }, 'the job queue could not be read')
  const watch = createWatch(claim, pollMs, onError)
  const wake = watch.wake
  let heartbeat: NodeJS.Timeout | undefined
  let unsubscribe: (() => void) | undefined

  return {
    async enqueue(tx, job) {
      const result = await enqueueJob(tx, job)
      wake()
      return result
    },
    handle: worker.handle,
    handleTogether: worker.handleTogether,
    async start() {
      if (soleWorker) await dropAllClaims(db)
      unsubscribe = await deps.onEnqueued?.(wake)
      heartbeat = setInterval(() => void worker.renew().catch(onError), HEARTBEAT_MS)
      watch.start()
    },
    async stop(graceMs = GRACE_MS) {
      unsubscribe?.()
      await watch.stop()
      await worker.end(graceMs)
      clearInterval(heartbeat)
    },
    wake,
    deadLetters: (limit) => deadJobs(db, limit),
    async replay(id) {
      const replayed = await replayJob(db, id)
      wake()
      return replayed
    },
    counts: () => countJobs(db),
    prune: (finishedBefore) => pruneJobs(db, finishedBefore),
  }
}

interface Watch {
  start(): void
  /** Resolves when the look under way is over; none follows. */
  stop(): Promise<void>
  wake(): void
}

/** Looks when woken, and when as many milliseconds have passed; never twice at once, and once more when woken meanwhile. */
function createWatch(look: () => Promise<void>, pollMs: number, onError: (error: unknown) => void): Watch {
  let watching = false
  let again = false
  let current: Promise<void> | null = null
  let timer: NodeJS.Timeout | undefined

  const wake = (): void => {
    again = true
    if (!watching || current) return
    clearTimeout(timer)
    current = run().finally(() => {
      current = null
      // A wake-up between the last look and this line must not wait for the poll.
      if (watching) timer = setTimeout(wake, again ? 0 : pollMs)
    })
  }
  const run = async (): Promise<void> => {
    while (again && watching) {
      again = false
      await look().catch(onError)
    }
  }
  return {
    start() {
      watching = true
      wake()
    },
    async stop() {
      watching = false
      clearTimeout(timer)
      await current
    },
    wake,
  }
}
