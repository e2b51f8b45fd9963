import type { Budget, Spent } from './budget.ts'
import { type Outcome, type StepAt, type Transcript, transcriptOf } from './transcript.ts'

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
  /** What a second provider says of it; null where none was asked. */
  review: ReviewUse | null
}

export interface ReviewUse {
  provider: string
  model: string
  /** Null where it gave none that could be used. */
  verdict: 'agrees' | 'disagrees' | 'undecided' | null
  /** Why there is no verdict, else what it says that is borne out; its words, cleaned. */
  words: string | null
  /** Labels of the evidence for them. */
  cites: readonly string[]
}

/** Null for a run that has not begun. */
export function modelUseOf(steps: readonly StepAt[]): ModelUse | null {
  const { started, model, ended, spent, review } = transcriptOf(steps)
  if (!started) return null
  return {
    ...(model ?? { provider: null, model: null }),
    ...{ outcome: ended?.outcome ?? null, words: ended?.words ?? null, spent, budget: started.budget },
    questions: ended?.opinion?.questions ?? [],
    review: review && reviewUseOf(review),
  }
}

function reviewUseOf({ provider, model, verdict, words, statements }: NonNullable<Transcript['review']>): ReviewUse {
  const sound = statements.find(({ supported }) => supported)
  return { provider, model, verdict, words: verdict === null ? words : (sound?.text ?? null), cites: sound?.cites ?? [] }
}
