import type { ModelPort } from '../../integrations/ports/model.ts'
import { createCitationCheck } from '../diagnosis/citations.ts'
import { isDoubted } from '../diagnosis/doubt.ts'
import { withOpinion, withoutOpinion } from '../diagnosis/second-opinion.ts'
import { classWords } from '../diagnosis/wording.ts'
import type { Alert } from '../domain/alert.ts'
import type { Hypothesis } from '../domain/hypothesis.ts'
import { ENDED_STATES, type Incident } from '../domain/incident.ts'
import type { DataKind } from '../domain/model-data.ts'
import { isForReadersOf } from '../domain/workspace.ts'
import { toolsFor } from '../tools/registry.ts'
import { type InvestigationDeps, inventoryFor } from './investigate.ts'
import { type LoopDeps, runLoop } from './loop.ts'
import { causesOf, type ModelHelp } from './model-help.ts'
import type { IncidentFacts } from './model-prompts.ts'
import { type Opinion, readReport } from './opinion.ts'
import { type OutsideTools, outsideTools } from './outside-tools.ts'
import { createReader } from './reading.ts'
import { reviewOf } from './review.ts'
import { type Scope, scopeOf } from './scope.ts'
import { toldEvidence } from './told-evidence.ts'
import { afterStep, type Step, type StepAt, type Transcript, transcriptOf } from './transcript.ts'

type Started = Extract<Step, { kind: 'started' }>

/** One incident is looked into by a model this often at most, whoever asks. */
const MOST_RUNS = 5

/**
 * Lets a model look into an incident that rules have diagnosed, or goes on where a crash cut that off, and puts what it thinks beside what they
 * think. It changes no state, proposes nothing, and takes nothing away. Does nothing when a model has looked already and that was told, unless a person asks.
 *
 * @throws the signal's reason when it fired; what was found out stands in rows
 */
export async function refine(
  deps: InvestigationDeps,
  help: ModelHelp,
  about: { incidentId: string; asked: boolean },
  signal: AbortSignal,
): Promise<void> {
  const { incidents, now } = deps
  const { incidentId } = about
  const [incident, alerts, inventory, earlier] = await Promise.all([
    incidents.get(incidentId),
    incidents.alerts(incidentId),
    deps.topology.inventory(),
    help.runs.latest(incidentId),
  ])
  if (!incident || ENDED_STATES.includes(incident.state)) return
  const found = earlier === null ? null : transcriptOf(earlier.steps)
  const isOpen = earlier !== null && found?.ended === null
  // A crash came between its end and its word.
  const isUntold = earlier !== null && found?.ended && (await toldRuns(deps, incidentId)) < earlier.number
  if (!isOpen && !isUntold && earlier !== null && (!about.asked || earlier.number >= MOST_RUNS)) return
  const scope = scopeOf(incident, alerts, inventoryFor(incident, inventory, deps), now())
  const allowed = allowedFor(help.models, incident, deps)
  if (isUntold) return await conclude(deps, help, { incident, alerts, scope, allowed }, earlier, signal)
  const outside = await outsideTools({ ...deps, prompts: help.prompts, signal }, { incident, scope, allowed })
  const frame: Frame = { incident, scope, allowed, outside }
  const run = isOpen ? earlier : { ...(await help.runs.start(incidentId, 'investigation')), steps: [] }
  const first: StepAt =
    run.steps.length > 0
      ? { kind: 'resumed', withheld: [...outside.withheld], at: now() }
      : { ...(await started(deps, help, frame, alerts)), at: now() }
  const steps = [...run.steps]
  const append = async (step: StepAt): Promise<void> => {
    await help.runs.append(run.id, steps.length + 1, step)
    steps.push(step)
  }
  await append(first)
  for await (const step of runLoop(loopDeps(deps, help, frame, signal), steps.slice())) await append(step)
  await conclude(deps, help, { incident, alerts, scope, allowed }, { id: run.id, steps }, signal)
}

/** What comes after its end: the word of a second provider where one is wanted, then that of both. */
async function conclude(
  deps: InvestigationDeps,
  help: ModelHelp,
  { incident, alerts, scope, allowed }: Pick<Frame, 'incident' | 'scope' | 'allowed'> & { alerts: readonly Alert[] },
  run: { id: number; steps: readonly StepAt[] },
  signal: AbortSignal,
): Promise<void> {
  const transcript = transcriptOf(run.steps)
  if (transcript.review !== null || !help.reviews) return await tellOpinion(deps, incident.id, transcript)
  const [evidence, facts] = await Promise.all([deps.incidents.evidence(incident.id), factsFor(deps, { incident, scope, allowed }, alerts)])
  // What rules think is left out: an eye that knows it is no second one.
  const review = await reviewOf(deps, help, transcript, { scope, facts: { ...facts, hypotheses: [] }, evidence }, signal)
  if (review === null) return await tellOpinion(deps, incident.id, transcript)
  const step = { ...review, at: deps.now() }
  await help.runs.append(run.id, run.steps.length + 1, step)
  await tellOpinion(deps, incident.id, afterStep(transcript, step))
}

async function factsFor(
  { incidents }: Pick<InvestigationDeps, 'incidents'>,
  { incident, scope, allowed }: Pick<Frame, 'incident' | 'scope' | 'allowed'>,
  alerts: readonly Alert[],
): Promise<IncidentFacts> {
  const [hypotheses, evidence] = await Promise.all([incidents.hypotheses(incident.id), incidents.evidenceSummaries(incident.id)])
  return { incident, since: scope.startedAt, now: scope.to, services: scope.near, alerts, hypotheses, evidence, allowed }
}

