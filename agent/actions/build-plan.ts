import type { DryRun, Observation, Parameters, Step } from '../../integrations/ports/action.ts'
import type { FaultClass } from '../domain/fault-classes.ts'
import type { Severity } from '../domain/incident.ts'
import { type MetricBound, type Plan, resourceOf, type SealedPlan, type SuccessContract, sealPlan } from '../domain/plan.ts'
import type { CatalogEntry } from './catalog.ts'

/** What the policy decided for one candidate. */
export interface Asking {
  rule: string
  role: Plan['approval']['role']
  needed: number
  requesterMayApprove: boolean
  ttlSeconds: number
  cooldownSeconds: number
  /** Whether the target's name has to be typed. */
  typed: boolean
}

export interface PlanFacts {
  ids: { plan: string; undo: string }
  incident: { id: string; severity: Severity }
  entry: CatalogEntry
  observation: Observation
  parameters: Parameters
  dryRun: DryRun
  symptom: MetricBound | null
  cause: { class: FaultClass; component: string }
  /** What feels it when the target fails, the nearest first. */
  dependents: readonly string[]
  /** At most so many of them are named. */
  dependentsNamed?: number
  cautions: readonly string[]
  requester: string | null
  asking: Asking
  build: string
  now: Date
}

/** Sends in one incident against one cause; after these a person has to take over. */
export const MAX_ATTEMPTS = 2
const MAX_CAUTIONS = 3
const DEPENDENTS_NAMED = 10
/** Names of services that were seen in traces are what a span says that they are. */
const MAX_DEPENDENT_NAME = 60
/** An undo may still start ten minutes after a verification that itself took minutes, so its bytes live as long as the kernel allows. */
const UNDO_TTL_SECONDS = 3_540

/** Seals a plan and the undo it carries. Pure: everything that was observed comes in as facts. */
export function buildPlan(facts: PlanFacts): { parent: SealedPlan; undo: SealedPlan | null } {
  const { action } = facts.entry
  const step: Step = {
    planId: facts.ids.plan,
    target: facts.observation.target,
    parameters: facts.parameters,
    preconditions: facts.observation.preconditions,
  }
  const back = action.undo(step, facts.observation)
  const common = commonFields(facts)
  const undo = back
    ? sealPlan({
        ...common,
        id: facts.ids.undo,
        action: { ...common.action, title: action.title(facts.observation.target, back.parameters) },
        parameters: back.parameters,
        changes: facts.dryRun.changes.map(({ field, from, to }) => ({ field, from: to, to: from })),
        preconditions: back.preconditions,
        symptom: null,
        success: back.success,
        undo: null,
        undoOf: facts.ids.plan,
        expiresAt: after(facts.now, UNDO_TTL_SECONDS),
      })
    : null
  const parent = sealPlan({
    ...common,
    id: facts.ids.plan,
    undo: undo ? { plan: undo.plan.id, digest: undo.digest, title: undo.plan.action.title, changes: undo.plan.changes } : null,
    undoOf: null,
    ...(facts.cautions.length > 0 ? { cautions: facts.cautions.slice(0, MAX_CAUTIONS) } : {}),
    success: withSymptom(action.success(step, facts.observation), facts.symptom),
    expiresAt: after(facts.now, Math.min(facts.asking.ttlSeconds, action.definition.maxTtlSeconds)),
  })
  return { parent, undo }
}

/** What the incident is about has to be gone as well: an action on a service that was never ill must not count as help. */
function withSymptom(contract: SuccessContract, symptom: MetricBound | null): SuccessContract {
  const covered =
    symptom === null ||
    contract.heals === false ||
    contract.metrics.some(({ service, metric }) => service === symptom.service && metric === symptom.metric)
  if (covered) return contract
  // A contract that was weak for want of any metric is not, once the symptom is in it.
  const weaker = contract.metrics.length === 0 ? null : contract.weaker
  return { ...contract, metrics: [symptom, ...contract.metrics], weaker }
}

type Common = Omit<Plan, 'id' | 'undo' | 'undoOf' | 'expiresAt' | 'success'>

function commonFields(facts: PlanFacts): Common {
  const { definition } = facts.entry.action
  const { observation, asking } = facts
  return {
    schema: 'steadyhand.plan/1',
    incident: facts.incident.id,
    severity: facts.incident.severity,
    action: { kind: definition.kind, version: definition.version, title: facts.entry.action.title(observation.target, facts.parameters) },
    target: observation.target,
    resource: resourceOf(observation.target),
    parameters: facts.parameters,
    changes: facts.dryRun.changes,
    preconditions: observation.preconditions,
    symptom: facts.entry.action.outlastsIncident ? null : facts.symptom,
    probe: facts.entry.action.probeWords,
    blastRadius: {
      replicas: observation.replicas,
      ofReplicas: observation.replicas,
      ...dependentsOf(facts),
      downtime: facts.dryRun.downtime,
    },
    reversibility: definition.reversibility,
    risk: definition.risk,
    requester: facts.requester,
    cause: facts.cause,
    approval: {
      role: asking.role,
      needed: Math.max(asking.needed, definition.minNeeded),
      requesterMayApprove: asking.requesterMayApprove && definition.requesterMayApprove,
      confirm: asking.typed || definition.stepUp === 'typed' ? observation.target.name : null,
      rule: asking.rule,
    },
    limits: { cooldownSeconds: Math.max(asking.cooldownSeconds, definition.minCooldownSeconds), maxAttempts: MAX_ATTEMPTS },
    build: facts.build,
    createdAt: facts.now.toISOString(),
  }
}

/** Somebody who decides has to know how many there are, and who is nearest: a list of hundreds would only keep the plan off its card. */
function dependentsOf({
  dependents,
  dependentsNamed = DEPENDENTS_NAMED,
}: PlanFacts): Pick<Plan['blastRadius'], 'dependents' | 'moreDependents'> {
  const named = dependents.slice(0, dependentsNamed).map((name) => {
    const whole = name.toWellFormed()
    return whole.length <= MAX_DEPENDENT_NAME ? whole : `${whole.slice(0, MAX_DEPENDENT_NAME - 3).toWellFormed()}...`
  })
  const more = dependents.length - named.length
  return { dependents: named, ...(more > 0 ? { moreDependents: more } : {}) }
}

function after(now: Date, seconds: number): string {
  return new Date(now.getTime() + seconds * 1_000).toISOString()
}
