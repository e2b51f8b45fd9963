import { randomUUID } from 'node:crypto'
import { IntegrationError } from '../../integrations/errors.ts'
import type { Action, ActionDefinition, DryRun, Observation, Parameters, Suggestion } from '../../integrations/ports/action.ts'
import { type Alert, latestOfEach } from '../domain/alert.ts'
import type { Approval } from '../domain/approval.ts'
import type { Hypothesis } from '../domain/hypothesis.ts'
import type { Incident } from '../domain/incident.ts'
import { issueWords } from '../domain/issue-words.ts'
import { type MetricBound, type Plan, resourceOf } from '../domain/plan.ts'
import { Refusal, type RefusalCode } from '../domain/refusal.ts'
import { haveSameOwners, type Located, type Workspace } from '../domain/workspace.ts'
import type { ApprovalKernel, Presentation } from '../ports.ts'
import { type Asking, buildPlan, MAX_ATTEMPTS } from './build-plan.ts'
import type { Catalog, CatalogEntry } from './catalog.ts'
import { attemptsSpent, objectionToRepeat } from './repetition.ts'
import { shownChanges } from './shown-changes.ts'
import { PAST_READ, whatSpeaksAgainst } from './tried-before.ts'

/** What a policy decision about one candidate may depend on. */
export interface Candidate {
  incident: Pick<Incident, 'id' | 'service' | 'environment' | 'severity'>
  entry: CatalogEntry
  observation: Observation
  parameters: Parameters
  requester: string | null
  /** Two independent sources, one of them not writable by outsiders. */
  corroborated: boolean
  /** Nobody asked for it, it is no drill, and it is not grave. */
  canWait: boolean
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
  /** What feels it when this service fails, the nearest first. */
  dependents(service: string, environment: string): Promise<readonly string[]>
  build(): string | Promise<string>
  /** None while everybody sees everything. */
  workspaces: readonly Workspace[]
  now: () => Date
}

export interface ProposalInput {
  incident: Incident
  hypothesis: Hypothesis
  corroborated: boolean
  symptom: MetricBound | null
  approvals: readonly Approval[]
  /** Of the incident; left out where nobody can name what is done about one of them. */
  alerts?: readonly Pick<Alert, 'source' | 'key' | 'status' | 'labels'>[]
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

type Wanted = Pick<Suggestion, 'target' | 'parameters'>

/** An action that may be asked, with all that its plan is made of. */
interface Chosen {
  planId: string
  entry: CatalogEntry
  observation: Observation
  parameters: Parameters
  asking: Asking
  dryRun: DryRun
}

type NotAsked = Exclude<Proposal, { result: 'asked' }>
export type Weighed = { result: 'fits'; chosen: Chosen } | NotAsked

/** From this severity on. */
const CAN_WAIT = 3
const READ_TIMEOUT_MS = 5_000
const PROBLEMS_TOLD = 5
/** As much of a sentence as a plan holds. */
const CAUTION_SHOWN = 300
/** From the third change of one incident on, two people approve. */
const CHANGES_BEFORE_TWO_PEOPLE = 2

/** Makes a plan of the first action of the catalogue that fits the hypothesis, and puts it before people. It never carries anything out. */
export async function propose(deps: ProposeDeps, input: ProposalInput): Promise<Proposal> {
  const { incident, hypothesis } = input
  try {
    const first = await firstFit(deps.catalog, hypothesis, incident)
    if (first) return await proposeAction(deps, input, first.entry, first.suggestion)
  } catch (error) {
    if (!(error instanceof IntegrationError)) throw error
    return heldBack('dry-run-failed', error.message)
  }
  return nothingFits(hypothesis)
}

/** The action that is proposed for a cause: the first of the catalogue that fits it. Null when none does. @throws IntegrationError */
export async function firstFit(
  catalog: Catalog,
  hypothesis: Hypothesis,
  { service, environment }: Pick<Incident, 'service' | 'environment'>,
): Promise<{ entry: CatalogEntry; suggestion: Suggestion } | null> {
  if (hypothesis.class === 'unknown') return null
  for (const entry of catalog.inEnvironment(environment)) {
    const suggestion = await entry.action.suggest(hypothesis, { service, environment })
    if (suggestion) return { entry, suggestion }
  }
  return null
}

function nothingFits({ class: cause, component }: Hypothesis): NotAsked {
  if (cause === 'unknown') return { result: 'nothing-fits', words: 'The cause is not known, so no action is suggested.' }
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
export async function proposeAction(deps: ProposeDeps, input: ProposalInput, entry: CatalogEntry, wanted: Wanted): Promise<Proposal> {
  const weighed = await weighAction(deps, input, entry, wanted)
  return weighed.result === 'fits' ? await ask(deps, input, weighed.chosen) : weighed
}

/** Everything that is asked about an action before people are: its bounds, its target, what was tried before, the policy, the dry run. Changes nothing. */
export async function weighAction(deps: ProposeDeps, input: ProposalInput, entry: CatalogEntry, wanted: Wanted): Promise<Weighed> {
  const { action } = entry
  const signal = AbortSignal.timeout(READ_TIMEOUT_MS)
  const parsed = action.definition.parameters.safeParse(wanted.parameters)
  if (!parsed.success) return heldBack('invalid-parameters', parameterProblems(action.definition, wanted.parameters).join('; '))
  const observation = await action.observe(wanted.target, signal)
  if (!observation) return heldBack('unknown-target', `${wanted.target.name} in ${wanted.target.environment}`)
  if (!(await isForWhoeverReads(deps, input.incident, action, observation.target)))
    return { result: 'held-back', code: null, words: elsewhereWords(input.incident, action, observation.target, parsed.data) }
  if (action.ofAlert && !isFiringHere(action.ofAlert(parsed.data), input.alerts ?? []))
    return { result: 'held-back', code: null, words: `${input.incident.id} has no alert that fires with exactly these labels` }
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
    canWait: !input.asked && input.incident.drillRun === null && input.incident.severity >= CAN_WAIT,
  })
  if (answer.decide === 'deny') return heldBack(answer.code, answer.reasons.join('; '))
  const spent = attemptsSpent(input.approvals, input.hypothesis)
  if (spent.ofCause >= MAX_ATTEMPTS) return heldBack('attempts-exhausted', null)
  // The database asks the same before it is sent; asking here puts it on the card.
  const needed = spent.ofIncident >= CHANGES_BEFORE_TWO_PEOPLE ? Math.max(2, answer.asking.needed) : answer.asking.needed
  const asking = { ...answer.asking, needed }
  const { target, preconditions } = observation
  const planId = randomUUID()
  const dryRun = await action.dryRun({ planId, target, parameters: parsed.data, preconditions }, signal)
  if (dryRun.changes.length === 0) return { result: 'nothing-fits', words: `${action.title(target, parsed.data)} would change nothing.` }
  return { result: 'fits', chosen: { planId, entry, observation, parameters: parsed.data, asking, dryRun } }
}

