import { z } from 'zod'
import type { Integration } from '../integrations/contract.ts'
import type { ParseWebhook } from '../integrations/ports/webhook.ts'
import { createCatalog } from './actions/catalog.ts'
import type { ExecutorLease } from './actions/executor.ts'
import { createPolicyAnswers } from './actions/policy-answers.ts'
import type { PlanCard } from './actions/propose.ts'
import { type AgentDeps, createAgent, type RunningAgent } from './create-agent.ts'
import { alertSchema } from './domain/alert.ts'
import { canonicalJson, digestOf } from './domain/canonical-json.ts'
import { createDrills, type DrillRuns, type Drills } from './drills.ts'
import { createIntake } from './intake/pipeline.ts'
import { createInvestigation } from './investigation/investigation.ts'
import type { AlertParser } from './jobs.ts'
import { type Policy, parsePolicy, policyDigest } from './policy/rules.ts'
import type { Presentation } from './ports.ts'
import { createTelemetry } from './telemetry/telemetry.ts'
import { createTopology } from './topology/inventory.ts'

export interface AssemblyDeps
  extends Pick<
    AgentDeps,
    | 'incidents'
    | 'approvals'
    | 'executions'
    | 'people'
    | 'control'
    | 'audit'
    | 'journal'
    | 'inbox'
    | 'queue'
    | 'crashpoint'
    | 'now'
    | 'log'
    | 'page'
    | 'tidy'
  > {
  lease: ExecutorLease
  runs: DrillRuns
  integrations: readonly Integration[]
  /** The policy file: its text and what YAML made of it, or why it could not be read. */
  policy: { text: string; value: unknown } | { problem: string }
  /** How each source's deliveries are read. */
  formats: readonly { name: string; parse: ParseWebhook }[]
  card: PlanCard
  /** Where every request is shown. */
  presentations: readonly Presentation[]
}

export interface Assembly {
  agent: RunningAgent
  drills: Drills
}

const alertsSchema = z.array(alertSchema).max(1_000)

/** The agent over stores and integrations: what each part needs of the others is put together here, and nothing is decided. */
export function assembleAgent(deps: AssemblyDeps): Assembly {
  const { integrations, now, log, incidents, approvals, card } = deps
  const topology = createTopology({
    sources: integrations.flatMap(({ id, workloads }) => (workloads ? [{ id, workloads }] : [])),
    now,
    log,
  })
  const catalog = createCatalog(
    integrations.map(({ id, environments, actions = [], metrics = null }) => ({ id, environments, actions, metrics })),
  )
  const { policy, digest, problems } = readPolicy(deps.policy)
  const answers = createPolicyAnswers({ policy, people: deps.people, topology })
  const ground = integrations.find((each) => each.drills !== undefined)
  const drills = createDrills({ ground: ground?.drills ?? null, runs: deps.runs, incidents, approvals, now, log })
  const build = digestOf(canonicalJson({ catalog: catalog.digest, policy: digest, renderer: card.renderVersion }))
  const agent = createAgent({
    ...deps,
    catalog,
    topology,
    telemetry: createTelemetry({ sources: integrations, topology, log }),
    drills,
    configured: () => problems,
    objectionOfPolicy: (plan) => answers.objection(plan, catalog.find(plan.action.kind, plan.action.version)),
    intake: createIntake({
      incidents,
      topology,
      drills: { current: drills.current, environments: ground?.environments ?? [], sources: ground ? [ground.id] : [] },
      now,
      log,
    }),
    investigation: createInvestigation({ incidents, sources: integrations, topology, now, log }),
    parsers: new Map([
      ...deps.formats.map(({ name, parse }) => [name, parserOf(parse)] as const),
      ...integrations.map(({ id }) => [id, parseRaised] as const),
    ]),
    proposing: {
      kernel: approvals,
      catalog,
      policy: answers.answer,
      card,
      presentations: () => deps.presentations,
      dependents: async (service) => [...(await topology.inventory()).graph.dependentsOf(service).keys()],
      build: () => build,
      now,
    },
  })
  return { agent, drills }
}

/** Alerts that an integration found itself and handed over as JSON. */
const parseRaised: AlertParser = (body) => alertsSchema.parse(JSON.parse(new TextDecoder().decode(body)))

function parserOf(parse: ParseWebhook): AlertParser {
  return (body) => {
    const parsed = parse(body)
    if (!parsed.ok) throw new Error(parsed.words)
    return parsed.alerts
  }
}

function readPolicy(source: AssemblyDeps['policy']): { policy: Policy | null; digest: string; problems: string[] } {
  if ('problem' in source) return { policy: null, digest: policyDigest(''), problems: [source.problem] }
  const parsed = parsePolicy(source.value)
  const digest = policyDigest(source.text)
  if (parsed.ok) return { policy: parsed.policy, digest, problems: [] }
  return { policy: null, digest, problems: parsed.problems.map((problem) => `the policy file is not valid: ${problem}`) }
}
