import type { IncidentView } from '../../agent/agent.ts'
import { type Card, type CardBlock, list, note, text } from '../messages/card.ts'
import { changeItems } from '../messages/evidence-lines.ts'
import { bold, code, plainOf, type Span, say } from '../messages/span.ts'
import { cleanText } from '../messages/visible-text.ts'
import { parseMetricQuestion } from '../metric-question.ts'
import { answer, type Command, type CommandContext } from './command.ts'
import { answerDone } from './done.ts'
import { answerBrief, answerWhy, overSince, viewOf } from './explain.ts'
import { handover } from './handover.ts'
import { modelAnswer } from './model-answer.ts'
import { answerMayDo, answerServiceNow, answerWhatToDo, type NamedAction, openList, unreadNote } from './now.ts'
import { oncall } from './people.ts'
import { approvals, incidents, status, whoMay } from './show.ts'
import { answerLogs, answerMetric } from './telemetry.ts'
import { gravestOpen } from './what-is-open.ts'
import { incidentId } from './which-incident.ts'

/** Fewer words, and it is rather a slip. */
const QUESTION_WORDS = 3
/** Open incidents that are known of at most, and of those the gravest that are looked at in full. */
const OPEN_READ = 20
const ENDED_KNOWN = 20
const CHANGES_OF = 3
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
  const subject = await subjectOf(question, context)
  const isForModel = route ? route.isOfTrouble === true : parseMetricQuestion(question, []).metric === null
  const about = subject.named ?? subject.open[0] ?? null
  const said = isForModel ? await askModel(question, about, context) : { words: context.agent.askModel ? BY_WORDS : NO_MODEL }
  if ('card' in said) return said.card
  const card = await (route?.answer(question, context, subject) ?? standing(question, context, subject))
  return { ...card, notification: `${card.notification} ${said.words}`, blocks: [...card.blocks, note(say`${said.words}`)] }
}

/**
 * What a question is about: the incident that it names, or is asked in unless it names another service, and what is open, the gravest first: of the
 * service that it names, if it names one.
 */
interface Subject {
  named: IncidentView | null
  service: string | null
  open: IncidentView[]
  /** Open ones that were not looked at. */
  unread: number
}

