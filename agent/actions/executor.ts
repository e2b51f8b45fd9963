import type { SealedPlan } from '../domain/plan.ts'
import { Refusal } from '../domain/refusal.ts'
import type { Log } from '../log.ts'
import type { ApprovalKernel } from '../ports.ts'
import { NO_TRACE, type Trace } from '../trace.ts'
import { type ExecuteDeps, execute } from './execute.ts'
import { type CheckReader, createCheckReader } from './read-checks.ts'
import { settle, type Unfinished } from './recover.ts'
import { judge } from './verify.ts'

export interface ExecutorLease {
  acquire(): Promise<{ epoch: number } | null>
  renew(epoch: number): Promise<boolean>
  release(epoch: number): Promise<void>
}

export interface ExecutorDeps extends ExecuteDeps {
  approvals: Pick<ApprovalKernel, 'expireDue'>
  lease: ExecutorLease
  /** Why nothing may be claimed at the moment; empty when it may. What is under way is settled and verified all the same. */
  observing(): Promise<readonly string[]>
  /** Called after every step that was recorded, so that the incident can follow. */
  moved(plan: SealedPlan['plan']): Promise<void>
  /** Nobody is told unless given. */
  trace?: Trace
  log: Log
}

/** What a person found when they looked at the target. */
export interface PersonsWord {
  found: 'applied' | 'not-applied'
  by: string
  reason: string
}

export interface Executor {
  start(): void
  /** Looks for work now instead of at the next tick. */
  wake(): void
  /**
   * Ends by a person's word what the target itself cannot answer: whether a call without an answer took effect. What did is verified like any other.
   *
   * @throws Refusal too-late when that is not unknown, fenced when another process is the executor
   */
  settle(planId: string, word: PersonsWord): Promise<void>
  /** Finishes what it is in the middle of, up to `sent` and its outcome, and lets go of the lease. */
  stop(): Promise<void>
}

const TICK_MS = 500
const RENEW_MS = 2_000
const CLAIMS_A_TICK = 10
/** A verifier that was away for longer than this begins its window anew: what it could not see says nothing. */
const AWAY_MS = 5_000
/** How long after the window telemetry that cannot be read is still asked for. */
const LATE_READ_MS = 15_000

