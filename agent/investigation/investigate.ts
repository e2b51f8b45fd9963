import { METRICS, type MetricName } from '../../integrations/ports/metrics.ts'
import { diagnose } from '../diagnosis/diagnose.ts'
import { readFacts } from '../diagnosis/facts.ts'
import { withOpinion } from '../diagnosis/second-opinion.ts'
import { classWords } from '../diagnosis/wording.ts'
import type { Alert } from '../domain/alert.ts'
import { type EvidenceItem, isAsked } from '../domain/evidence.ts'
import type { Hypothesis } from '../domain/hypothesis.ts'
import type { Incident } from '../domain/incident.ts'
import type { MetricBound } from '../domain/plan.ts'
import { runbookQuery } from '../domain/runbook.ts'
import { isForReadersOf, type Workspace } from '../domain/workspace.ts'
import { type RunbookFacts, runbookEvidence } from '../knowledge/find-runbook.ts'
import { isCorroborated } from '../policy/corroboration.ts'
import type { IncidentStore, RunbookStore } from '../ports.ts'
import type { Inventory, Topology } from '../topology/inventory.ts'
import { seenInventory } from '../workspaces/seen-inventory.ts'
import { collect } from './collect.ts'
import { type ModelHelp, standingOpinion } from './model-help.ts'
import { type Scope, type Source, scopeOf } from './scope.ts'

export interface InvestigationDeps {
  incidents: IncidentStore
  sources: readonly Source[]
  topology: Topology
  /** Absent where nothing is written down. */
  runbooks?: Pick<RunbookStore, 'search'>
  now: () => Date
  log: { info(object: object, message: string): void; warn(object: object, message: string): void }
  /** Milliseconds for all questions together. */
  deadlineMs?: number
  /** Absent where no model is configured. */
  model?: ModelHelp
  /** None while everybody sees everything. */
  workspaces?: readonly Workspace[]
}

/** What one round found out. */
export interface Diagnosis {
  /** Best first, at least one. */
  hypotheses: Hypothesis[]
  /** The bound that holds when the trigger's metric is healthy; null when the alert does not say what it measures. */
  symptom: MetricBound | null
  /** Whether the trigger still holds; null when it cannot be told. */
  symptomActive: boolean | null
  /** Whether the first hypothesis rests on two independent sources, one of them out of an outsider's reach. */
  corroborated: boolean
}

/**
 * One round: collects evidence under a deadline, ranks causes, checks every claim, and stores both. The incident is left `observing`, with its
 * diagnosis and, so far, nothing to do; one that a person or an action has moved on stays where it is.
 *
 * @throws Error when there is no such incident, or the signal's reason when it fired; nothing is concluded then.
 */
export async function investigate(deps: InvestigationDeps, incidentId: string, signal: AbortSignal): Promise<Diagnosis> {
  const { incidents, now } = deps
  const [incident, alerts, inventory] = await Promise.all([
    incidents.get(incidentId),
    incidents.alerts(incidentId),
    deps.topology.inventory(),
  ])
  if (!incident) throw new Error(`there is no incident ${incidentId}`)
  const began = now()
  const scope = scopeOf(incident, alerts, inventoryFor(incident, inventory, deps), began)
  await tellStart(deps, incident, scope)
  const collected = await collect(scope, { ...deps, signal })
  signal.throwIfAborted()
  const evidence = await incidents.addEvidence(incidentId, collected.evidence)
  const facts = readFacts({ service: incident.service, startedAt: scope.startedAt, now: scope.to }, evidence)
  const hypotheses = diagnose(facts, evidence)
  // What a model thought before stays beside it; what may be done follows from the rules alone.
  const opinion = deps.model ? await standingOpinion(deps.model.runs, incidentId) : null
  await incidents.saveHypotheses(incidentId, opinion ? withOpinion(hypotheses, opinion) : hypotheses)
  await citeRunbooks(deps, incidentId, { service: incident.service, alerts, hypothesis: hypotheses[0], from: scope.from, to: scope.to })
  await tellDiagnosis(deps, incidentId, hypotheses, evidence, now().getTime() - began.getTime())
  const [first] = hypotheses
  return {
    hypotheses,
    symptom: scope.trigger ? healthyBound(scope.trigger) : null,
    symptomActive: collected.symptom?.active ?? null,
    corroborated: first !== undefined && isCorroborated(first, evidence),
  }
}