async function subjectOf(question: string, context: CommandContext): Promise<Subject> {
  const { agent } = context
  const word = question.split(/[^\w#-]+/).find((each) => /^(inc-|#)\d/i.test(each) && incidentId(each) !== null)
  const named = word === undefined && context.incident === null ? null : await viewOf(word === undefined ? [] : [word], context)
  const { items: gravest } = await gravestOpen(context)
  // What is open may be about a service that no platform tells of.
  const known = [...new Set([...(await agent.scopes.services()), ...gravest.map((incident) => incident.service)])]
  const { service } = parseMetricQuestion(question, known)
  const own = gravest.filter((incident) => incident.service === service)
  const read = [...own, ...gravest.filter((incident) => incident.service !== service)].slice(0, OPEN_READ)
  const views = (await Promise.all(gravest.filter((incident) => read.includes(incident)).map(({ id }) => agent.incident(id)))).filter(
    (view) => view !== null,
  )
  const isElsewhere = named !== null && word === undefined && service !== null && !concerns(named, service)
  return {
    named: isElsewhere ? null : named,
    service,
    open: views.filter((view) => service === null || concerns(view, service)),
    unread: gravest.length - read.length,
  }
}

/** Its own service, one that an alert of it names, or where its cause is thought to be. */
function concerns({ incident, alerts, hypotheses }: IncidentView, service: string): boolean {
  return (
    incident.service === service ||
    alerts.some((alert) => alert.service === service) ||
    hypotheses.some(({ rank, component }) => rank === 1 && component.endsWith(`/${service}`))
  )
}

const NO_MODEL = 'No model is configured: this was found by the words of the question, in what is stored.'
const BY_WORDS = 'This was found by the words of the question, in what is stored.'

/** What a model answers about the incident that is meant, else why it did not. One that ended is asked about only by its name. */
async function askModel(
  question: string,
  about: IncidentView | null,
  { agent, consoleUrl, report }: CommandContext,
): Promise<{ card: Card } | { words: string }> {
  if (!agent.askModel) return { words: NO_MODEL }
  if (about === null) return { words: BY_WORDS }
  const { incident } = about
  const answered = await agent.askModel({ incidentId: incident.id, text: question }, report)
  if (answered.result === 'no-answer')
    return { words: `A model was asked and gave no answer: ${cleanText(answered.words, 200)}. ${BY_WORDS}` }
  // What it asked of the sources meanwhile is evidence by now.
  const view = await agent.incident(incident.id)
  return view ? { card: modelAnswer(answered, view, consoleUrl) } : { words: BY_WORDS }
}

/** `isOfTrouble`: it is about what is wrong, which a model may know more of than one row. */
type Route = { when: RegExp; isOfTrouble?: boolean; answer(question: string, context: CommandContext, subject: Subject): Promise<Card> }

const NO_WORDS = { name: '', words: [], rest: '' }

/** Whether an action helped, and who let it run. */
const WHAT_CAME_OF_IT =
  /\bwho (has |had )?(approved|denied|clicked|decided)\b|\b(when|by whom) was (it|this|that|the \w+) (approved|denied)\b|\b(did|has|have) (it|this|that|the [\w -]{1,40}) (help|helped|work|worked|mended?|fixe?d?)\b|\bwhat was (done|run)\b|\bwhat did (you|steadyhand) (do|run)\b/

/** Why the agent asked for nothing. */
const WHY_NOTHING = /\bwhy\b.*\b(nothing|no action|not)\b.*\b(propos|suggest|offer|asked|done|act)/

/** The first that fits. */
const ROUTES: readonly Route[] = [
  {
    when: /\b(anything|anyone|something|what|which) else\b/,
    answer: async (_question, context, { named, open, unread }) => answerElse(named, open, unread, context),
  },
  {
    when: WHAT_CAME_OF_IT,
    answer: async (_question, context, subject) => await answerOutcome(subject, context),
  },
  {
    when: WHY_NOTHING,
    answer: async (_question, context, subject) => await answerOutcome(subject, context),
  },
  {
    when: /\b(on.?call|who (can|should|do|could) (i|we) (ask|call|tell|page))\b/,
    answer: async (question, context) => oncall.run(await aboutService(question, context), context),
  },
  {
    when: /\bwho (may|can|must|should)\b.*\b(approve|decide|click)/,
    answer: async (_question, context) => await whoMay.run(NO_WORDS, context),
  },
  { when: /\b(approval|waiting|waits|click)/, answer: async (_question, context) => await approvals.run(NO_WORDS, context) },
  {
    when: /\bwhat (should|can|could|must|do) (i|we)( \w+)? do\b|\bwhat (now|next)\b/,
    answer: async (_question, context, { service, open, unread }) =>
      service !== null && open.length === 0 ? await answerServiceNow(service, open, context) : await answerWhatToDo(open, unread, context),
  },
  { when: /\b(hand ?over|next shift|shift)\b/, answer: async (_question, context) => await handover.run(NO_WORDS, context) },
  {
    when: /\b(logs?(?! volume)|lines|errors? say)\b/,
    isOfTrouble: true,
    answer: async (question, context) => await answerLogs(question, context),
  },
  {
    when: /\b(what|which|who|when|did|list|show|any)\b.*\b(chang|deploy|releas|rolled out|config)|^(changes|deploys|releases)\b/,
    isOfTrouble: true,
    answer: async (_question, context, subject) => await answerChanges(subject, context),
  },
  {
    when: /\b(why|cause|wrong|broken|evidence|how sure|confidence)\b/,
    isOfTrouble: true,
    answer: async (_question, context, subject) => await answerTrouble(subject, context),
  },
  { when: /\b(stopped|frozen|freeze|mode)\b/, answer: async (_question, context) => await status.run(NO_WORDS, context) },
  {
    when: /\b(open|active|which|list) .*incidents?\b|\bincidents\b/,
    answer: async (_question, context) => await incidents.run(NO_WORDS, context),
  },
]

/** A metric where one is named; else an action that somebody wonders about, a service, or where what is open stands. */
async function standing(question: string, context: CommandContext, { named, service, open, unread }: Subject): Promise<Card> {
  if (parseMetricQuestion(question, []).metric !== null) return await answerMetric(question, context)
  const action = MAY_I.test(question) ? actionIn(question, context) : null
  if (action) return await answerMayDo(action, service, context)
  if (named) return answerBrief(named, context)
  if (service !== null) return await answerServiceNow(service, open, context)
  const [only, ...others] = open
  if (only) return others.length === 0 ? answerBrief(only, context) : answer(...openList(open, context), ...unreadNote(unread))
  return STANDING.test(question) ? await status.run(NO_WORDS, context) : cannotAnswer(context)
}

const MAY_I = /\b(can|could|may|should|shall) (i|we)\b/i
const STANDING = /\b(going|status|standing|happening|up to date|summary|everything|all (ok|well|good|right|fine))\b/i

/** An action of the catalogue by its name, however it is spaced: 'roll back', 'roll-back', 'rollback'. */
function actionIn(question: string, { agent }: CommandContext): NamedAction | null {
  const plain = (words: string): string => words.toLowerCase().replace(/[^a-z]/g, '')
  return agent.actions().find(({ verb }) => plain(question).includes(plain(verb))) ?? null
}

/** Of nothing that is open and nothing that is named there is nothing to tell: what ended last is no answer to it. */
function cannotAnswer({ agent }: CommandContext): Card {
  return answer(
    text(
      say`${bold(agent.askModel ? 'That cannot be answered here' : 'That cannot be answered without a model')}, and no incident is open. Ask for example ${code('what is broken right now?')} or ${code('is payments ok?')}; ${code('help')} lists all commands.`,
    ),
  )
}

/** Of the incident that is named, else of all that is open; with nothing open, how the service is, and what ended last is told as such. */
async function answerTrouble({ named, service, open, unread }: Subject, context: CommandContext): Promise<Card> {
  const [only, ...others] = open
  if (named) return answerWhy(named, context)
  if (only && others.length === 0) return answerWhy(only, context)
  if (only)
    return answer(
      text(say`${bold(String(open.length + (service === null ? unread : 0)))} incidents are open.`),
      ...openList(open, context),
      ...unreadNote(unread),
    )
  if (service !== null) return await answerServiceNow(service, open, context)
  const last = await lastEnded(context)
  return last
    ? withHead(say`${bold('Nothing is open now.')} This is of the last one:`, answerWhy(last, context))
    : answer(text(say`${NOTHING_YET}`))
}

async function answerChanges({ named, service, open }: Subject, context: CommandContext): Promise<Card> {
  const [first, ...others] = named ? [named] : open
  if (first) return answer(...[first, ...others].slice(0, CHANGES_OF).flatMap((view) => changesAnswer(view, context)))
  if (service !== null) return await answerServiceNow(service, open, context)
  const last = await lastEnded(context)
  return last
    ? withHead(say`${bold('Nothing is open now.')} This is of the last one:`, answer(...changesAnswer(last, context)))
    : answer(text(say`${NOTHING_YET}`))
}

/** What is open beside the incident that somebody asks in. */
function answerElse(named: IncidentView | null, open: readonly IncidentView[], unread: number, context: CommandContext): Card {
  const others = open.filter(({ incident }) => incident.id !== named?.incident.id)
  if (others.length === 0 && unread === 0)
    return answer(
      text(say`${bold('Nothing else is open')}${named ? say`: no incident but ${code(named.incident.id)} is about anything now` : ''}.`),
    )
  return answer(...openList(others, context), ...unreadNote(unread))
}

/** Of the incident that is named, else of what is open, else of the last one. */
async function answerOutcome({ named, open }: Subject, context: CommandContext): Promise<Card> {
  const [only, ...others] = open
  if (named) return answerDone(named, context)
  if (only && others.length === 0) return answerDone(only, context)
  if (only) return answer(...open.slice(0, CHANGES_OF).flatMap((view) => answerDone(view, context).blocks))
  const last = await lastEnded(context)
  return last
    ? withHead(say`${bold('Nothing is open now.')} This is of the last one:`, answerDone(last, context))
    : answer(text(say`${NOTHING_YET}`))
}

const NOTHING_YET = 'Nothing is open, and there is no incident yet.'

async function lastEnded({ agent }: CommandContext): Promise<IncidentView | null> {
  const last = (await agent.incidents({ limit: ENDED_KNOWN })).items.find(({ endedAt }) => endedAt !== null)
  return last ? await agent.incident(last.id) : null
}

function withHead(head: readonly Span[], card: Card): Card {
  return { ...card, notification: `${plainOf(head)} ${card.notification}`, blocks: [text(head), ...card.blocks] }
}

async function aboutService(question: string, { agent }: CommandContext): Promise<{ name: string; words: string[]; rest: string }> {
  const { service } = parseMetricQuestion(question, await agent.scopes.services())
  return service === null ? NO_WORDS : { ...NO_WORDS, words: [service] }
}

function changesAnswer(view: IncidentView, { consoleUrl }: CommandContext): CardBlock[] {
  const head = text(say`${bold(view.incident.id)} ${cleanText(view.incident.title, 120)}${overSince(view)}`)
  const found: CardBlock[] = list('What changed around it', changeItems(view, consoleUrl))
  return [head, ...(found.length > 0 ? found : [text(say`No change is stored for it.`)])]
}
