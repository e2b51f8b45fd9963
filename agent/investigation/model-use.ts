import type { Budget, Spent } from './budget.ts'
import { type Outcome, type StepAt, transcriptOf } from './transcript.ts'

/** What a model was asked in an incident and what that cost, for people. */
export interface ModelUse {
  provider: string | null
  model: string | null
  /** Null while it is at it. */
  outcome: Outcome | null
  /** Why it ended so. */
  words: string | null
  spent: Spent
  budget: Budget
  /** What it would ask people; its words, cleaned. */
  questions: readonly string[]
}

/** Null for a run that has not begun. */
export function modelUseOf(steps: readonly StepAt[]): ModelUse | null {
  const { started, model, ended, spent } = transcriptOf(steps)
  if (!started) return null
  return {
    ...(model ?? { provider: null, model: null }),
    ...{ outcome: ended?.outcome ?? null, words: ended?.words ?? null, spent, budget: started.budget },
    questions: ended?.opinion?.questions ?? [],
  }
}
