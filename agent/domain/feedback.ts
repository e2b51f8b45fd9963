import type { FaultClass } from './fault-classes.ts'

/** What a person says of a diagnosis once more is known. */
export interface Feedback {
  person: { id: string; name: string }
  verdict: 'right' | 'wrong'
  /** What it really was, where the person said so; null for a diagnosis that was right. */
  class: FaultClass | null
  component: string | null
  words: string | null
  at: Date
}

export type NewFeedback = Omit<Feedback, 'at'>
