import { createCitationCheck } from '../diagnosis/citations.ts'
import type { Claim } from '../domain/hypothesis.ts'
import type { Incident } from '../domain/incident.ts'
import { type DataKind, mayTell } from '../domain/model-data.ts'
import type { IncidentStore } from '../ports.ts'
import { toolsFor } from '../tools/registry.ts'
import type { Topology } from '../topology/inventory.ts'
import type { Budget } from './budget.ts'
import { type InvestigationDeps, inventoryFor } from './investigate.ts'
import { type LoopDeps, runLoop } from './loop.ts'
import { readAnswer } from './model-answer.ts'
import type { ModelHelp } from './model-help.ts'
import { ANSWER } from './model-prompts.ts'
import { type ModelUse, modelUseOf } from './model-use.ts'
import { type OutsideTools, outsideTools } from './outside-tools.ts'
import { createReader } from './reading.ts'
import { allowedFor } from './refine.ts'
import { type Scope, scopeOf } from './scope.ts'
import { toldEvidence } from './told-evidence.ts'
import type { StepAt } from './transcript.ts'

/** What one answer may use at most: somebody waits for it. */
const BUDGET: Budget = { seconds: 20, turns: 4, calls: 6, tokens: 20_000, dollars: 0.2 }
/** Of one process: a flood of questions must not become a flood of money. */
const MOST_AT_ONCE = 2
const MOST_AN_HOUR = 60
/** Each leaves evidence and a trace in its incident. */
const MOST_OF_AN_INCIDENT = 60
const HOUR_MS = 3_600_000
/** Of what was long over nothing newer is read. */
const AFTER_END_MS = 10 * 60_000

/** What whoever asks sees: an answer is made of nothing else. */
export interface Sees {
  incidents: Pick<IncidentStore, 'get' | 'alerts' | 'hypotheses' | 'evidence' | 'evidenceSummaries' | 'evidenceItem'>
  topology: Topology
  reads(incident: Incident, kind: DataKind): boolean
}

export type Answered =
  /** `statements` are borne out by what they cite; `struck` were not, and are not told. */
  { result: 'answered'; statements: Claim[]; struck: number; unknown: string[]; use: ModelUse } | { result: 'no-answer'; words: string }

/** Something that is looked at on the way to an answer: which tool the model uses for the how-manieth time, and what came of it. */
export interface Looked {
  nth: number
  /** By its name in the registry, where it is one of those. */
  tool: string
  state: 'asked' | 'found' | 'failed'
}

/** @param looked told of each step as it is taken; it must not throw */
export type Questions = (seen: Sees, question: { incidentId: string; text: string }, looked?: (step: Looked) => void) => Promise<Answered>

type QuestionDeps = Pick<InvestigationDeps, 'sources' | 'runbooks' | 'workspaces' | 'now' | 'log'> & {
  help: ModelHelp
  /** Where what a question found is kept. */
  evidence: Pick<IncidentStore, 'addEvidence'>
}

/** Questions about one incident, answered by a model from what is stored and what read-only tools find, all of it within what the asker sees. */
export function createQuestions(deps: QuestionDeps): Questions {
  const { now, log } = deps
  let underWay = 0
  let begun: number[] = []
  return async (seen, question, looked = () => {}) => {
    begun = begun.filter((at) => at > now().getTime() - HOUR_MS)
    if (underWay >= MOST_AT_ONCE || begun.length >= MOST_AN_HOUR)
      return { result: 'no-answer', words: 'it is asked too much at the moment' }
    begun.push(now().getTime())
    underWay += 1
    try {
      return await answer(deps, seen, question, looked)
    } catch (error) {
      log.warn({ err: error, incident: question.incidentId }, 'a question could not be answered by a model')
      return { result: 'no-answer', words: 'something went wrong' }
    } finally {
      underWay -= 1
    }
  }
}