/** What is found out is read by everybody who sees the incident, so it is looked for only where all of them may look. */
export function inventoryFor(
  incident: Incident,
  inventory: Inventory,
  { workspaces = [] }: Pick<InvestigationDeps, 'workspaces'>,
): Inventory {
  return workspaces.length === 0 ? inventory : seenInventory(inventory, (thing) => isForReadersOf(workspaces, incident, thing))
}

/** The bound under which the trigger does not fire; null for a metric or limit that a plan cannot hold. */
export function healthyBound({ service, metric, comparator, threshold }: NonNullable<Alert['trigger']>): MetricBound | null {
  if (!Object.hasOwn(METRICS, metric) || Math.abs(threshold) >= 1e12) return null
  const decimal = threshold.toFixed(6).replace(/\.?0+$/, '')
  return {
    service,
    metric,
    comparator: comparator === '>' ? '<=' : '>=',
    threshold: decimal === '-0' ? '0' : decimal,
    unit: METRICS[metric as MetricName].unit,
  }
}

/** What is written down about it is evidence too; it is found by the diagnosis and does not change it. Without it the round counts all the same. */
async function citeRunbooks({ incidents, runbooks, log }: InvestigationDeps, incidentId: string, facts: RunbookFacts): Promise<void> {
  if (!runbooks) return
  try {
    const query = runbookQuery(facts)
    const [chunks, known] = await Promise.all([runbooks.search(query), incidents.evidenceSummaries(incidentId)])
    const found = runbookEvidence(chunks, query, facts, known)
    if (found.length > 0) await incidents.addEvidence(incidentId, found)
  } catch (error) {
    log.warn({ err: error, incident: incidentId }, 'the runbooks could not be searched')
  }
}

/** Moves the incident only where nobody is waiting for a person or an action; the round itself is always told. */
async function tellStart({ incidents }: InvestigationDeps, incident: Incident, scope: Scope): Promise<void> {
  const others = scope.near.length - 1
  const text = `Investigating ${incident.service}${others > 0 ? ` and ${others} services around it` : ''}: metrics, logs, changes, workloads, calls.`
  const event = { kind: 'investigation-started', text, detail: { services: [...scope.near], from: scope.from.toISOString() } }
  const moved = await incidents.record(incident.id, { ...event, state: 'investigating', from: ['open', 'investigating', 'observing'] })
  if (!moved) await incidents.record(incident.id, event)
}

async function tellDiagnosis(
  { incidents }: InvestigationDeps,
  incidentId: string,
  hypotheses: readonly Hypothesis[],
  evidence: readonly EvidenceItem[],
  milliseconds: number,
): Promise<void> {
  const [first] = hypotheses
  if (!first) throw new Error('a diagnosis has at least one hypothesis')
  const asked = evidence.filter(isAsked)
  const answered = asked.filter(({ status }) => status === 'ok' || status === 'empty').length
  const cause = first.class === 'unknown' ? 'The cause is not known yet' : `Most likely ${classWords(first.class)} of ${first.component}`
  const event = {
    kind: 'diagnosis-made',
    text: `${cause}; confidence ${first.confidence} %. ${answered} of ${asked.length} questions were answered in ${milliseconds} ms.`,
    detail: {
      class: first.class,
      component: first.component,
      confidence: first.confidence,
      milliseconds,
      answered,
      asked: asked.length,
    },
  }
  const moved = await incidents.record(incidentId, { ...event, state: 'observing', from: ['investigating'] })
  if (!moved) await incidents.record(incidentId, event)
}
