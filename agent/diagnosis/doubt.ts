import type { Claim, Hypothesis } from '../domain/hypothesis.ts'
import type { ModelCause } from './second-opinion.ts'

/** What the model of another provider says of a cause that it was to refute, its statements checked. */
export interface Review extends Pick<Hypothesis, 'class' | 'component'> {
  /** Null where there is no verdict that could be used. */
  verdict: 'agrees' | 'disagrees' | 'undecided' | null
  statements: readonly Claim[]
}

/** Whether a review lowers what a model thinks: it disagrees, and the evidence bears out at least one of its reasons. Pure. */
export function isDoubted({ verdict, statements }: Pick<Review, 'verdict' | 'statements'>): boolean {
  return verdict === 'disagrees' && statements.some(({ supported }) => supported)
}

/** The same causes; the one that was reviewed is marked where it is doubted. A review raises nothing, and takes nothing away. Pure. */
export function afterReview(causes: readonly ModelCause[], review: Review | null): ModelCause[] {
  if (review === null || !isDoubted(review)) return [...causes]
  const isMeant = (cause: ModelCause): boolean => cause.class === review.class && cause.component === review.component
  return causes.map((cause) => (isMeant(cause) ? { ...cause, doubted: true } : cause))
}
