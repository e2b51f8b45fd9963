import { z } from 'zod'
import { createByHand } from './actions/by-hand.ts'
import { createByPerson } from './actions/by-person.ts'
import type { EffectJournal } from './actions/effect-journal.ts'
import { createExecutor, type ExecutorDeps } from './actions/executor.ts'
import type { PlanCard } from './actions/propose.ts'
import type { Agent } from './agent.ts'
import type { WatchTurn } from './detection/watch-turn.ts'
import type { Incident, IncidentEvent } from './domain/incident.ts'
import { planSchema } from './domain/plan.ts'
import { Refusal } from './domain/refusal.ts'
import { createEffects } from './effects.ts'
import { createHandling } from './handling/handling.ts'
import { handlingOf } from './handling/state.ts'
import type { Heartbeats } from './heartbeats/heartbeats.ts'
import { modelUseOf } from './investigation/model-use.ts'
import { createJobs, type Jobs, type JobsDeps, type Work } from './jobs.ts'
import { createSelfCheck } from './mode.ts'
import type {
  AcceptedEffects,
  ApprovalKernel,
  AuditStore,
  ControlStore,
  ExecutionKernel,
  IncidentStore,
  ModelRunStore,
  PeopleStore,
  PowerStore,
  RecordsStore,
  RunbookStore,
} from './ports.ts'
import { readFigures } from './records/records.ts'
import { timelineOf } from './records/timeline.ts'
import { readIncidentSeries } from './telemetry/incident-series.ts'
import type { Telemetry } from './telemetry/telemetry.ts'
import type { Topology } from './topology/inventory.ts'
import { createScopes } from './topology/scopes.ts'

/** The queue that carries the agent's work from row to row. */
export interface WorkQueue {
  enqueue(work: Work): Promise<void>
  handle(
    kind: Work['kind'],
    handler: (payload: Record<string, unknown>, signal: AbortSignal) => Promise<void>,
    options?: { concurrency?: number; timeoutMs?: number },
  ): void
  /** For a handler that does several jobs at once, at most `most`. When it throws, each is tried by itself. */
  handleTogether(
    kind: Work['kind'],
    handler: (payloads: readonly Record<string, unknown>[], signal: AbortSignal) => Promise<void>,
    most: number,
  ): void
}

