import type { ModelUse } from '../../agent/agent.ts'
import { type CardBlock, list, note } from './card.ts'
import { joinSpans, type Span, say, shortCode } from './span.ts'
import { cleanText } from './visible-text.ts'

const QUESTIONS_SHOWN = 2
const QUESTION_MAX = 200
const REVIEW_MAX = 200

const OUTCOME_WORDS: Readonly<Record<NonNullable<ModelUse['outcome']>, string>> = {
  concluded: 'has looked',
  stopped: 'stopped',
  invalid: 'gave no usable report',
  unavailable: 'gave no answer',
  declined: 'declined',
}

/** What a model was asked, within which bounds, and what it would like to know; nothing where none was asked. */
export function modelBlocks(use: ModelUse | null): CardBlock[] {
  if (use === null) return []
  const { spent, budget } = use
  const parts: Span[][] = [
    say`${use.model === null ? 'Model' : shortCode(use.model, 60)} ${stateWords(use)}`,
    say`${grouped(spent.tokens)} of ${grouped(budget.tokens)} tokens`,
    say`${spent.calls} of ${budget.calls} questions`,
    say`${Math.round(spent.seconds)} of ${budget.seconds} s`,
    ...(spent.dollars === null ? [] : [say`$${spent.dollars.toFixed(2)} of $${budget.dollars.toFixed(2)}`]),
  ]
  return [
    ...list(
      'A model would ask',
      use.questions.slice(0, QUESTIONS_SHOWN).map((question) => say`${cleanText(question, QUESTION_MAX)}`),
    ),
    note(joinSpans(parts, ' · ')),
    ...reviewBlocks(use),
  ]
}

/** One line of a second provider: that it disagrees, and by what, is to be seen where a cause is read. */
function reviewBlocks({ review }: ModelUse): CardBlock[] {
  if (review === null) return []
  const { verdict, words, cites } = review
  const isBorneOut = words !== null && cites.length > 0
  const why = isBorneOut ? say`: ${cleanText(words, REVIEW_MAX)} [${cites.slice(0, 4).join(', ')}]` : []
  const ends: Readonly<Record<NonNullable<typeof verdict>, Span[]>> = {
    agrees: say`agrees${why}`,
    disagrees: isBorneOut
      ? say`disagrees, so that the first one’s word counts half${why}`
      : say`disagrees, and nothing it says is borne out: nothing changes`,
    undecided: say`cannot decide${why}`,
  }
  const end = verdict === null ? say`gave no second opinion: ${cleanText(words ?? '', 120)}` : ends[verdict]
  return [note(say`${shortCode(review.model, 60)} ${end}`)]
}

function stateWords({ outcome, words }: ModelUse): string {
  if (outcome === null) return 'is looking'
  return outcome === 'concluded' || words === null ? OUTCOME_WORDS[outcome] : `${OUTCOME_WORDS[outcome]}: ${cleanText(words, 120)}`
}

function grouped(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ',')
}
