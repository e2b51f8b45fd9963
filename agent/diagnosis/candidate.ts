import type { FaultClass } from '../domain/fault-classes.ts'
import type { Culprit } from './culprit.ts'
import type { Facts } from './facts.ts'

/** A sentence with the evidence it rests on, before it was checked. */
export interface Statement {
  text: string
  cites: string[]
}

/** What one rule makes of the facts. */
export interface Candidate {
  class: FaultClass
  component: string
  /** 0–100: how well the rule fits. Below the score of `unknown` it is a possibility, not a diagnosis. */
  score: number
  /** Of the signs that the catalogue of faults names for this class, how many were there. */
  signs: { found: number; of: number }
  since: Date | null
  claims: Statement[]
  against: Statement[]
  unknown: string[]
}

/** One class of causes, judged by facts alone. Null when the facts do not even raise the question. Pure. */
export type CauseRule = (facts: Facts, culprit: Culprit) => Candidate | null

/** Null where nothing was read that could be cited. */
export function state(text: string, ...labels: readonly (string | null | undefined)[]): Statement[] {
  const cites = [...new Set(labels.filter((label) => label !== null && label !== undefined))]
  return cites.length === 0 ? [] : [{ text, cites }]
}

export function countSigns(signs: readonly boolean[]): Candidate['signs'] {
  return { found: signs.filter(Boolean).length, of: signs.length }
}

export function componentOf({ service }: { service: string }): string {
  return `service/${service}`
}
