import type { Edge } from '../../topology/dependency-graph.ts'
import { createOwnShare } from './own-share.ts'
import { measureSurprise, type Surprise } from './surprise.ts'
import type { MeasureKind, RankingQuestion } from './tracks.ts'

/** A component and why it is where it is. */
export interface RankedComponent {
  component: string
  /** 0 and more: the sum of its reasons. */
  score: number
  /** When the first of what speaks for it left the usual, seconds since 1970. */
  since: number | null
  /** One for each kind of measure that speaks for it, the strongest first. */
  reasons: Reason[]
}

export interface Reason {
  kind: MeasureKind
  metric: string
  /** What it adds to the score. */
  score: number
  /** How far it left the usual, see Surprise. */
  surprise: number
  usual: number
  rise: number
  /** Whether it went up; what fell has no rise that counts. */
  isUp: boolean
  /** 0–1: what of it is not explained by what the component calls. */
  ownShare: number
  since: number | null
}

export interface Ranking {
  /** Every component of the question, best first; equal ones by name. */
  components: RankedComponent[]
  /** Nothing left the usual enough to blame anybody: the order is then not to be trusted. */
  abstained: boolean
}

/** How much each kind says about its own component. Load and what is seen of others say little about oneself. */
const WEIGHTS: Readonly<Record<MeasureKind, number>> = {
  cpu: 1,
  memory: 1,
  latency: 1,
  errors: 1,
  network: 1,
  io: 0.5,
  traffic: 0.2,
  calls: 0.2,
  other: 0.2,
}
/** Failing where slowness was noticed, or slowness where failing was: possible, and less likely. */
const OTHER_SYMPTOM_WEIGHT = 0.3
/** An address that only its callers measured: the component behind it, where it is known, is the better name. */
const CALLERS_ONLY_WEIGHT = 0.3
/** On no path of calls from where the trouble was noticed. */
const UNRELATED_WEIGHT = 0.2
/** Below this the best is no better than chance: about twice the spread, once, in one kind of measure. */
const ENOUGH = 1

/**
 * Where the trouble comes from, by numbers alone. Each kind of measure is one witness: its loudest series counts, on a logarithmic scale, so
 * that one measure that moves a thousandfold does not outweigh three that move tenfold. Latency and errors count as far as they are the
 * component's own. Pure.
 */
export function rankComponents(question: RankingQuestion): Ranking {
  const surprises = measureSurprise(question)
  const ownShare = createOwnShare(surprises, question.calls)
  const related = downstreamOf(question)
  const reasons = [
    ...surprises.filter(({ track }) => track.kind !== 'network').map(ownReason(question, ownShare)),
    ...networkReasons(surprises),
  ]
  const byComponent = Map.groupBy(reasons, ({ component }) => component)
  const components = [...byComponent].map(([component, own]) => {
    const weight = related === null || related.has(component) ? 1 : UNRELATED_WEIGHT
    return describe(component, loudestOfEachKind(own), weight)
  })
  components.sort((a, b) => b.score - a.score || (a.component < b.component ? -1 : 1))
  return { components, abstained: (components[0]?.score ?? 0) < ENOUGH }
}

type ReasonOf = Reason & { component: string }

function ownReason({ symptom, seenByCallersOnly }: RankingQuestion, ownShare: (surprise: Surprise) => number) {
  return (surprise: Surprise): ReasonOf => {
    const { component, kind, metric } = surprise.track
    const share = ownShare(surprise)
    const isOtherSymptom = symptom !== null && travels(kind) && travels(symptom.kind) && symptom.kind !== kind
    const weight =
      WEIGHTS[kind] *
      share *
      (isOtherSymptom ? OTHER_SYMPTOM_WEIGHT : 1) *
      (seenByCallersOnly.has(component) && travels(kind) ? CALLERS_ONLY_WEIGHT : 1)
    const { size, usual, rise, isUp, since } = surprise
    return { component, kind, metric, score: loudness(size) * weight, surprise: size, usual, rise, isUp, ownShare: share, since }
  }
}

function travels(kind: MeasureKind): boolean {
  return kind === 'latency' || kind === 'errors'
}

/** 0 for what stays within its usual spread; then each factor of 2.7 adds one. */
function loudness(size: number): number {
  return Math.log(Math.max(1, size))
}

/**
 * A slow network of one component slows all calls that touch it, and no others. So a component is to blame as far as its calls are slow
 * (purity), and as far as the slow calls are its own (cover).
 */
function networkReasons(surprises: readonly Surprise[]): ReasonOf[] {
  const calls = surprises.filter(({ track }) => track.kind === 'network')
  const loudest = Math.max(0, ...calls.map(({ size }) => loudness(size)))
  const total = calls.reduce((sum, { size }) => sum + loudness(size), 0)
  if (total === 0) return []
  const ends = new Set(calls.flatMap(({ track }) => [track.component, ...(track.caller === undefined ? [] : [track.caller])]))
  return [...ends].flatMap((component): ReasonOf[] => {
    const own = calls.filter(({ track }) => track.component === component || track.caller === component)
    const [first] = own.toSorted((a, b) => b.size - a.size)
    const sum = own.reduce((all, { size }) => all + loudness(size), 0)
    const share = Math.sqrt((sum / (own.length * loudest)) * (sum / total))
    if (!first) return []
    const { size, usual, rise, isUp, since, track } = first
    const score = WEIGHTS.network * share * loudness(size)
    return [{ component, kind: 'network', metric: track.metric, score, surprise: size, usual, rise, isUp, ownShare: share, since }]
  })
}

function loudestOfEachKind(reasons: readonly ReasonOf[]): ReasonOf[] {
  const best = [...Map.groupBy(reasons, ({ kind }) => kind).values()].map((same) => same.reduce((a, b) => (b.score > a.score ? b : a)))
  return best.sort((a, b) => b.score - a.score)
}

function describe(component: string, reasons: readonly ReasonOf[], weight: number): RankedComponent {
  const weighed = reasons.map(({ component: _, ...reason }) => ({ ...reason, score: reason.score * weight }))
  const starts = weighed.flatMap(({ score, since }) => (score > 0 && since !== null ? [since] : []))
  return {
    component,
    score: weighed.reduce((sum, { score }) => sum + score, 0),
    since: starts.length === 0 ? null : Math.min(...starts),
    reasons: weighed,
  }
}

/** Where the trouble was noticed and all it calls, directly or through others; null when it is not known. */
function downstreamOf({ symptom, calls }: RankingQuestion): ReadonlySet<string> | null {
  if (symptom === null || !calls.some(({ from }) => from === symptom.component)) return null
  const called = Map.groupBy<string, Edge>(calls, ({ from }) => from)
  const reached = new Set([symptom.component])
  for (const component of reached) for (const { to } of called.get(component) ?? []) reached.add(to)
  return reached
}
