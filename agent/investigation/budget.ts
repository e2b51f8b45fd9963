import type { ModelPrice, ModelUsage } from '../../integrations/ports/model.ts'

/** What one investigation by a model may use at most. */
export interface Budget {
  seconds: number
  /** Answers of the model. */
  turns: number
  /** Questions it asks of the sources. */
  calls: number
  /** Of all turns together, those that were read again included. */
  tokens: number
  /** Counted only where the price is known. */
  dollars: number
}

export const BUDGET: Budget = { seconds: 120, turns: 8, calls: 12, tokens: 30_000, dollars: 0.5 }

/** What was used so far; tokens that were set aside for an answer that never came count as used. */
export interface Spent {
  seconds: number
  turns: number
  calls: number
  tokens: number
  /** Null while no provider with a known price was asked. */
  dollars: number | null
  /** The same question again. */
  repeats: number
}

export type Limit = 'time' | 'turns' | 'calls' | 'tokens' | 'money' | 'repeats'

export const LIMIT_WORDS: Readonly<Record<Limit, string>> = {
  time: 'its time was over',
  turns: 'its turns were used up',
  calls: 'its questions were used up',
  tokens: 'its tokens were used up',
  money: 'its money was used up',
  repeats: 'it asked the same again and again',
}

const MOST_REPEATS = 3
/** What an answer may be long at most, and what it has to be able to be. */
const ANSWER_TOKENS = 1_500
const SHORTEST_ANSWER = 700
/** Characters a token, until the provider has counted once: on the safe side for JSON and identifiers. */
const CHARACTERS_PER_TOKEN = 2.5
/** Counts of tokens differ a little between turns of one conversation. */
const MARGIN = 1.1

/** What a next turn would be: how many tokens it reads, how many it may say, and whether it has to be the last. */
export interface NextTurn {
  input: number
  output: number
  last: boolean
}

/**
 * Whether another turn fits, by all limits at once: one that might exceed a limit is not taken. A turn after which nothing more would fit is the
 * last, so that the model concludes with what it knows rather than being cut off.
 */
export function nextTurn(
  spent: Spent,
  budget: Budget,
  about: { characters: number; perToken: number | null; price: ModelPrice | null },
): NextTurn | { over: Limit } {
  if (spent.seconds >= budget.seconds) return { over: 'time' }
  if (spent.turns >= budget.turns) return { over: 'turns' }
  if (spent.repeats >= MOST_REPEATS) return { over: 'repeats' }
  const input = Math.ceil((about.characters / (about.perToken ?? CHARACTERS_PER_TOKEN)) * (about.perToken === null ? 1 : MARGIN))
  const left = budget.tokens - spent.tokens
  const output = Math.min(ANSWER_TOKENS, left - input, affordable(spent, budget, input, about.price))
  if (left - input < SHORTEST_ANSWER) return { over: 'tokens' }
  if (output < SHORTEST_ANSWER) return { over: 'money' }
  // The next one reads all of this again, and what was found.
  const fitsTwice =
    left >= 2 * (input + ANSWER_TOKENS) && affordable(spent, budget, 2 * input + ANSWER_TOKENS, about.price) >= ANSWER_TOKENS
  const isLate = spent.seconds >= budget.seconds * 0.75
  return { input, output, last: spent.turns + 1 >= budget.turns || spent.calls >= budget.calls || isLate || !fitsTwice }
}

function affordable({ dollars }: Spent, budget: Budget, input: number, price: ModelPrice | null): number {
  if (price === null || price.output <= 0) return Number.POSITIVE_INFINITY
  return Math.floor(((budget.dollars - (dollars ?? 0)) * 1e6 - input * price.input) / price.output)
}

export function costOf({ input, output }: ModelUsage, price: ModelPrice | null): number | null {
  return price === null ? null : (input * price.input + output * price.output) / 1e6
}