/** Only what every one of them may be told, whichever answers, and only what everybody may read who sees the incident: they read what it says. */
export function allowedFor(
  models: readonly ModelPort[],
  incident: Incident,
  { workspaces = [] }: Pick<InvestigationDeps, 'workspaces'>,
): ReadonlySet<DataKind> {
  const [first, ...others] = models
  const told = first?.tells.filter((kind) => others.every(({ tells }) => tells.includes(kind))) ?? []
  return new Set(told.filter((kind) => isForReadersOf(workspaces, incident, incident, kind)))
}

interface Frame {
  incident: Incident
  scope: Scope
  allowed: ReadonlySet<DataKind>
  outside: OutsideTools
}

async function started(
  deps: InvestigationDeps,
  { prompts, budget }: ModelHelp,
  { incident, scope, allowed, outside }: Frame,
  alerts: readonly Alert[],
): Promise<Started> {
  const facts = await factsFor(deps, { incident, scope, allowed }, alerts)
  return {
    kind: 'started',
    prompts: [...prompts.used],
    system: prompts.system({ calls: budget.calls }),
    user: prompts.incident(facts),
    budget,
    tells: [...allowed],
    withheld: [...outside.withheld],
  }
}

function loopDeps(
  deps: InvestigationDeps,
  { models, prompts }: ModelHelp,
  { incident, scope, allowed, outside }: Frame,
  signal: AbortSignal,
): LoopDeps {
  const { incidents, now, log } = deps
  return {
    models,
    tools: new Map([...outside.tools, ...toolsFor(allowed)]),
    scope: { read: createReader(scope, { ...deps, signal }), services: scope.near },
    texts: {
      tools: [...prompts.tools(allowed), ...outside.described],
      report: prompts.report,
      lastTurn: prompts.lastTurn,
      repair: prompts.repair,
    },
    ...toldEvidence(incidents, incidents, incident.id, allowed),
    async conclude(report) {
      const [evidence, hypotheses] = await Promise.all([incidents.evidence(incident.id), incidents.hypotheses(incident.id)])
      const names = [...scope.inventory.graph.services, ...scope.near]
      return readReport(report, {
        components: new Set([
          ...hypotheses.map(({ component }) => component),
          ...scope.near.map((service) => `service/${service}`),
          ...scope.inventory.outside.map(({ name }) => `external/${name}`),
        ]),
        labels: new Set(evidence.map(({ label }) => label)),
        check: createCitationCheck(evidence, new Set(names)),
      })
    },
    now,
    signal,
    log,
  }
}

const CONCLUDED = 'model-concluded'
const ENDED = 'model-ended'

/** How many runs the timeline tells of; each is told once. */
async function toldRuns({ incidents }: InvestigationDeps, incidentId: string): Promise<number> {
  return (await incidents.timeline(incidentId)).filter(({ kind }) => kind === CONCLUDED || kind === ENDED).length
}

/** Puts the opinion beside the diagnosis, and says on the timeline what it came to and what it cost. */
async function tellOpinion({ incidents }: InvestigationDeps, incidentId: string, transcript: Transcript): Promise<void> {
  const { ended, spent, model, review } = transcript
  if (!ended) throw new Error('an investigation by a model ends with a step that says how')
  const before = withoutOpinion(await incidents.hypotheses(incidentId))
  const causes = causesOf(transcript)
  if (causes) await incidents.saveHypotheses(incidentId, withOpinion(before, causes))
  const cost = `${spent.tokens} tokens, ${spent.calls} ${spent.calls === 1 ? 'question' : 'questions'}, ${Math.round(spent.seconds)} s`
  await incidents.record(incidentId, {
    kind: ended.opinion ? CONCLUDED : ENDED,
    text: ended.opinion
      ? `${judgement(before, ended.opinion)} (${cost}).${review ? ` ${reviewWords(review)}` : ''}`
      : `A model looked and gave no opinion: ${ended.words} (${cost}).`,
    detail: { outcome: ended.outcome, tokens: spent.tokens, calls: spent.calls, dollars: spent.dollars, ...(model ?? {}) },
  })
}

/** In words of our own: what it says itself is only shown as claims that were checked. */
function judgement([first]: readonly Hypothesis[], { causes }: Opinion): string {
  const sound = causes.filter((cause) => cause.class === 'unknown' || cause.claims.some(({ supported }) => supported))
  if (sound.length === 0) return 'A model looked too, and nothing it says is borne out by the evidence'
  const [said] = sound.toSorted((a, b) => b.confidence - a.confidence)
  if (!said || said.class === 'unknown') return 'A model looked too, and does not know the cause either'
  const agrees = first !== undefined && first.class === said.class && first.component === said.component
  if (agrees) return `A model looked too, and agrees: ${classWords(said.class)} of ${said.component}, ${said.confidence} %`
  return `A model looked too, and suspects ${classWords(said.class)} of ${said.component}, ${said.confidence} %`
}

/** In words of our own, as above. */
function reviewWords({ verdict, words, provider, statements }: NonNullable<Transcript['review']>): string {
  if (verdict === null) return `A second one (${provider}) was to refute that, and ${words}: nothing changes.`
  if (verdict !== 'disagrees') return `A second one (${provider}) ${verdict === 'agrees' ? 'agrees' : 'cannot decide'}.`
  if (!isDoubted({ verdict, statements })) return `A second one (${provider}) disagrees, and nothing it says is borne out: nothing changes.`
  return `A second one (${provider}) disagrees, with evidence: what the first one says counts half.`
}
