import type { IncidentView, MetricName } from '../../agent/agent.ts'
import { Refusal } from '../../agent/domain/refusal.ts'
import { approvalLine, handoverLine, incidentName } from '../messages/brief.ts'
import { type Card, type CardBlock, list, note, text } from '../messages/card.ts'
import { metricTitle, readingWords } from '../messages/metric-words.ts'
import { nextStep } from '../messages/next-step.ts'
import { bold, code, exact, type Span, say } from '../messages/span.ts'
import { dayTime, durationWords, time } from '../messages/time-words.ts'
import { cleanText } from '../messages/visible-text.ts'
import { answer, type CommandContext } from './command.ts'
import { cutList, waitingForClick } from './what-is-open.ts'

export type NamedAction = ReturnType<CommandContext['agent']['actions']>[number]

const SHOWN = 8
const WINDOW_SECONDS = 300
/** What tells whether people are served. */
const VITAL: readonly MetricName[] = ['error_ratio', 'latency_p99', 'request_rate']

/** How a service is now: what is open about it, what runs, what it measures. Nobody's judgement: the figures, and what is open. */
export async function answerServiceNow(service: string, open: readonly IncidentView[], context: CommandContext): Promise<Card> {
  const { agent } = context
  const [{ items }, metrics, past] = await Promise.all([
    agent.services(),
    Promise.all(VITAL.map(async (metric) => await vitalLine(metric, service, context))),
    agent.incidents({ service, limit: 1 }),
  ])
  const [last] = past.items
  const head =
    open.length === 0
      ? say`${bold('No open incident')} is about ${code(service)}.`
      : say`${bold(String(open.length))} open about ${code(service)}.`
  return answer(
    text(head),
    ...openList(open, context),
    ...list(
      'What runs',
      items
        .filter(({ name }) => name === service)
        .map(
          ({ environment, version, readyReplicas, desiredReplicas }) =>
            say`${code(environment)}: ${exact(version ?? 'no version known')}, ${readyReplicas} of ${desiredReplicas} replicas ready`,
        ),
    ),
    ...list(`What it measures, in the last ${durationWords(WINDOW_SECONDS)}`, metrics),
    ...(last?.endedAt
      ? [
          note(
            say`The last incident of it, ${incidentName(last.id, context.consoleUrl)} ${cleanText(last.title, 120)}, ended ${dayTime(last.endedAt)}.`,
          ),
        ]
      : []),
  )
}

async function vitalLine(metric: MetricName, service: string, { agent, now }: CommandContext): Promise<Span[]> {
  try {
    const from = new Date(now.getTime() - WINDOW_SECONDS * 1_000)
    const { points, unit, words } = await agent.telemetry.metric({ metric, service, from, to: now })
    const last = points.at(-1)
    return last
      ? say`${metricTitle(metric)}: ${bold(readingWords(String(last.value), unit))} at ${time(last.at)}`
      : say`${metricTitle(metric)}: ${words ?? ''}`
  } catch (error) {
    // A service that runs in several environments has no one reading.
    if (!(error instanceof Refusal)) throw error
    return say`${metricTitle(metric)}: ${error.detail ?? error.message}`
  }
}

/** Open incidents, as somebody has to know them who was not there. */
export function openList(open: readonly IncidentView[], context: CommandContext): CardBlock[] {
  return cutList(
    'Open, the gravest first',
    { items: open, isWhole: true },
    { shown: SHOWN, line: (view) => handoverLine(view, context), all: 'incidents' },
  )
}

export function unreadNote(unread: number): CardBlock[] {
  return unread > 0 ? [note(say`${unread} more are open, less grave, and were not looked at for this.`)] : []
}

