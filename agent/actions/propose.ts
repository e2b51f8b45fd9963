import { randomUUID } from 'node:crypto'
import { IntegrationError } from '../../integrations/errors.ts'
import type { Observation, Parameters } from '../../integrations/ports/action.ts'
import type { Approval } from '../domain/approval.ts'
import type { Hypothesis } from '../domain/hypothesis.ts'
import type { Incident } from '../domain/incident.ts'
import { type MetricBound, type Plan, resourceOf } from '../domain/plan.ts'
import { Refusal, type RefusalCode } from '../domain/refusal.ts'
import type { ApprovalKernel, Presentation } from '../ports.ts'
import { type Asking, buildPlan, MAX_ATTEMPTS } from './build-plan.ts'
import type { Catalog, CatalogEntry } from './catalog.ts'
import { attemptsSpent, objectionToRepeat } from './repetition.ts'
import { shownChanges } from './shown-changes.ts'

/** What a policy decision about one candidate may depend on. */
export interface Candidate {
  incident: Pick<Incident, 'id' | 'service' | 'environment' | 'severity'>
  entry: CatalogEntry
  observation: Observation
  parameters: Parameters
  requester: string | null
  /** Two independent sources, one of them not writable by outsiders. */
  corroborated: boolean
}

export type PolicyAnswer = { decide: 'ask'; asking: Asking } | { decide: 'deny'; code: RefusalCode; reasons: string[] }

/** The card's side of a plan: a plan that does not fit on it is never asked. */
export interface PlanCard {
  fits(plan: Plan): boolean
  renderHash(plan: Plan): string
  renderVersion: number
}

export interface ProposeDeps {
  kernel: ApprovalKernel
  catalog: Catalog
  policy(candidate: Candidate): PolicyAnswer | Promise<PolicyAnswer>
  card: PlanCard
  /** Where the request will be shown. */
  presentations(incident: Pick<Incident, 'service' | 'environment'>): readonly Presentation[] | Promise<readonly Presentation[]>
  dependents(service: string): Promise<readonly string[]>
  build(): string | Promise<string>
  now: () => Date
}

export interface ProposalInput {
  incident: Incident
  hypothesis: Hypothesis
  corroborated: boolean
  symptom: MetricBound | null
  approvals: readonly Approval[]
  /** Who named the action; null when the agent suggests it. */
  requester: string | null
  /** A person asked for a fresh plan, so what was tried or refused before does not stand in the way. */
  asked: boolean
}

/** What became of the wish to act, with the reason in words where nothing is asked. */
export type Proposal =
  | { result: 'asked'; approval: Approval }
  | { result: 'nothing-fits'; words: string }
  | { result: 'held-back'; code: RefusalCode | null; words: string }

const READ_TIMEOUT_MS = 5_000
/** From the third change of one incident on, two people approve. */
const CHANGES_BEFORE_TWO_PEOPLE = 2

/** Makes a plan of the first action of the catalogue that fits the hypothesis, and puts it before people. It never carries anything out. */
export async function propose(deps: ProposeDeps, input: ProposalInput): Promise<Proposal> {
  const { incident, hypothesis } = input
  if (hypothesis.class === 'unknown') return { result: 'nothing-fits', words: 'The cause is not known, so no action is suggested.' }
  for (const entry of deps.catalog.inEnvironment(incident.environment)) {
    try {
      const suggestion = await entry.action.suggest(hypothesis, { service: incident.service, environment: incident.environment })
      if (suggestion) return await proposeAction(deps, input, entry, suggestion)
    } catch (error) {
      if (!(error instanceof IntegrationError)) throw error
      return heldBack('dry-run-failed', error.message)
    }
  }
  const { class: cause, component } = hypothesis
  if (component.startsWith('external/'))
    return {
      result: 'nothing-fits',
      words: `The cause (${cause.replaceAll('_', ' ')} of ${component}) is somebody else's: only they can mend it.`,
    }
  return {
    result: 'nothing-fits',
    words: `No action of the catalogue fits this cause (${cause.replaceAll('_', ' ')} of ${component}).`,
  }
}

/** Plans one named action on one named target. @throws nothing for expected ends: they come back in words. */
export async function proposeAction(
  deps: ProposeDeps,
  input: ProposalInput,
  entry: CatalogEntry,
  wanted: { target: { environment: string; name: string }; parameters: Parameters },
): Promise<Proposal> {
  const { action } = entry
  const parsed = action.definition.parameters.safeParse(wanted.parameters)
  if (!parsed.success)
    return heldBack('invalid-parameters', parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '))
  const signal = AbortSignal.timeout(READ_TIMEOUT_MS)
  const observation = await action.observe(wanted.target, signal)
  if (!observation) return heldBack('unknown-target', `${wanted.target.name} in ${wanted.target.environment}`)
  const repeat = objectionToRepeat(
    {
      action: { kind: action.definition.kind, version: action.definition.version, title: '' },
      resource: resourceOf(observation.target),
      parameters: parsed.data,
    },
    input.approvals,
    input.asked,
  )
  if (repeat) return { result: 'held-back', code: null, words: repeat }
  const answer = await deps.policy({
    incident: input.incident,
    entry,
    observation,
    parameters: parsed.data,
    requester: input.requester,
    corroborated: input.corroborated,
  })
  if (answer.decide === 'deny') return heldBack(answer.code, answer.reasons.join('; '))
  const spent = attemptsSpent(input.approvals, input.hypothesis)
  if (spent.ofCause >= MAX_ATTEMPTS) return heldBack('attempts-exhausted', null)
  // The database asks the same before it is sent; asking here puts it on the card.
  const needed = spent.ofIncident >= CHANGES_BEFORE_TWO_PEOPLE ? Math.max(2, answer.asking.needed) : answer.asking.needed
  return await ask(deps, input, { entry, observation, parameters: parsed.data, asking: { ...answer.asking, needed } }, signal)
}

async function ask(
  deps: ProposeDeps,
  input: ProposalInput,
  chosen: { entry: CatalogEntry; observation: Observation; parameters: Parameters; asking: Asking },
  signal: AbortSignal,
): Promise<Proposal> {
  const ids = { plan: randomUUID(), undo: randomUUID() }
  const { entry, observation, parameters } = chosen
  const [dryRun, dependents] = await Promise.all([
    entry.action.dryRun({ planId: ids.plan, target: observation.target, parameters, preconditions: observation.preconditions }, signal),
    deps.dependents(observation.target.name),
  ])
  if (dryRun.changes.length === 0)
    return { result: 'nothing-fits', words: `${entry.action.title(observation.target, parameters)} would change nothing.` }
  const { parent, undo } = buildPlan({
    ...chosen,
    ids,
    incident: input.incident,
    dryRun: { ...dryRun, changes: shownChanges(dryRun.changes) },
    symptom: input.symptom,
    cause: { class: input.hypothesis.class, component: input.hypothesis.component },
    dependents,
    requester: input.requester,
    build: await deps.build(),
    now: deps.now(),
  })
  if (!deps.card.fits(parent.plan)) return heldBack('plan-too-large', parent.plan.action.title)
  try {
    const approval = await deps.kernel.propose({
      parent,
      undo,
      presentations: await deps.presentations(input.incident),
      renderHash: deps.card.renderHash(parent.plan),
      renderVersion: deps.card.renderVersion,
    })
    return { result: 'asked', approval }
  } catch (error) {
    if (error instanceof Refusal) return heldBack(error.code, error.detail)
    throw error
  }
}

function heldBack(code: RefusalCode, detail: string | null): Proposal {
  return { result: 'held-back', code, words: new Refusal(code, detail).message }
}
