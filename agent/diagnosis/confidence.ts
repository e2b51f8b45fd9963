import { type EvidenceItem, independentKind, isAsked } from '../domain/evidence.ts'
import type { Claim, ConfidencePart } from '../domain/hypothesis.ts'
import type { Candidate } from './candidate.ts'

/** Per cent each part weighs when all of them speak. */
export const WEIGHTS: Readonly<Record<ConfidencePart['name'], number>> = { model: 35, validator: 25, retrieval: 25, evidence: 15 }

/** Metrics, logs, changes and workloads: with these a cause can be told. */
const ENOUGH_KINDS = 4

const WITHOUT_MODEL = 'no model spoke, so its 35 % are shared among the other parts'

export interface ConfidenceFacts {
  candidate: Pick<Candidate, 'class' | 'score' | 'signs'>
  claims: readonly Claim[]
  against: readonly Claim[]
  /** All evidence of the round, answered or not. */
  evidence: readonly EvidenceItem[]
}

/**
 * How sure a hypothesis is, with the parts it is made of. A part that cannot speak gives its weight to the others, in proportion, and says so:
 * a confidence is never raised or lowered in silence.
 */
export function confidenceOf(facts: ConfidenceFacts): { confidence: number; parts: ConfidencePart[] } {
  return withoutModel([validator(facts), retrieval(facts), evidence(facts)])
}

export type Scored = Omit<ConfidencePart, 'weight'>

/** Where no model spoke its weight is shared out, and the first part says so. */
export function withoutModel(scored: readonly Scored[]): { confidence: number; parts: ConfidencePart[] } {
  const others = othersThanModel(scored)
  const weights = shareOut(others.map(({ name }) => WEIGHTS[name]))
  const parts = others.map(({ name, score, why }, i) => ({
    ...{ name, score, weight: weights[i] ?? 0 },
    why: i === 0 ? `${why}; ${WITHOUT_MODEL}` : why,
  }))
  return { confidence: total(parts), parts }
}

/** The same with what a model says of it: then all parts speak, each with its own weight. */
export function withModel(parts: readonly Scored[], model: Scored): { confidence: number; parts: ConfidencePart[] } {
  const weighed = [model, ...othersThanModel(parts)].map(({ name, score, why }) => ({
    name,
    score: bounded(score),
    weight: WEIGHTS[name],
    why,
  }))
  return { confidence: total(weighed), parts: weighed }
}

function othersThanModel(parts: readonly Scored[]): Scored[] {
  return parts.filter(({ name }) => name !== 'model').map((part) => ({ ...part, why: part.why.replace(`; ${WITHOUT_MODEL}`, '') }))
}

function total(parts: readonly ConfidencePart[]): number {
  return Math.round(parts.reduce((sum, { score, weight }) => sum + (score * weight) / 100, 0))
}

/** The rule's own judgement, lowered by every claim that the evidence does not bear out. */
function validator({ candidate, claims, against }: ConfidenceFacts): Scored {
  const all = [...claims, ...against]
  const supported = all.filter((claim) => claim.supported).length
  const share = all.length === 0 ? 0 : supported / all.length
  return {
    name: 'validator',
    score: bounded(candidate.score * share),
    why: `the rule gives ${candidate.score} of 100; ${supported} of ${all.length} ${all.length === 1 ? 'statement' : 'statements'} ${supported === 1 ? 'is' : 'are'} borne out by the evidence`,
  }
}

/** How much of what the catalogue of faults says about this class was found. */
function retrieval({ candidate }: ConfidenceFacts): Scored {
  const { signs } = candidate
  const found =
    candidate.class === 'unknown'
      ? 'no known cause fits what was found'
      : `${signs.found} of ${signs.of} known ${signs.of === 1 ? 'sign' : 'signs'} of this class ${signs.found === 1 ? 'was' : 'were'} found`
  return {
    name: 'retrieval',
    score: bounded((candidate.score * signs.found) / Math.max(1, signs.of)),
    why: `${found}, and the rule gives ${candidate.score} of 100`,
  }
}

/** How many questions were answered, and by how many kinds of sources: the same for all hypotheses of a round. */
function evidence({ evidence: items }: ConfidenceFacts): Scored {
  const asked = items.filter(isAsked)
  const answered = asked.filter(({ status }) => status === 'ok' || status === 'empty')
  const kinds = new Set(answered.map(({ kind }) => independentKind(kind)))
  const score = asked.length === 0 ? 0 : 50 * (answered.length / asked.length) + 50 * Math.min(1, kinds.size / ENOUGH_KINDS)
  return {
    name: 'evidence',
    score: bounded(score),
    why: `${answered.length} of ${asked.length} ${asked.length === 1 ? 'question' : 'questions'} ${answered.length === 1 ? 'was' : 'were'} answered, by ${kinds.size} ${kinds.size === 1 ? 'kind' : 'kinds'} of ${kinds.size === 1 ? 'source' : 'sources'}`,
  }
}

/** Whole per cents in the proportion of the weights, together exactly 100 (largest remainders first). */
export function shareOut(weights: readonly number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const exact = weights.map((weight) => (100 * weight) / total)
  const shares = exact.map(Math.floor)
  const order = exact.map((value, i) => ({ i, rest: value - Math.floor(value) })).sort((a, b) => b.rest - a.rest || a.i - b.i)
  for (const { i } of order.slice(0, 100 - shares.reduce((sum, share) => sum + share, 0))) shares[i] = (shares[i] ?? 0) + 1
  return shares
}

function bounded(score: number): number {
  return Math.min(100, Math.max(0, Math.round(score)))
}
