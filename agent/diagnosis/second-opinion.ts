import type { Claim, ConfidencePart, Hypothesis } from '../domain/hypothesis.ts'
import { type Scored, withModel, withoutModel } from './confidence.ts'

/** One cause as a model sees it, its statements checked. */
export type ModelCause = Pick<Hypothesis, 'class' | 'component' | 'confidence' | 'claims' | 'against' | 'unknown'> & {
  /** The model of another provider disagrees, with a reason that the evidence bears out. */
  doubted?: boolean
}

const MOST_HYPOTHESES = 4
const CLAIMS_ADDED = 3
/** What the cross-check gives a cause that only the model sees, when all it says is borne out: possible, and no more. */
const UNSEEN_SCORE = 30
/** What is left of a model's word where another one disagrees. */
const DOUBTED = 0.5
const NO_RULE = 'no rule sees this cause'

/**
 * What rules and a model think, in one list. On a cause that both see the model's word is a part of the confidence, and what it adds stands
 * beside what the rules say. A cause that only the model sees comes after theirs, and the rules' second opinion of it is low by design: no text
 * that a model may have believed stands before what was measured. One with no statement that the evidence bears out is left out. Pure.
 */
export function withOpinion(own: readonly Hypothesis[], opinion: readonly ModelCause[]): Hypothesis[] {
  const merged = own.map((hypothesis) => {
    const said = opinion.find((cause) => isSame(cause, hypothesis))
    return said ? agreed(hypothesis, said) : hypothesis
  })
  const evidence = own[0]?.parts.find(({ name }) => name === 'evidence')
  const others = opinion
    .filter((cause) => cause.class !== 'unknown' && !own.some((hypothesis) => isSame(cause, hypothesis)))
    .filter(({ claims }) => claims.some(({ supported }) => supported))
    .map((cause) => unseen(cause, evidence))
  return [...bestFirst(merged), ...bestFirst(others)].slice(0, MOST_HYPOTHESES).map((hypothesis, i) => ({ ...hypothesis, rank: i + 1 }))
}

/** What the rules alone think, of what was stored with an opinion beside it. Pure. */
export function withoutOpinion(hypotheses: readonly Hypothesis[]): Hypothesis[] {
  const isOwn = ({ by }: Claim): boolean => by !== 'model'
  const own = hypotheses
    .filter(({ parts }) => !isUnseen(parts))
    .map((hypothesis) => ({
      ...hypothesis,
      ...(hypothesis.parts.some(({ name }) => name === 'model') ? withoutModel(hypothesis.parts) : {}),
      claims: hypothesis.claims.filter(isOwn),
      against: hypothesis.against.filter(isOwn),
    }))
  return bestFirst(own).map((hypothesis, i) => ({ ...hypothesis, rank: i + 1 }))
}

function bestFirst(hypotheses: readonly Hypothesis[]): Hypothesis[] {
  return hypotheses.toSorted((a, b) => b.confidence - a.confidence)
}

function isSame(a: Pick<Hypothesis, 'class' | 'component'>, b: Pick<Hypothesis, 'class' | 'component'>): boolean {
  return a.class === b.class && (a.component === b.component || a.class === 'unknown')
}

function agreed(own: Hypothesis, said: ModelCause): Hypothesis {
  const { supported, all } = counted(said)
  const model: Scored = {
    name: 'model',
    score: said.confidence * weightOf(said),
    why: `the model gives ${said.confidence} of 100${doubtWords(said)}; ${supported} of ${all} of its statements are borne out by the evidence`,
  }
  return {
    ...own,
    ...withModel(own.parts, model),
    claims: [...own.claims, ...added(said.claims, own.claims)],
    against: [...own.against, ...added(said.against, own.against)],
  }
}

function unseen(said: ModelCause, evidence: ConfidencePart | undefined): Hypothesis {
  const { supported, all } = counted(said)
  const borneOut = `${supported} of ${all} of its statements are borne out by the evidence`
  const share = weightOf(said)
  const parts: Scored[] = [
    { name: 'validator', score: UNSEEN_SCORE * share, why: `${NO_RULE}; ${borneOut}` },
    { name: 'retrieval', score: 0, why: 'no known sign of it was found' },
    { name: 'evidence', score: evidence?.score ?? 0, why: evidence?.why ?? 'nothing was read' },
  ]
  const model: Scored = {
    name: 'model',
    score: said.confidence * share,
    why: `the model alone names it, with ${said.confidence} of 100${doubtWords(said)}`,
  }
  return {
    ...{ rank: 0, class: said.class, component: said.component, since: null, unknown: [...said.unknown] },
    ...withModel(parts, model),
    claims: byModel(said.claims),
    against: byModel(said.against),
  }
}

/** What is not borne out costs confidence, and is not repeated to people. */
function added(said: readonly Claim[], own: readonly Claim[]): Claim[] {
  return byModel(said.filter(({ supported, text }) => supported && !own.some((claim) => claim.text === text))).slice(0, CLAIMS_ADDED)
}

function byModel(claims: readonly Claim[]): Claim[] {
  return claims.map((claim) => ({ ...claim, by: 'model' }))
}

/** A cause that only a model named, by the cross-check's own words. */
function isUnseen(parts: readonly ConfidencePart[]): boolean {
  return parts.some(({ name, why }) => name === 'validator' && why.startsWith(NO_RULE))
}

function counted({ claims, against }: ModelCause): { supported: number; all: number } {
  const all = [...claims, ...against]
  return { supported: all.filter(({ supported }) => supported).length, all: all.length }
}

function weightOf(said: ModelCause): number {
  return shareOf(said) * (said.doubted ? DOUBTED : 1)
}

function doubtWords({ doubted = false }: ModelCause): string {
  return doubted ? ', halved because another model disagrees' : ''
}

/** A judgement without a statement rests on nothing that can be checked, and counts half. */
function shareOf(cause: ModelCause): number {
  const { supported, all } = counted(cause)
  return all === 0 ? 0.5 : supported / all
}