async function answer(
  deps: QuestionDeps,
  seen: Sees,
  { incidentId, text }: { incidentId: string; text: string },
  looked: (step: Looked) => void,
): Promise<Answered> {
  const { help, now } = deps
  const { incidents } = seen
  const [incident, alerts, inventory, hypotheses, evidence] = await Promise.all([
    incidents.get(incidentId),
    incidents.alerts(incidentId),
    seen.topology.inventory(),
    incidents.hypotheses(incidentId),
    incidents.evidenceSummaries(incidentId),
  ])
  if (!incident) return { result: 'no-answer', words: 'there is no such incident' }
  if ((await help.runs.count(incidentId, 'question')) >= MOST_OF_AN_INCIDENT)
    return { result: 'no-answer', words: `it was asked ${MOST_OF_AN_INCIDENT} questions about this incident, which is the most` }
  const until = Math.min(now().getTime(), (incident.endedAt?.getTime() ?? Number.POSITIVE_INFINITY) + AFTER_END_MS)
  const scope = scopeOf(incident, alerts, inventoryFor(incident, inventory, deps), new Date(until))
  // What is found is stored, and read by everybody who sees the incident: so it is what they and the asker may read.
  const allowed = new Set([...allowedFor(help.models, incident, deps)].filter((kind) => seen.reads(incident, kind)))
  const { question } = help.prompts
  const budget = smaller(BUDGET, help.budget)
  const facts = { incident, since: scope.startedAt, now: scope.to, services: scope.near, alerts, hypotheses, evidence, allowed }
  const signal = AbortSignal.timeout(budget.seconds * 1_000 + 5_000)
  const outside = await outsideTools({ ...deps, prompts: help.prompts, signal }, { incident, scope, allowed })
  const run = await help.runs.start(incidentId, 'question')
  const steps: StepAt[] = []
  const append = async (step: StepAt): Promise<void> => {
    await help.runs.append(run.id, steps.length + 1, step)
    for (const each of lookedIn(step, steps)) looked(each)
    steps.push(step)
  }
  await append({
    ...{ kind: 'started', prompts: [...question.used], budget, tells: [...allowed], withheld: [...outside.withheld], at: now() },
    ...{ system: question.system({ calls: budget.calls }), user: question.ask(text, facts) },
  })
  for await (const step of runLoop(loopDeps(deps, seen, { incident, scope, allowed, outside }, signal), steps.slice())) await append(step)
  return answeredBy(steps)
}

/** What a step asks for, each by its place among all that was asked for before; or what came of one of those. */
function lookedIn(step: StepAt, before: readonly StepAt[]): Looked[] {
  const asked = before.flatMap((each) => (each.kind === 'answered' ? each.calls : []))
  if (step.kind === 'answered')
    return (
      step.calls
        .map(({ name }, index): Looked => ({ nth: asked.length + index + 1, tool: name, state: 'asked' }))
        // To answer is not to look.
        .filter(({ tool }) => tool !== ANSWER)
    )
  if (step.kind !== 'result' || step.name === ANSWER) return []
  const nth = asked.findLastIndex(({ id }) => id === step.call) + 1
  const isFound = ['ok', 'empty', 'repeated'].includes(step.status)
  return nth === 0 ? [] : [{ nth, tool: step.name, state: isFound ? 'found' : 'failed' }]
}

function answeredBy(steps: readonly StepAt[]): Answered {
  const ended = steps.find((step) => step.kind === 'ended')
  const use = modelUseOf(steps)
  if (!ended?.answer || !use) return { result: 'no-answer', words: ended?.words ?? 'it did not end' }
  const { statements, unknown } = ended.answer
  const sound = statements.filter(({ supported }) => supported)
  if (sound.length === 0)
    return { result: 'no-answer', words: statements.length === 0 ? 'it does not know' : 'nothing it said is borne out by the evidence' }
  return { result: 'answered', statements: sound, struck: statements.length - sound.length, unknown, use }
}

function loopDeps(
  { help: { models, prompts }, evidence, now, log, ...deps }: QuestionDeps,
  { incidents }: Sees,
  { incident, scope, allowed, outside }: { incident: Incident; scope: Scope; allowed: ReadonlySet<DataKind>; outside: OutsideTools },
  signal: AbortSignal,
): LoopDeps {
  return {
    models,
    tools: new Map([...outside.tools, ...toolsFor(allowed)]),
    scope: { read: createReader(scope, { ...deps, log, signal }), services: scope.near },
    texts: {
      tools: [...prompts.tools(allowed), ...outside.described],
      report: prompts.question.report,
      lastTurn: prompts.question.lastTurn,
      repair: prompts.question.repair,
    },
    ...toldEvidence(evidence, incidents, incident.id, allowed),
    async conclude(report) {
      const known = (await incidents.evidence(incident.id)).filter(({ kind }) => mayTell(kind, allowed))
      const names = new Set([...scope.inventory.graph.services, ...scope.near])
      const read = readAnswer(report, { labels: new Set(known.map(({ label }) => label)), check: createCitationCheck(known, names) })
      return read.ok ? { ok: true, opinion: null, answer: read.answer } : read
    },
    now,
    signal,
    log,
  }
}

function smaller(one: Budget, other: Budget): Budget {
  const least = (limit: keyof Budget): number => Math.min(one[limit], other[limit])
  return { seconds: least('seconds'), turns: least('turns'), calls: least('calls'), tokens: least('tokens'), dollars: least('dollars') }
}