/** The one loop that acts: it holds the lease, claims what was authorised, carries it out, verifies it, and settles what a crash left behind. */
export function createExecutor(deps: ExecutorDeps): Executor {
  const { kernel, log, now, trace = NO_TRACE } = deps
  /** Executions this process is carrying out or verifying right now. */
  const busy = new Map<string, Promise<void>>()
  const readers = new Map<string, CheckReader>()
  let epoch: number | null = null
  let renewedAt = 0
  let running = false
  let again = false
  let timer: NodeJS.Timeout | null = null
  let loop: Promise<void> = Promise.resolve()

  const hold = async (): Promise<boolean> => {
    // A clock that was set back must not keep the lease from being renewed.
    if (epoch !== null && Math.abs(now().getTime() - renewedAt) < RENEW_MS) return true
    if (epoch !== null && (await deps.lease.renew(epoch))) {
      renewedAt = now().getTime()
      return true
    }
    const lease = await deps.lease.acquire()
    if (epoch !== null && lease?.epoch !== epoch) log.warn({ epoch }, 'the executor lease was lost')
    epoch = lease?.epoch ?? null
    renewedAt = now().getTime()
    return epoch !== null
  }

  /** Runs one execution's step apart from the loop; a second one for the same execution waits for the next tick. */
  const apart = (executionId: string, step: () => Promise<void>): void => {
    if (busy.has(executionId)) return
    const done = step()
      .catch((error: unknown) => {
        if (error instanceof Refusal && error.code === 'fenced') {
          epoch = null
          log.warn({ executionId }, 'another executor took over')
        } else
          log.error(
            { executionId, error: error instanceof Error ? error.message : String(error) },
            'a step of an execution failed and is taken up again',
          )
      })
      .finally(() => {
        busy.delete(executionId)
      })
    busy.set(executionId, done)
  }

  /** The incident follows its approvals at the next sweep as well: what was approved does not depend on it. */
  const moved = async (plan: SealedPlan['plan']): Promise<void> => {
    try {
      await deps.moved(plan)
    } catch (error) {
      log.error(
        { plan: plan.id, error: error instanceof Error ? error.message : String(error) },
        'an incident could not follow its action yet',
      )
    }
  }

  const carryOut = async (claimed: { executionId: string; plan: SealedPlan }, current: number): Promise<void> => {
    await moved(claimed.plan.plan)
    const { plan } = claimed.plan
    const about = { execution: claimed.executionId, incident: plan.incident, action: plan.action.kind }
    const state = await trace.span(
      'execution',
      about,
      () => execute(deps, claimed, current),
      (reached) => ({ state: reached }),
    )
    if (state === 'succeeded') openWindow(claimed, now())
    await moved(claimed.plan.plan)
  }

  const claimAll = async (current: number): Promise<void> => {
    if ((await deps.observing()).length > 0) return
    for (const { authorisationId } of await kernel.claimable(CLAIMS_A_TICK)) {
      deps.crashpoint('C8')
      try {
        const claimed = await kernel.claim(authorisationId, current)
        apart(claimed.executionId, async () => await carryOut(claimed, current))
      } catch (error) {
        // Another action on the resource is under way: this one waits its turn, until it expires.
        if (!(error instanceof Refusal && ['in-flight', 'already-sent'].includes(error.code))) throw error
      }
    }
  }

  const look = async (found: Unfinished, current: number): Promise<void> => {
    const done = found.state === 'succeeded' ? await verify(found, current) : (await settle(deps, found, current)) === 'settled'
    if (done) await moved(found.plan.plan)
  }

  const openWindow = ({ executionId, plan }: { executionId: string; plan: SealedPlan }, from: Date): CheckReader | null => {
    const entry = deps.catalog.find(plan.plan.action.kind, plan.plan.action.version)
    if (!entry) return null
    const reader = readers.get(executionId) ?? createCheckReader(entry, plan.plan, from, now)
    readers.set(executionId, reader)
    return reader
  }

  /** True once there is a verdict. */
  const verify = async ({ executionId, plan, sentAgoMs }: Unfinished, current: number): Promise<boolean> => {
    const reader = openWindow({ executionId, plan }, windowStart(sentAgoMs, now()))
    if (!reader) {
      return await conclude(executionId, current, 'undetermined', {
        samples: 0,
        words: `${plan.plan.action.kind} is not in the catalogue any more`,
      })
    }
    deps.crashpoint(plan.plan.undoOf ? 'C20' : 'C19')
    const readings = await reader.read(AbortSignal.timeout(5_000)).catch((error: unknown) => {
      log.warn(
        { executionId, error: error instanceof Error ? error.message : String(error) },
        'the telemetry could not be read for a verification',
      )
      return null
    })
    // One failed read at the end of the window is no reason to say that nothing is known.
    if (readings === null && now().getTime() < reader.from.getTime() + plan.plan.success.withinSeconds * 1_000 + LATE_READ_MS) return false
    const judgement = judge(plan.plan.success, readings ?? [], reader.from, now())
    if (judgement.verdict === 'waiting') return false
    return await conclude(executionId, current, judgement.verdict, {
      samples: judgement.samples,
      words: judgement.words,
      checks: judgement.checks,
    })
  }

  const conclude = async (
    executionId: string,
    current: number,
    verdict: 'verified' | 'failed' | 'undetermined',
    detail: Record<string, unknown>,
  ): Promise<boolean> => {
    await kernel.advance(executionId, verdict, current, detail)
    readers.delete(executionId)
    return true
  }

  const undo = async (current: number): Promise<void> => {
    for (const { executionId } of await kernel.undosDue()) {
      try {
        await kernel.authoriseUndo(executionId)
      } catch (error) {
        // Stopped, frozen, kept a moment ago: the window stays open until it lapses.
        if (!(error instanceof Refusal)) throw error
        log.info({ executionId, code: error.code }, 'an undo is held back')
      }
    }
    await kernel.settleUndos(current)
  }

  const tick = async (): Promise<void> => {
    if (!(await hold()) || epoch === null) return
    const current = epoch
    await deps.approvals.expireDue()
    // Whoever was busy before the rows were read may have moved on since: its row is looked at next time.
    const before = new Set(busy.keys())
    for (const found of await kernel.unfinished()) {
      if (before.has(found.executionId)) continue
      const state = found.state as Unfinished['state']
      apart(found.executionId, async () => await look({ ...found, state }, current))
    }
    await claimAll(current)
    await undo(current)
  }

  const spin = async (): Promise<void> => {
    do {
      again = false
      try {
        await tick()
      } catch (error) {
        if (error instanceof Refusal && error.code === 'fenced') epoch = null
        else
          log.error(
            { error: error instanceof Error ? error.message : String(error) },
            'the executor could not look for work; it tries again',
          )
      }
    } while (again && timer)
    running = false
  }

  const wake = (): void => {
    if (!timer) return
    again = true
    if (running) return
    running = true
    loop = spin()
  }

  return {
    start() {
      timer ??= setInterval(wake, TICK_MS)
      wake()
    },
    wake,
    async settle(planId, { found, by, reason }) {
      if (epoch === null) throw new Refusal('fenced')
      const waiting = (await kernel.unfinished()).find(({ plan }) => plan.plan.id === planId || plan.plan.undoOf === planId)
      if (waiting?.state !== 'unknown') throw new Refusal('too-late', 'Only what has no answer can be settled by hand.')
      const words = `Settled by ${by}, who looked at the target: ${reason}`
      await kernel.advance(waiting.executionId, found === 'applied' ? 'succeeded' : 'failed', epoch, { verdict: 'person', by, words })
      await moved(waiting.plan.plan)
      wake()
    },
    async stop() {
      if (timer) clearInterval(timer)
      timer = null
      await loop
      await Promise.all(busy.values())
      if (epoch !== null) await deps.lease.release(epoch)
      epoch = null
    },
  }
}

function windowStart(sentAgoMs: number | null, now: Date): Date {
  return sentAgoMs !== null && sentAgoMs <= AWAY_MS ? new Date(now.getTime() - sentAgoMs) : now
}
