import type { Kysely } from 'kysely'
import { type ClaimedJob, failJob, finishJobs, giveJobBack, renewClaims } from './job-rows.ts'
import { type GroupHandler, HopelessJob, JobAborted, type JobHandler, type JobOutcome, runHandler } from './job-run.ts'
import type { Database } from './schema.ts'

export interface HandlerOptions {
  /** At once in this process; 1 unless given. */
  concurrency?: number
  /** Then the signal is aborted and the attempt has failed; 60 s unless given. */
  timeoutMs?: number
}

export interface JobQueueLog {
  warn(detail: object, message: string): void
  error(detail: object, message: string): void
}

export interface JobWorkerDeps {
  db: Kysely<Database>
  now: () => Date
  log: JobQueueLog
  /** Unique among the processes of this database, and new at each start. */
  workerId: string
  /** 0 ≤ x < 1, for the jitter. */
  random?: () => number
  /** Told of each job that is given up. */
  onDead?: (job: ClaimedJob, error: string) => void
}

/** Carries out claimed jobs, as many of a kind at once as its handler allows. */
export interface JobWorker {
  handle(kind: string, handler: JobHandler, options?: HandlerOptions): void
  /** One group of a kind at a time, of at most so many jobs; the oldest first. */
  handleTogether(kind: string, handler: GroupHandler, most: number): void
  /** How many more of each kind could be begun now; kinds without room are left out. */
  free(): Map<string, number>
  begin(jobs: readonly ClaimedJob[]): void
  /** Tells of a job that is dead. */
  giveUp(job: ClaimedJob, error: string): void
  /** Prolongs the claims of what runs, and aborts what another worker took over. */
  renew(): Promise<void>
  /** Waits for what runs; after `graceMs` aborts it and gives it back. */
  end(graceMs: number): Promise<void>
}

/** A crashed worker's jobs are taken up after this long. */
export const LEASE_SECONDS = 30
const LONGEST_DELAY_SECONDS = 60
const TIMEOUT_MS = 60_000

type Handling = { timeoutMs: number } & ({ handler: JobHandler; concurrency: number } | { group: GroupHandler; most: number })

interface Running {
  kind: string
  controller: AbortController
  ended: Promise<void>
}