export interface AgentDeps
  extends Omit<JobsDeps, 'enqueue' | 'inbox' | 'kernel'>,
    Pick<ExecutorDeps, 'catalog' | 'lease' | 'objectionOfPolicy' | 'crashpoint' | 'trace' | 'now' | 'log'> {
  incidents: IncidentStore
  approvals: ApprovalKernel
  executions: ExecutionKernel
  people: PeopleStore
  control: ControlStore
  power: PowerStore
  audit: AuditStore
  journal: EffectJournal
  acceptedEffects: AcceptedEffects
  inbox: JobsDeps['inbox'] & {
    accept(delivery: {
      source: string
      deliveryKey: string
      body: Uint8Array
      headers: Record<string, string>
      jobKind: string
    }): Promise<{ duplicate: boolean }>
  }
  queue: WorkQueue
  records: RecordsStore
  modelRuns: Pick<ModelRunStore, 'latest'>
  runbooks: Pick<RunbookStore, 'search'>
  topology: Topology
  telemetry: Telemetry
  card: PlanCard
  drills: Agent['drills']
  watching: WatchTurn
  /** Alerts that fire always, and are missed. */
  heartbeats?: Pick<Heartbeats, 'heard' | 'look'> | undefined
  /** Tells somebody outside that approved actions would run. */
  pulse?: WatchTurn | undefined
  /** Reasons the configuration gives to only observe. */
  configured(): readonly string[]
  /** Which halves of the work this process does: all of it unless it is split. */
  parts?: { agent: boolean; executor: boolean }
  /** Drops rows that have no more use. */
  tidy(): Promise<void>
  /** Writes something small to the database; rejects when that fails. */
  tryToWrite(): Promise<void>
  /** Called when the mode or an overdue thing has to be told. */
  page(words: string): Promise<void>
}

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
const STOP_WAIT_MS = 1_000
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
  const { approvals, incidents, crashpoint, log } = deps
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
    control: {
      ...deps.control,
      async stop(scope, by) {
        await deps.control.stop(scope, by)
        return { underWay: await callsUnderWay(deps) }
      },
    },
    power: deps.power,
    effects: createEffects({ ...deps, kernel: deps.executions, checkAgain: async () => await selfCheck.run() }),
    scopes: createScopes(deps),
    telemetry: deps.telemetry,
    runbooks: async (query) => await deps.runbooks.search(query),
    figures: (query) => readFigures(deps, query),
    incidentSeries: (id) => readIncidentSeries(deps, id),
    audit: deps.audit,
    drills: deps.drills,

    receive: async (delivery) => ({ duplicate: (await deps.inbox.accept({ ...delivery, jobKind: 'intake' })).duplicate }),
    heard: async (alerts) => await deps.heartbeats?.heard(alerts),
    incidents: async (query) => await incidents.list(query),
    evidence: async (incidentId, label) => await incidents.evidenceItem(incidentId, label),
    approval: async (id) => await approvals.approval(id),
    approvals: async (query) => await approvals.approvals(query),
    whoMay: async (requestId) => await approvals.whoMay(requestId),
    person: async (actor) => await deps.people.byActor(actor),
    people: async () => await deps.people.list(),

    async incident(id) {
      const incident = await incidents.get(id)
      if (!incident) return null
      const [alerts, evidence, hypotheses, requests, recorded, feedback, drill, run] = await Promise.all([
        incidents.alerts(id),
        incidents.evidenceSummaries(id),
        incidents.hypotheses(id),
        approvals.approvals({ incidentId: id, limit: 50 }),
        incidents.timeline(id),
        incidents.feedback(id),
        startOfDrill(incident, deps),
        deps.modelRuns.latest(id),
      ])
      const timeline = timelineOf([...drill, ...recorded], requests.items)
      const handling = handlingOf(recorded, deps.now())
      const model = run ? modelUseOf(run.steps) : null
      return { incident, alerts, evidence, hypotheses, approvals: requests.items, timeline, handling, feedback, model }
    },

    async vote(input) {
      // Whoever approves may expect that it runs; while nothing runs nobody is asked to wait for it.
      const [reason] = observing()
      if (input.decision === 'approve' && reason !== undefined) throw new Refusal('observing', reason)
      crashpoint('C6')
      const approval = await approvals.vote(input)
      crashpoint('C7')
      executor.wake()
      // The vote stands whatever comes after it, and so does the answer; the sweep follows the incident again.
      await jobs.follow(approval.incidentId).catch((error: unknown) => log.error({ error: String(error) }, 'a vote was not followed yet'))
      return approval
    },
    async settle(requestId, word) {
      const approval = await approvals.approval(requestId)
      if (!approval) throw new Refusal('unknown-approval')
      await executor.settle(approval.plan.id, word)
      return (await approvals.approval(requestId)) ?? approval
    },
    async keep(requestId, actor) {
      const approval = await approvals.keep(requestId, actor)
      await jobs.follow(approval.incidentId)
      return approval
    },
    ...createByPerson({ approvals, people: deps.people, jobs }),
    ...createByHand({ ...deps, jobs }),
    ...createHandling({ ...deps, jobs, investigateSoon: jobs.investigateSoon }),

    async verifyAudit() {
      const report = await deps.audit.verify()
      const others = (await selfCheck.run(report)).filter(({ about }) => about === 'journal' || about === 'cards')
      const violations = [...report.violations, ...others.map(({ words }) => words)]
      return { ...report, ok: violations.length === 0, violations }
    },
    unstorable: () => selfCheck.reasons().find(({ about }) => about === 'storage')?.words ?? null,
    async mode() {
      const stops = (await deps.control.stopped()).map(({ scope, by, at }) => stopWords(scope, by, at))
      const reasons = [...stops, ...observing()]
      return reasons.length === 0 ? { mode: 'act' } : { mode: 'observe', reasons }
    },
    async services() {
      const { workloads, graph } = await deps.topology.inventory()
      return {
        items: workloads.map(({ service, environment, version, readyReplicas, desiredReplicas }) => ({
          name: service,
          environment,
          version,
          readyReplicas,
          desiredReplicas,
        })),
        edges: [...graph.edges],
      }
    },

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

/**
 * Waits until no call made before the stop is still waiting for its answer, a second at most. Returns the titles of those that still are: they
 * were sent before, and are watched.
 */
async function callsUnderWay({ executions, now }: AgentDeps): Promise<string[]> {
  const end = now().getTime() + STOP_WAIT_MS
  for (;;) {
    const sent = (await executions.unfinished()).filter(({ state }) => state === 'sent')
    if (sent.length === 0 || now().getTime() >= end) return sent.map(({ plan }) => plan.plan.action.title)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Who broke the target for practice, as the first line of the incident that came of it. */
async function startOfDrill(
  { id, drillRun }: Incident,
  { drills, people }: Pick<AgentDeps, 'drills' | 'people'>,
): Promise<IncidentEvent[]> {
  const run = drillRun === null ? null : await drills.run(drillRun)
  if (!run) return []
  const starter = run.startedBy === null ? undefined : (await people.list()).find((person) => person.id === run.startedBy)
  const text = `The drill ${run.name} was started${starter ? ` by ${starter.name}` : ', by nobody who was signed in'}.`
  return [{ incidentId: id, seq: 0, at: run.startedAt, kind: 'drill-started', text, detail: { run: run.run, person: run.startedBy } }]
}

function stopWords(scope: string, by: string, at: Date): string {
  const what = scope === '*' ? 'Stopped' : `Stopped (${scope})`
  return `${what} by ${by === 'host' ? 'the command line on the host' : by} at ${at.toISOString().slice(11, 16)} UTC`
}

/** Cards whose plan, rendered again by the same version of the renderer, is not what people saw. */
async function changedCards({ audit, card }: AgentDeps): Promise<string[]> {
  const shown = await audit.plans()
  return shown
    .filter(({ renderVersion }) => renderVersion === card.renderVersion)
    .filter(({ canonical, renderHash }) => card.renderHash(planSchema.parse(JSON.parse(canonical))) !== renderHash)
    .map(({ requestId }) => `the card of approval ${requestId} renders differently than when it was shown`)
}
