import { z } from 'zod'
import type { Integration } from '../integrations/contract.ts'
import type { ParseWebhook } from '../integrations/ports/webhook.ts'
import { createCatalog } from './actions/catalog.ts'
import type { ExecutorLease } from './actions/executor.ts'
import { metricsByEnvironment } from './actions/metrics-by-environment.ts'
import { createPolicyAnswers } from './actions/policy-answers.ts'
import type { PlanCard } from './actions/propose.ts'
import type { AgentDeps } from './agent-deps.ts'
import { createAgent, type RunningAgent } from './create-agent.ts'
import { SOURCE as DETECTION } from './detection/found-alert.ts'
import { createLogWatch } from './detection/watch-logs.ts'
import { createWatch } from './detection/watch-services.ts'
import { createSloWatch } from './detection/watch-slos.ts'
import { createWatchTurn, type WatchLease, type WatchTurn } from './detection/watch-turn.ts'
import { type Alert, alertSchema } from './domain/alert.ts'
import { canonicalJson, digestOf } from './domain/canonical-json.ts'
import type { Incident } from './domain/incident.ts'
import type { Slo } from './domain/slo.ts'
import { createDrills, type DrillRuns, type Drills } from './drills.ts'
import { createHeartbeats } from './heartbeats/heartbeats.ts'
import { createPulse } from './heartbeats/pulse.ts'
import { type ExpectedHeartbeat, SOURCE as HEARTBEAT } from './heartbeats/silence.ts'
import { createIntake } from './intake/pipeline.ts'
import { createInvestigation } from './investigation/investigation.ts'
import type { ModelHelp } from './investigation/model-help.ts'
import { createQuestions } from './investigation/questions.ts'
import type { AlertParser } from './jobs.ts'
import type { PolicyInForce } from './policy-in-force.ts'
import type { Presentation, RunbookStore } from './ports.ts'
import { createTelemetry } from './telemetry/telemetry.ts'
import { createTopology } from './topology/inventory.ts'
import { NO_TRACE, type Trace } from './trace.ts'
import { tracedInvestigation, tracedJob, tracedJobs, tracedProposals, tracedSources, tracedSteps } from './traced.ts'

export interface AssemblyDeps
  extends Pick<
    AgentDeps,
    | 'incidents'
    | 'approvals'
    | 'executions'
    | 'people'
    | 'control'
    | 'power'
    | 'audit'
    | 'journal'
    | 'records'
    | 'modelRuns'
    | 'acceptedEffects'
    | 'refusals'
    | 'inbox'
    | 'queue'
    | 'crashpoint'
    | 'now'
    | 'log'
    | 'page'
    | 'tidy'
    | 'tryToWrite'
    | 'parts'
    | 'workspaces'
  > {
  lease: ExecutorLease
  /** Of the replica that watches the services. */
  watchLease: WatchLease
  runs: DrillRuns
  runbooks: Pick<RunbookStore, 'search'>
  /** Null where no model is configured: everything else works the same. */
  model: ModelHelp | null
  integrations: readonly Integration[]
  policy: PolicyInForce
  /** How each source's deliveries are read. */
  formats: readonly { name: string; parse: ParseWebhook }[]
  card: PlanCard
  /** None unless given. */
  heartbeats?: HeartbeatDeps
  /** What services promise; none unless given. */
  slos?: readonly Slo[]
  /** Nobody is told unless given. */
  trace?: Trace
  /** Where every request is shown. */
  presentations(incident: Pick<Incident, 'service' | 'environment'>): Promise<readonly Presentation[]>
}

/** What is missed when it no longer comes, and what is called while all is well. */
export interface HeartbeatDeps {
  expected: readonly ExpectedHeartbeat[]
  meta: { get(key: string): Promise<unknown>; set(key: string, value: unknown): Promise<void> }
  /** Null: nothing is called. */
  url: string | null
  everySeconds: number
  call(server: CalledServer, signal: AbortSignal): Promise<void>
  /** Of the replica that calls. */
  lease: WatchLease
}

interface CalledServer {
  integration: string
  url: string
  headers: Readonly<Record<string, string>>
  timeoutMs: number
}

const CALL_MS = 10_000

export interface Assembly {
  agent: RunningAgent
  drills: Drills
}

const alertsSchema = z.array(alertSchema).max(1_000)

