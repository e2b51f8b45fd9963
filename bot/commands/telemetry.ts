import type { LogReading, MetricReading } from '../../agent/agent.ts'
import { nearest } from '../../agent/domain/nearest.ts'
import { Refusal } from '../../agent/domain/refusal.ts'
import { altText } from '../charts/alt-text.ts'
import { metricChart } from '../charts/charts.ts'
import { type Card, type CardBlock, image, list, note, text } from '../messages/card.ts'
import { metricChartUrl } from '../messages/chart-links.ts'
import { metricTitle, readingWords } from '../messages/metric-words.ts'
import { bold, code, type Span, say, shortCode } from '../messages/span.ts'
import { clockWords, durationWords, secondsBetween, time } from '../messages/time-words.ts'
import { cleanText } from '../messages/visible-text.ts'
import { parseMetricQuestion } from '../metric-question.ts'
import { answer, type Command, type CommandContext } from './command.ts'

const PATTERNS_SHOWN = 5
const LATEST_SHOWN = 3
const WORDS_ECHOED = 5

export const metric: Command = {
  name: 'metric',
  usage: 'METRIC of SERVICE[, last 30m]',
  summary: 'a metric as numbers and a chart, for example: metric p99 of checkout, last hour',
  needs: 'read',
  programs: true,
  async run({ rest }, context) {
    const { rest: unknown } = parseMetricQuestion(rest, await context.agent.scopes.services())
    return withNotUnderstood(await answerMetric(rest, context), unknown)
  },
}

/** @throws Refusal invalid-parameters, unknown-target with what was probably meant */
export async function answerMetric(question: string, context: CommandContext): Promise<Card> {
  const { agent, now } = context
  const services = await agent.scopes.services()
  const asked = parseMetricQuestion(question, services)
  if (asked.metric === null)
    throw new Refusal(
      'invalid-parameters',
      'Say which metric: p99, p50, errors, requests, memory, cpu, replicas, restarts, crashes, log volume, certificate, job or queue.',
    )
  const service = asked.service ?? (await serviceOfThread(context)) ?? demandService(asked.rest, services)
  const from = new Date(now.getTime() - asked.seconds * 1_000)
  return metricAnswer(await agent.telemetry.metric({ metric: asked.metric, service, from, to: now }), context)
}

export const logs: Command = {
  name: 'logs',
  usage: 'SERVICE [all] [15m]',
  summary: 'what the error lines of a service say, counted; with "all" of every level',
  needs: 'read',
  programs: true,
  async run({ rest }, context) {
    const { rest: words } = parseMetricQuestion(rest, await context.agent.scopes.services())
    const unknown = words.filter((word) => word !== 'all')
    return withNotUnderstood(await answerLogs(rest, context), unknown)
  },
}

/** @throws Refusal invalid-parameters, unknown-target with what was probably meant */
export async function answerLogs(question: string, context: CommandContext): Promise<Card> {
  const { agent, now } = context
  const services = await agent.scopes.services()
  const asked = parseMetricQuestion(question, services)
  const service = asked.service ?? (await serviceOfThread(context)) ?? demandService(asked.rest, services)
  const level = /\ball\b/i.test(question) ? 'all' : 'error'
  const from = new Date(now.getTime() - asked.seconds * 1_000)
  return logsAnswer(await agent.telemetry.logs({ service, from, to: now, level }), level)
}

/** Of a command every word counts: one that changed nothing is named, so that nobody takes the answer for more than it is. */
function withNotUnderstood(card: Card, words: readonly string[]): Card {
  if (words.length === 0) return card
  const said = `Not understood, and left out: ${cleanText(words.slice(0, WORDS_ECHOED).join(', '), 100)}${words.length > WORDS_ECHOED ? ', …' : ''}.`
  return { ...card, notification: `${said} ${card.notification}`, blocks: [note(say`${said}`), ...card.blocks] }
}

async function serviceOfThread({ agent, incident }: CommandContext): Promise<string | null> {
  return incident === null ? null : ((await agent.incident(incident))?.incident.service ?? null)
}

/** @throws Refusal: nothing that was said is a known service */
export function demandService(said: readonly string[], services: readonly string[]): never {
  const [first] = said
  const shown = services.slice(0, 8).join(', ') || 'none'
  if (first === undefined) throw new Refusal('invalid-parameters', `Say of which service: ${shown}.`)
  const meant = nearest(first, services)
  throw new Refusal(
    'unknown-target',
    `"${first.slice(0, 60)}" is no service. ${meant ? `Did you mean "${meant}"?` : `There are: ${shown}.`}`,
  )
}

function metricAnswer(reading: MetricReading, { consoleUrl }: CommandContext): Card {
  const { metric: name, service, from, to, points, unit, unread, words } = reading
  const what = say`${metricTitle(name)} of ${code(service)}, ${durationWords(secondsBetween(from, to))} until ${time(to)}`
  if (words !== null) return answer(text(say`${what}: ${words}`), ...notSeen(unread))
  const values = points.map(({ value }) => value)
  const last = points.at(-1)
  const shown = (value: number): Span => bold(readingWords(String(value), unit))
  const chart = metricChart(reading)
  const picture = consoleUrl ? [image(metricChartUrl(consoleUrl, reading), altText(chart))] : []
  const card = answer(
    text(say`${what}: ${shown(last?.value ?? 0)} at ${time(last?.at ?? to)}.`),
    text(
      say`Between ${shown(Math.min(...values))} and ${shown(Math.max(...values))}, in the middle ${shown(median(values))}, ${points.length} points.`,
    ),
    ...notSeen(unread),
    sourceNote(reading),
  )
  return { ...card, chart, blocks: [...card.blocks.slice(0, -1), ...picture, ...card.blocks.slice(-1)] }
}

function logsAnswer(reading: LogReading, level: 'error' | 'all'): Card {
  const { service, from, to, lines, omitted, unread, patterns, latest, words } = reading
  const kind = level === 'error' ? 'Error lines' : 'Lines'
  const what = say`${kind} of ${code(service)}, ${durationWords(secondsBetween(from, to))} until ${time(to)}`
  if (words !== null) return answer(text(say`${what}: ${words}`), ...notSeen(unread))
  const [newest] = latest
  const age = newest ? say` The newest was written ${durationWords(secondsBetween(newest.at, to))} before.` : []
  const left = omitted > 0 ? say`, the newest; ${bold(`at least ${omitted} older`)} were left out` : []
  return answer(
    text(say`${what}: ${bold(String(lines))}${left}.${age}`),
    ...notSeen(unread),
    ...list(
      'What they say, most often first',
      patterns.slice(0, PATTERNS_SHOWN).map(({ sample, count }) => say`${count} × ${cleanText(sample, 200)}`),
    ),
    ...list(
      'The newest',
      latest.slice(0, LATEST_SHOWN).map(({ at, level: each, text: line }) => say`${time(at)} ${each} ${cleanText(line, 200)}`),
    ),
    sourceNote(reading),
  )
}

/** So that nobody takes what is told for all that there was. */
function notSeen(unread: LogReading['unread']): CardBlock[] {
  return unread ? [text(say`${bold(`Nothing before ${clockWords(unread.before)} was looked at`)}: ${unread.why}.`)] : []
}

function sourceNote({ source, query, environment }: MetricReading | LogReading): CardBlock {
  return note(say`From ${shortCode(source, 40)} in ${shortCode(environment, 40)}: ${shortCode(query, 120)}`)
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0
}
