import { IntegrationError } from '../../integrations/errors.ts'
import type { ModelCall, ModelPort, ModelUsage } from '../../integrations/ports/model.ts'
import { createCitationCheck } from '../diagnosis/citations.ts'
import type { EvidenceItem } from '../domain/evidence.ts'
import { mayTell } from '../domain/model-data.ts'
import { costOf } from './budget.ts'
import type { InvestigationDeps } from './investigate.ts'
import type { ModelHelp } from './model-help.ts'
import { type IncidentFacts, REVIEW } from './model-prompts.ts'
import { modelWords, type Opinion, reviewSchema } from './opinion.ts'
import { sampled } from './sample.ts'
import type { Scope } from './scope.ts'
import type { Step, Transcript } from './transcript.ts'

/** Its own, beside the budget of the first: one answer. */
const MOST_CHARACTERS = 16_000
const MOST_EVIDENCE = 8_000
const ANSWER_TOKENS = 800
const MOST_DOLLARS = 0.1
const CHARACTERS_PER_TOKEN = 2.5
const LONGEST_STATEMENT = 300

type ReviewedStep = Extract<Step, { kind: 'reviewed' }>

interface ReviewFrame {
  scope: Scope
  facts: IncidentFacts
  evidence: readonly EvidenceItem[]
}

/**
 * Asks a model of another provider, once and without tools, to refute the cause that the first one is surest of, from what is stored. Null where nobody
 * wants that, nobody else is there, or there is no cause to refute. Whatever goes wrong is a review without a verdict, in words: it changes nothing.
 *
 * @throws the signal's reason when it fired
 */
export async function reviewOf(
  { now, log }: Pick<InvestigationDeps, 'now' | 'log'>,
  { models, prompts, reviews }: ModelHelp,
  { ended, model: first, failed }: Transcript,
  { scope, facts, evidence }: ReviewFrame,
  signal: AbortSignal,
): Promise<ReviewedStep | null> {
  const cause = ended?.opinion && surestOf(ended.opinion)
  const other = models.find(({ provider }) => provider !== first?.provider && !failed.has(provider))
  if (!reviews || !first || !other || !cause) return null
  const told = evidence.filter(({ kind }) => mayTell(kind, facts.allowed))
  const user = prompts.review.ask(cause, facts, withinRoom(told, cause))
  const about = { class: cause.class, component: cause.component }
  const asked = { provider: other.provider, model: other.model, price: other.price, prompts: [...prompts.review.used], about, user }
  const none = (words: string, usage: ModelUsage = NOTHING): ReviewedStep => ({
    ...{ kind: 'reviewed', ...asked, verdict: null, words, statements: [], usage },
  })
  if (user.length > MOST_CHARACTERS) return none('there was more to read than it may be told')
  const cost = costOf({ input: Math.ceil(user.length / CHARACTERS_PER_TOKEN), output: ANSWER_TOKENS }, other.price)
  if (cost !== null && cost > MOST_DOLLARS) return none('it would cost more than it may')
  const began = now().getTime()
  const answer = await answerOf(other, prompts.review, user, AbortSignal.any([signal, AbortSignal.timeout(reviews.seconds * 1_000)]))
  signal.throwIfAborted()
  if ('words' in answer) {
    log.warn({ provider: other.provider, seconds: (now().getTime() - began) / 1_000, words: answer.words }, 'no second opinion')
    return none(answer.words)
  }
  const parsed = reviewSchema.safeParse(answer.call?.input)
  if (!parsed.success) return none('its answer could not be used', answer.usage)
  const labels = new Set(told.map(({ label }) => label))
  const { verdict, statements } = parsed.data
  if (statements.some(({ cites }) => cites.some((label) => !labels.has(label)))) return none('it cited what there is not', answer.usage)
  const check = createCitationCheck(told, new Set([...scope.inventory.graph.services, ...scope.near]))
  const checked = statements.map(({ text, cites }) => check({ text: modelWords(text, LONGEST_STATEMENT), cites: [...new Set(cites)] }))
  return { kind: 'reviewed', ...asked, verdict, words: 'it answered', statements: checked, usage: answer.usage }
}

const NOTHING: ModelUsage = { input: 0, output: 0 }

/** What it says it is surest of; null when that is that it does not know, or nothing of it is borne out. */
function surestOf({ causes }: Opinion): Opinion['causes'][number] | null {
  const [first] = causes.toSorted((a, b) => b.confidence - a.confidence)
  return first && first.class !== 'unknown' && first.claims.some(({ supported }) => supported) ? first : null
}

/** What the cause cites first, then the newest, as long as there is room. */
function withinRoom(told: readonly EvidenceItem[], { claims, against }: Opinion['causes'][number]): string {
  const cited = new Set([...claims, ...against].flatMap(({ cites }) => cites))
  const inOrder = [...told.filter(({ label }) => cited.has(label)), ...told.filter(({ label }) => !cited.has(label)).reverse()]
  const texts = inOrder.map((item) => sampled(item, 1_200))
  return texts.filter((_, i) => texts.slice(0, i + 1).join('\n').length <= MOST_EVIDENCE).join('\n')
}

type Answer = { call: ModelCall | null; usage: ModelUsage } | { words: string }

async function answerOf(
  model: ModelPort,
  { system, report }: ModelHelp['prompts']['review'],
  user: string,
  signal: AbortSignal,
): Promise<Answer> {
  let call: ModelCall | null = null
  try {
    const messages = [{ role: 'user' as const, text: user }]
    for await (const event of model.ask({ system, messages, tools: [report], maxOutputTokens: ANSWER_TOKENS, signal })) {
      if (event.type === 'call' && event.call.name === REVIEW) call ??= event.call
      if (event.type !== 'end') continue
      return event.reason === 'refused' ? { words: 'it declined to answer' } : { call, usage: event.usage }
    }
    return { words: 'its answer had no end' }
  } catch (error) {
    if (error instanceof IntegrationError) return { words: `it gave no answer (${error.code})` }
    throw error
  }
}
