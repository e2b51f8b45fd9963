import type { FaultClass } from './fault-classes.ts'

/** One sentence of a diagnosis; every number and name in it must occur in a cited evidence item, or it is struck. */
export interface Claim {
  text: string
  /** Evidence labels: 'E1', 'E3'. */
  cites: string[]
  /** Set by the citation check. */
  supported: boolean
  /** A model said it; absent for what rules say. */
  by?: 'model'
}

/** Parts of a confidence, each 0–100, with the weight (per cent) it had; they are shown on the card. */
export interface ConfidencePart {
  name: 'model' | 'validator' | 'retrieval' | 'evidence'
  score: number
  weight: number
  why: string
}

export interface Hypothesis {
  rank: number
  class: FaultClass
  /** 'service/payments', 'app/checkout', 'external/bank' … */
  component: string
  /** 0–100. */
  confidence: number
  parts: ConfidencePart[]
  claims: Claim[]
  /** Evidence labels that speak against it. */
  against: Claim[]
  /** What is not known and would settle it. */
  unknown: string[]
  since: Date | null
}