/** What waits, and for whom; what comes next in what is open. */
export async function answerWhatToDo(open: readonly IncidentView[], unread: number, context: CommandContext): Promise<Card> {
  const { agent, now, consoleUrl } = context
  const waiting = await waitingForClick(context)
  const deciders = await Promise.all(waiting.items.slice(0, SHOWN).map(async ({ id }) => namesOf(await agent.whoMay(id))))
  if (waiting.items.length === 0 && open.length === 0)
    return answer(text(say`${bold('Nothing has to be done')}: no incident is open, and nothing waits for a click.`))
  return answer(
    ...cutList('Waiting for a click, on its card', waiting, {
      shown: SHOWN,
      line: (approval) => say`${approvalLine(approval, now)}; may decide: ${deciders[waiting.items.indexOf(approval)] ?? ''}`,
      all: 'approvals',
    }),
    ...cutList(
      'What comes next, the gravest first',
      { items: open, isWhole: true },
      {
        shown: SHOWN,
        line: (view) => say`${incidentName(view.incident.id, consoleUrl)} Sev ${view.incident.severity}: ${nextStep(view, now)}`,
        all: 'incidents',
      },
    ),
    ...unreadNote(unread),
  )
}

/** What asking for an action would come to: the command, who may ask, who may approve, and what stands in the way. Asks for nothing. */
export async function answerMayDo({ verb, description }: NamedAction, service: string | null, context: CommandContext): Promise<Card> {
  const { agent, incident } = context
  const places = (await agent.services()).items.filter(({ name }) => name === service)
  const against = async (environment: string | null): Promise<readonly string[]> =>
    service === null ? [] : await whatSpeaksAgainst({ action: verb, service, environment, incident }, agent)
  const isOfMany = places.length > 1 && incident === null
  const [who, reasons] = await Promise.all([
    whoMay(places, agent),
    isOfMany
      ? Promise.all(places.map(async ({ environment }) => (await against(environment)).map((reason) => `${environment}: ${reason}`)))
      : [await against(null)],
  ])
  return answer(
    text(
      say`${code(`do ${verb} ${service ?? 'SERVICE'}${isOfMany ? ' env:NAME' : ''}`)} asks for it: ${exact(description)} It runs only after its approval, on the card.`,
    ),
    ...who,
    ...list(
      'What speaks against it now',
      reasons.flat().map((reason) => say`${cleanText(reason, 400)}`),
    ),
  )
}

/** Roles are held in environments: of a service that runs in several, each has its own people. */
async function whoMay(places: readonly { name: string; environment: string }[], agent: CommandContext['agent']): Promise<CardBlock[]> {
  const namesIn = async (of: { service: string; environment: string } | null): Promise<{ ask: string; approve: string }> => {
    const [ask, approve] = await Promise.all([agent.holders({ role: 'responder', of }), agent.holders({ role: 'approver', of })])
    return { ask: namesOf(ask), approve: namesOf(approve) }
  }
  const [only, ...others] = places
  if (others.length === 0) {
    const { ask, approve } = await namesIn(only ? { service: only.name, environment: only.environment } : null)
    return [text(say`May ask: ${ask}. May approve: ${approve}; how many have to, the policy decides.`)]
  }
  const lines = places.map(async ({ name, environment }) => {
    const { ask, approve } = await namesIn({ service: name, environment })
    return say`${code(environment)}: may ask: ${ask}; may approve: ${approve}`
  })
  return [...list('Who may, by environment', await Promise.all(lines)), note(say`How many have to approve, the policy decides.`)]
}

async function whatSpeaksAgainst(
  wanted: { action: string; service: string; environment: string | null; incident: string | null },
  agent: CommandContext['agent'],
): Promise<readonly string[]> {
  try {
    return (await agent.whyNot(wanted))?.reasons ?? []
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return [error.detail ?? error.message]
  }
}

function namesOf(people: readonly { name: string }[]): string {
  const more = people.length - SHOWN
  return `${
    people
      .slice(0, SHOWN)
      .map(({ name }) => name)
      .join(', ') || 'nobody'
  }${more > 0 ? ` and ${more} more` : ''}`
}