/** @param onEnded called whenever a job ended, however. */
export function createJobWorker(deps: JobWorkerDeps, onEnded: () => void): JobWorker {
  const { db, log, workerId } = deps
  const kinds = new Map<string, Handling>()
  const running = new Map<number, Running>()

  const register = (kind: string, handling: Handling): void => {
    if (kinds.has(kind)) throw new Error(`jobs of kind ${kind} have a handler already`)
    kinds.set(kind, handling)
  }
  const runOne = async (job: ClaimedJob, run: () => Promise<void>, controller: AbortController, timeoutMs: number): Promise<void> => {
    const began = deps.now().getTime()
    const outcome = await runHandler(run, controller, timeoutMs)
    await record(deps, job, outcome, deps.now().getTime() - began)
  }
  const runTogether = async (jobs: readonly ClaimedJob[], group: GroupHandler, controller: AbortController): Promise<void> => {
    const { signal } = controller
    const began = deps.now().getTime()
    const outcome = await runHandler(
      () =>
        group(
          jobs.map(({ payload }) => payload),
          signal,
        ),
      controller,
      TIMEOUT_MS,
    )
    if (outcome.ok) return await finish(deps, jobs)
    const [only, ...others] = jobs
    if (only && others.length === 0) return await record(deps, only, outcome, deps.now().getTime() - began)
    const alone = jobs.map((job) => ({ job, own: new AbortController() }))
    // From here on each stands for itself: what is over, or lost, ends nobody else's.
    for (const { job, own } of alone)
      running.set(job.id, { ...(running.get(job.id) ?? { kind: job.kind, ended: Promise.resolve() }), controller: own })
    for (const { job, own } of alone) {
      const run = async (): Promise<void> => {
        own.signal.throwIfAborted()
        await group([job.payload], own.signal)
      }
      await runOne(job, run, own, TIMEOUT_MS)
      running.delete(job.id)
    }
  }
  const keep = (jobs: readonly ClaimedJob[], kind: string, controller: AbortController, work: Promise<void>): void => {
    const ended = work
      // The claim runs out by itself, and the job is taken up again.
      .catch((error: unknown) =>
        log.error({ kind, jobIds: jobs.map(({ id }) => id), error: describe(error) }, 'the end of a job was not recorded'),
      )
      .finally(() => {
        for (const { id } of jobs) running.delete(id)
        onEnded()
      })
    for (const { id } of jobs) running.set(id, { kind, controller, ended })
  }

  return {
    handle(kind, handler, { concurrency = 1, timeoutMs = TIMEOUT_MS } = {}) {
      register(kind, { handler, concurrency, timeoutMs })
    },
    handleTogether(kind, group, most) {
      register(kind, { group, most, timeoutMs: TIMEOUT_MS })
    },
    free() {
      const slots = new Map([...kinds].map(([kind, handling]) => [kind, 'group' in handling ? handling.most : handling.concurrency]))
      for (const { kind } of running.values()) slots.set(kind, isGroup(kinds.get(kind)) ? 0 : (slots.get(kind) ?? 0) - 1)
      return new Map([...slots].filter(([, count]) => count > 0))
    },
    begin(jobs) {
      for (const [kind, handling] of kinds) {
        const own = jobs.filter((job) => job.kind === kind)
        if (own.length === 0) continue
        if ('group' in handling) {
          const controller = new AbortController()
          keep(own, kind, controller, runTogether(own, handling.group, controller))
          continue
        }
        for (const job of own) {
          const controller = new AbortController()
          const context = { signal: controller.signal, attempt: job.attempt, jobId: job.id }
          keep(
            [job],
            kind,
            controller,
            runOne(job, () => handling.handler(job.payload, context), controller, handling.timeoutMs),
          )
        }
      }
    },
    giveUp: (job, error) => giveUp(deps, job, error),
    async renew() {
      const ids = [...running.keys()]
      if (ids.length === 0) return
      const kept = await renewClaims(db, workerId, ids, LEASE_SECONDS)
      const lost = ids.filter((id) => !kept.has(id))
      for (const id of lost) running.get(id)?.controller.abort(new JobAborted('claim-lost', 'another worker took the job over'))
    },
    async end(graceMs) {
      const jobs = [...running.values()]
      const timer = setTimeout(() => {
        for (const { controller } of running.values()) controller.abort(new JobAborted('shutdown', 'the process is stopping'))
      }, graceMs)
      await Promise.all(jobs.map(({ ended }) => ended))
      clearTimeout(timer)
    },
  }
}

function isGroup(handling: Handling | undefined): boolean {
  return handling !== undefined && 'group' in handling
}

async function finish({ db, log, workerId }: JobWorkerDeps, jobs: readonly ClaimedJob[]): Promise<void> {
  const finished = await finishJobs(
    db,
    jobs.map(({ id, attempt }) => ({ id, attempt, workerId })),
  )
  if (finished < jobs.length) log.warn({ jobs: jobs.map(nameOf), finished }, 'a job ended after its claim was lost')
}

async function record(deps: JobWorkerDeps, job: ClaimedJob, outcome: JobOutcome, durationMs: number): Promise<void> {
  const { db, log, workerId, random = Math.random } = deps
  const claim = { id: job.id, attempt: job.attempt, workerId }
  const detail = { ...nameOf(job), durationMs }
  if (outcome.ok) return await finish(deps, [job])
  if (outcome.error instanceof JobAborted && outcome.error.code === 'shutdown') return await giveJobBack(db, claim)
  const error = describe(outcome.error)
  const delaySeconds = random() * Math.min(LONGEST_DELAY_SECONDS, 2 ** (job.attempt - 1))
  const result = await failJob(db, claim, { error, delaySeconds, permanent: outcome.error instanceof HopelessJob })
  if (result !== 'dead') return log.warn({ ...detail, error, result }, 'a job failed')
  giveUp(deps, job, error)
}

function giveUp({ log, onDead }: JobWorkerDeps, job: ClaimedJob, error: string): void {
  log.error({ ...nameOf(job), error }, 'a job was given up')
  onDead?.(job, error)
}

function nameOf({ id, kind, attempt }: ClaimedJob): object {
  return { jobId: id, kind, attempt }
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}