/** The agent over stores and integrations: what each part needs of the others is put together here, and nothing is decided. */
export function assembleAgent(deps: AssemblyDeps): Assembly {
  const { integrations, now, log, incidents, approvals, card, trace = NO_TRACE } = deps
  const topology = createTopology({
    sources: integrations.flatMap(({ id, environments, workloads, traces }) => [
      ...(workloads ? [{ id, environments, workloads }] : []),
      ...(traces ? [{ id, environments, workloads: { list: async () => [], dependencies: traces.dependencies } }] : []),
    ]),
    now,
    log,
  })
  const catalog = createCatalog(
    integrations.map(({ id, environments, actions = [], metrics }) => ({
      ...{ id, environments, actions },
      metrics: metrics ?? metricsByEnvironment(integrations, environments),
    })),
  )
  const { policy } = deps
  const answers = createPolicyAnswers({
    policy: async () => (await policy.now()).policy,
    people: deps.people,
    askedOften: approvals.askedOften,
    topology,
  })
  const ground = integrations.find((each) => each.drills !== undefined)
  const drills = createDrills({ ground: ground?.drills ?? null, runs: deps.runs, incidents, approvals, now, log })
  const build = async (): Promise<string> =>
    digestOf(canonicalJson({ catalog: catalog.digest, policy: (await policy.now()).digest, renderer: card.renderVersion }))
  /** As a delivery like any other: durable once accepted, and taken once. */
  const raiseAs =
    (source: string) =>
    async (alerts: readonly Alert[]): Promise<void> => {
      const text = JSON.stringify(alerts)
      const delivery = { source, deliveryKey: digestOf(text), body: new TextEncoder().encode(text), headers: {} }
      await deps.inbox.accept({ ...delivery, jobKind: 'intake' })
    }
  const watched = { sources: integrations, topology, exceptIn: ground?.environments ?? [], raise: raiseAs(DETECTION), now, log }
  const heartbeats = deps.heartbeats ? createHeartbeats({ ...deps.heartbeats, raise: raiseAs(HEARTBEAT), now }) : undefined
  const acts = async (): Promise<boolean> => (await agent.mode()).mode === 'act'
  const agent: RunningAgent = createAgent({
    ...deps,
    executions: tracedSteps(deps.executions, trace),
    queue: {
      ...deps.queue,
      handle: (kind, handler, options) =>
        deps.queue.handle(kind, (payload, signal) => tracedJob(trace, kind, payload, () => handler(payload, signal)), options),
      handleTogether: (kind, handler, most) =>
        deps.queue.handleTogether(kind, (payloads, signal) => tracedJobs(trace, kind, payloads, () => handler(payloads, signal)), most),
    },
    heartbeats,
    pulse: pulseOf(deps, acts),
    catalog,
    topology,
    telemetry: (seen) => createTelemetry({ sources: integrations, topology: seen, log }),
    drills,
    configured: policy.problems,
    objectionOfPolicy: (plan) => answers.objection(plan, catalog.find(plan.action.kind, plan.action.version)),
    intake: createIntake({
      incidents,
      topology,
      drills: { current: drills.current, environments: ground?.environments ?? [], sources: ground ? [ground.id] : [] },
      workspaces: deps.workspaces,
      ...(heartbeats ? { isHeartbeat: heartbeats.expects } : {}),
      now,
      log,
    }),
    watching: createWatchTurn({
      lease: deps.watchLease,
      watches: [createWatch(watched), createLogWatch(watched), createSloWatch({ ...watched, slos: deps.slos ?? [] })],
    }),
    investigation: tracedInvestigation(
      createInvestigation({
        ...{
          incidents,
          sources: tracedSources(integrations, trace),
          topology,
          runbooks: deps.runbooks,
          workspaces: deps.workspaces,
          now,
          log,
        },
        ...(deps.model ? { model: deps.model } : {}),
      }),
      trace,
    ),
    ...(deps.model
      ? {
          questions: createQuestions({
            sources: tracedSources(integrations, trace),
            runbooks: deps.runbooks,
            workspaces: deps.workspaces,
            help: deps.model,
            evidence: deps.incidents,
            now,
            log,
          }),
        }
      : {}),
    parsers: new Map([
      ...deps.formats.map(({ name, parse }) => [name, parserOf(parse)] as const),
      ...[DETECTION, HEARTBEAT, ...integrations.map(({ id }) => id)].map((source) => [source, parseRaised] as const),
    ]),
    proposing: {
      kernel: tracedProposals(approvals, trace),
      catalog,
      policy: answers.answer,
      card,
      presentations: deps.presentations,
      dependents: async (service, environment) => [...(await topology.inventory()).graph.within(environment).dependentsOf(service).keys()],
      build,
      workspaces: deps.workspaces,
      now,
    },
  })
  return { agent, drills }
}

function pulseOf({ heartbeats, now, log }: AssemblyDeps, acts: () => Promise<boolean>): WatchTurn | undefined {
  if (!heartbeats || heartbeats.url === null) return undefined
  const { url, everySeconds, lease, call } = heartbeats
  const server: CalledServer = { integration: HEARTBEAT, url, headers: {}, timeoutMs: CALL_MS }
  const send = async (signal: AbortSignal): Promise<void> => await call(server, signal)
  return createWatchTurn({ lease, watches: [createPulse({ everySeconds, send, acts, now, log })] })
}

/** Alerts that an integration, or the watch over the services, found itself and handed over as JSON. */
const parseRaised: AlertParser = (body) => alertsSchema.parse(JSON.parse(new TextDecoder().decode(body)))

function parserOf(parse: ParseWebhook): AlertParser {
  return (body) => {
    const parsed = parse(body)
    if (!parsed.ok) throw new Error(parsed.words)
    return parsed.alerts
  }
}
