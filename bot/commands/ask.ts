import type { IncidentView } from '../../agent/agent.ts'
import { type Card, type CardBlock, list, note, text } from '../messages/card.ts'
import { changeItems } from '../messages/evidence-lines.ts'
import { bold, code, say } from '../messages/span.ts'
import { cleanText } from '../messages/visible-text.ts'
import { parseMetricQuestion } from '../metric-question.ts'
import { answer, type Command, type CommandContext } from './command.ts'
import { answerBrief, answerWhy, viewOf } from './explain.ts'
import { handover } from './handover.ts'
import { modelAnswer } from './model-answer.ts'
import { oncall } from './people.ts'
import { approvals, incidents, status, whoMay } from './show.ts'
import { answerLogs, answerMetric } from './telemetry.ts'
import { incidentId } from './which-incident.ts'

/** Fewer words, and it is rather a slip. */
const QUESTION_WORDS = 3
const STARTERS = /^(what|who|whom|why|how|when|where|which|is|are|was|were|did|does|do we|can|could|should|show|tell|give|plot|p\d\d)\b/i

export const ask: Command = {
  name: 'ask',
  usage: 'QUESTION',
  summary: 'answers a question from what is stored, with its evidence',
  needs: 'read',
  programs: true,
  run: async ({ rest }, context) => await answerQuestion(rest, context),
}

/** Whether words that are no command are meant as a question; `slip` says that their first word is nearly one. */
export function looksLikeQuestion(text: string, slip: boolean): boolean {
  const plain = text.trim()
  if (plain.endsWith('?')) return true
  return plain.split(/\s+/).length >= QUESTION_WORDS && (!slip || STARTERS.test(plain))
}

/**
 * What people, requests and rules are asked about, and a metric by its name, stands in rows and is read there; of an incident's trouble a model is
 * asked where one is configured. Without one, or where it gives no answer that is borne out, the words of the question alone choose what is read.
 */
export async function answerQuestion(question: string, context: CommandContext): Promise<Card> {
  const asked = question.toLowerCase()
  const route = ROUTES.find(({ when }) => when.test(asked))
  const isForModel = route ? route.isOfTrouble === true : parseMetricQuestion(question, []).metric === null
  const said = isForModel ? await askModel(question, context) : { words: context.agent.askModel ? BY_WORDS : NO_MODEL }
  if ('card' in said) return said.card
  const card = await (route?.answer(question, context) ?? standing(question, context))
  return { ...card, notification: `${card.notification} ${said.words}`, blocks: [...card.blocks, note(say`${said.words}`)] }
}

const NO_MODEL = 'No model is configured: this was found by the words of the question, in what is stored.'
const BY_WORDS = 'This was found by the words of the question, in what is stored.'

/** What a model answers about the incident that is meant, else why it did not. */
async function askModel(question: string, context: CommandContext): Promise<{ card: Card } | { words: string }> {
  const { agent, consoleUrl } = context
  if (!agent.askModel) return { words: NO_MODEL }
  const { items } = await agent.incidents({ limit: 1 })
  if (items.length === 0) return { words: BY_WORDS }
  const { incident } = await named(question, context)
  const answered = await agent.askModel({ incidentId: incident.id, text: question }, context.report)
  if (answered.result === 'no-answer')
    return { words: `A model was asked and gave no answer: ${cleanText(answered.words, 200)}. ${BY_WORDS}` }
  // What it asked of the sources meanwhile is evidence by now.
  const view = await agent.incident(incident.id)
  return view ? { card: modelAnswer(answered, view, consoleUrl) } : { words: BY_WORDS }
}

/** `isOfTrouble`: it is about what is wrong, which a model may know more of than one row. */
type Route = { when: RegExp; isOfTrouble?: boolean; answer(question: string, context: CommandContext): Promise<Card> }

const NO_WORDS = { name: '', words: [], rest: '' }

/** The first that fits. */
const ROUTES: readonly Route[] = [
  {
    when: /\b(on.?call|who (can|should) i (ask|call))\b/,
    answer: async (question, context) => oncall.run(await aboutService(question, context), context),
  },
  {
    when: /\bwho (may|can|must|should)\b.*\b(approve|decide|click)/,
    answer: async (_question, context) => await whoMay.run(NO_WORDS, context),
  },
  { when: /\b(approval|waiting|waits|click)/, answer: async (_question, context) => await approvals.run(NO_WORDS, context) },
  { when: /\b(hand ?over|next shift|shift)\b/, answer: async (_question, context) => await handover.run(NO_WORDS, context) },
  {
    when: /\b(logs?(?! volume)|lines|errors? say)\b/,
    isOfTrouble: true,
    answer: async (question, context) => await answerLogs(question, context),
  },
  {
    when: /\b(chang|deploy|releas|rolled out|config)/,
    isOfTrouble: true,
    answer: async (question, context) => changesAnswer(await named(question, context), context),
  },
  {
    when: /\b(why|cause|wrong|broken|evidence|how sure|confidence)\b/,
    isOfTrouble: true,
    answer: async (question, context) => answerWhy(await named(question, context), context),
  },
  { when: /\b(stopped|frozen|freeze|mode)\b/, answer: async (_question, context) => await status.run(NO_WORDS, context) },
  {
    when: /\b(open|active|which|list) .*incidents?\b|\bincidents\b/,
    answer: async (_question, context) => await incidents.run(NO_WORDS, context),
  },
]

/** A metric where one is named, else where the incident stands that is meant. */
async function standing(question: string, context: CommandContext): Promise<Card> {
  if (parseMetricQuestion(question, []).metric !== null) return await answerMetric(question, context)
  const { items } = await context.agent.incidents({ limit: 1 })
  if (items.length === 0)
    return answer(
      text(
        say`${bold('That cannot be answered without a model')}, and there is no incident yet. Say ${code('help')} for what can be asked.`,
      ),
    )
  return answerBrief(await named(question, context), context)
}

/** The incident that the question names, else the one of the thread, else the newest. */
async function named(question: string, context: CommandContext): Promise<IncidentView> {
  const word = question.split(/[^\w#-]+/).find((each) => /^(inc-|#)\d/i.test(each) && incidentId(each) !== null)
  return await viewOf(word === undefined ? [] : [word], context)
}

async function aboutService(question: string, { agent }: CommandContext): Promise<{ name: string; words: string[]; rest: string }> {
  const { service } = parseMetricQuestion(question, await agent.scopes.services())
  return service === null ? NO_WORDS : { ...NO_WORDS, words: [service] }
}

function changesAnswer(view: IncidentView, { consoleUrl }: CommandContext): Card {
  const head = text(say`${bold(view.incident.id)} ${cleanText(view.incident.title, 120)}`)
  const found: CardBlock[] = list('What changed around it', changeItems(view, consoleUrl))
  return answer(head, ...(found.length > 0 ? found : [text(say`No change is stored for it.`)]))
}
