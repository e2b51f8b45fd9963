import { z } from 'zod'
import { createExecutor } from './actions/executor.ts'
import type { Agent } from './agent.ts'
import type { AgentDeps, WorkQueue } from './agent-deps.ts'
import { createAnswers } from './answers.ts'
import { createAuditProof } from './audit-proof.ts'
import { planSchema } from './domain/plan.ts'
import { Refusal } from './domain/refusal.ts'
import { createJobs, type Jobs } from './jobs.ts'
import { createSelfCheck } from './mode.ts'

export interface RunningAgent extends Agent {
  /** Registers the jobs; call before the queue starts. */
  start(): Promise<void>
  /** Why nothing can be stored, by the last self-check; null when it can. */
  unstorable(): string | null
  /** Finishes what it is in the middle of. */
  stop(): Promise<void>
}

const SWEEP_MS = 2_000
const WATCH_MS = 5_000
const LISTEN_MS = 5_000
const SELF_CHECK_MS = 60_000
const TIDY_MS = 300_000
/** Deliveries taken in at once: in a flood of alerts most of the work is done once for all of them. */
const INTAKE_TOGETHER = 50
const INVESTIGATIONS_AT_ONCE = 4
const MODELS_AT_ONCE = 2
/** What a model's look takes beside the model's own time. */
const AROUND_MODEL_MS = 30_000

const intakePayload = z.object({ inboxId: z.int() })
/** `asked`: a person wants a fresh look, whatever was tried or refused before. */
const incidentPayload = z.object({ incidentId: z.string(), asked: z.object({ requester: z.string().nullable() }).optional() })
const refinePayload = z.object({ incidentId: z.string(), asked: z.boolean() })

/** The agent over its stores and the world. Nothing runs before `start`; nothing is ever carried out except by its executor. */
export function createAgent(deps: AgentDeps): RunningAgent {
  const { approvals, log } = deps
  const { parts = { agent: true, executor: true } } = deps
  const ownJobs = createJobs({ ...deps, kernel: approvals, enqueue: deps.queue.enqueue })
  const jobs = parts.agent ? ownJobs : { ...ownJobs, lookAgain: elsewhere(deps.queue) }
  const selfCheck = createSelfCheck({
    configured: deps.configured,
    journal: deps.journal,
    kernel: deps.executions,
    acceptedEffects: deps.acceptedEffects,
    people: deps.people,
    audit: deps.audit,
    provesAudit: !parts.agent || parts.executor,
    changedCards: async () => await changedCards(deps),
    async tryToWrite() {
      await deps.tryToWrite()
      await deps.journal.tryToWrite()
    },
    now: deps.now,
  })
  const executor = createExecutor({
    ...deps,
    kernel: deps.executions,
    observing: async () => observing(),
    moved: async ({ incident }) => await jobs.follow(incident),
  })
  const timers: NodeJS.Timeout[] = []

  let told: readonly string[] = []
  const observing = (): string[] => selfCheck.reasons().map(({ words }) => words)
  /** Each reason is told once while it lasts, whoever ran the check that found it; what could not be told is tried again. */
  const lookAfterItself = async (): Promise<void> => {
    await selfCheck.run()
    const reasons = observing()
    const news = reasons.filter((words) => !told.includes(words))
    for (const words of news) log.error({ words }, 'only observing')
    told = reasons.filter((words) => told.includes(words))
    // One of several processes says what is overdue: the one that acts.
    const overdue = parts.executor ? await deps.audit.overdue() : []
    for (const words of [...news.map((words) => `Only observing: ${words}.`), ...overdue]) await deps.page(words)
    told = reasons
  }
  const every = (milliseconds: number, what: string, step: () => Promise<unknown>): void => {
    const run = (): void => {
      step().catch((error: unknown) =>
        log.error({ error: error instanceof Error ? error.message : String(error) }, `${what} failed and is tried again`),
      )
    }
    timers.push(setInterval(run, milliseconds))
  }

  const startJobs = (): void => {
    const { refines } = deps.investigation
    deps.queue.handleTogether(
      'intake',
      async (payloads, signal) => await jobs.intake(intakePayload.array().parse(payloads), signal),
      INTAKE_TOGETHER,
    )
    deps.queue.handle('investigate', async (payload, signal) => await jobs.investigate(incidentPayload.parse(payload), signal), {
      concurrency: INVESTIGATIONS_AT_ONCE,
    })
    deps.queue.handle('refine', async (payload, signal) => await jobs.refine(refinePayload.parse(payload), signal), {
      concurrency: MODELS_AT_ONCE,
      ...(refines ? { timeoutMs: refines.seconds * 1_000 + AROUND_MODEL_MS } : {}),
    })
    deps.queue.handle('sweep', async (_payload, signal) => await jobs.sweep(signal))
    every(SWEEP_MS, 'looking after open incidents', async () => await deps.queue.enqueue({ kind: 'sweep', payload: {}, dedupe: 'sweep' }))
  }

  return {
    ...createAnswers(deps, { jobs, executor, selfCheck, proof: createAuditProof({ ...deps, selfCheck }), observing }),
    unstorable: () => selfCheck.reasons().find(({ about }) => about === 'storage')?.words ?? null,
    async start() {
      if (parts.executor) await approvals.registerActions(deps.catalog.definitions)
      await lookAfterItself()
      every(SELF_CHECK_MS, 'the self-check', lookAfterItself)
      if (parts.executor) {
        executor.start()
        every(TIDY_MS, 'ending what nobody confirmed', deps.power.expireDue)
      }
      if (parts.agent) startJobs()
      // The lease is written by nobody but the process that acts: split in three, nothing is watched.
      if (parts.agent && parts.executor) every(WATCH_MS, 'watching the services', deps.watching.round)
      // Of three processes the third keeps house: the one that neither proposes nor acts. It is also the one that hears what arrives.
      if (parts.agent === parts.executor) {
        every(TIDY_MS, 'tidying', deps.tidy)
        if (deps.heartbeats) every(LISTEN_MS, 'listening for heartbeats', deps.heartbeats.look)
      }
      if (parts.executor && deps.pulse) every(WATCH_MS, 'the own heartbeat', deps.pulse.round)
    },
    async stop() {
      for (const timer of timers) clearInterval(timer)
      await Promise.all([executor.stop(), deps.watching.end(), deps.pulse?.end()])
    },
  }
}

/** For a process that proposes nothing itself: the agent's process looks, and its card follows. */
function elsewhere(queue: WorkQueue): Jobs['lookAgain'] {
  return async (incidentId, requester) => {
    await queue.enqueue({ kind: 'investigate', payload: { incidentId, asked: { requester } }, dedupe: `look-again:${incidentId}` })
    throw new Refusal('looked-at-elsewhere')
  }
}

/** Cards whose plan, rendered again by the same version of the renderer, is not what people saw. */
async function changedCards({ audit, card }: AgentDeps): Promise<string[]> {
  const shown = await audit.plans()
  return shown
    .filter(({ renderVersion }) => renderVersion === card.renderVersion)
    .filter(({ canonical, renderHash }) => card.renderHash(planSchema.parse(JSON.parse(canonical))) !== renderHash)
    .map(({ requestId }) => `the card of approval ${requestId} renders differently than when it was shown`)
}