/** Something done about an alert is asked for only in an incident of this alert, and never about a wider one. */
function isFiringHere(wanted: Readonly<Record<string, string>>, alerts: NonNullable<ProposalInput['alerts']>): boolean {
  const names = Object.keys(wanted)
  return latestOfEach(alerts).some(
    ({ status, labels }) =>
      status === 'firing' && Object.keys(labels).length === names.length && names.every((name) => labels[name] === wanted[name]),
  )
}

/** Whether whoever reads the incident is also who looks after all that the action would change: nobody else is asked about it. @throws IntegrationError */
async function isForWhoeverReads(
  { workspaces }: Pick<ProposeDeps, 'workspaces'>,
  incident: Located,
  { byHand }: Action,
  { environment, name }: Observation['target'],
): Promise<boolean> {
  if (workspaces.length === 0) return true
  const concerned = (await byHand?.concerns?.(name)) ?? { environment, services: [name] }
  return concerned.services.every((service) => haveSameOwners(workspaces, incident, { service, environment: concerned.environment }))
}

function elsewhereWords({ id }: Incident, action: Action, target: Observation['target'], parameters: Parameters): string {
  const title = action.title(target, parameters)
  return `${target.name} and ${id} belong to different workspaces, so "${title}" is not asked for here: whoever looks after ${target.name} has to ask for it`
}

async function ask(deps: ProposeDeps, input: ProposalInput, chosen: Chosen): Promise<Proposal> {
  const ids = { plan: chosen.planId, undo: randomUUID() }
  const { observation, dryRun } = chosen
  const dependents = await deps.dependents(observation.target.name, observation.target.environment)
  const past = await deps.kernel.approvals({ carriedOutOn: resourceOf(observation.target), limit: PAST_READ })
  const facts = {
    ...chosen,
    ids,
    incident: input.incident,
    dryRun: { ...dryRun, changes: shownChanges(dryRun.changes) },
    symptom: input.symptom,
    cause: { class: input.hypothesis.class, component: input.hypothesis.component },
    dependents,
    cautions: [...(dryRun.cautions ?? []), ...whatSpeaksAgainst(dryRun.changes, past.items)].map((words) => words.slice(0, CAUTION_SHOWN)),
    requester: input.requester,
    build: await deps.build(),
    now: deps.now(),
  }
  // Neither advice nor what others call themselves keeps an action from being asked for.
  const lessAndLess = [facts, { ...facts, dependentsNamed: 0 }, { ...facts, cautions: [] }, { ...facts, cautions: [], dependentsNamed: 0 }]
  const fitting = lessAndLess.map(buildPlan).find(({ parent }) => deps.card.fits(parent.plan))
  if (!fitting) return heldBack('plan-too-large', chosen.entry.action.title(observation.target, chosen.parameters))
  const { parent, undo } = fitting
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

/** What is wrong with parameters, one phrase each; empty when nothing is. */
export function parameterProblems({ parameters: schema }: ActionDefinition, parameters: Parameters): string[] {
  const { error } = schema.safeParse(parameters, { error: issueWords })
  return (error?.issues ?? []).slice(0, PROBLEMS_TOLD).map(({ path, message }) => [path.join('.'), message].filter(Boolean).join(' '))
}

function heldBack(code: RefusalCode, detail: string | null): NotAsked {
  return { result: 'held-back', code, words: new Refusal(code, detail).message }
}
