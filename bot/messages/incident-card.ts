import type { IncidentView } from '../../agent/agent.ts'
import { ASKED_BY_PERSON, latestOfEach } from '../../agent/domain/alert.ts'
import type { Incident } from '../../agent/domain/incident.ts'
import { startOf } from '../../agent/domain/incident-start.ts'
import { type ActionButton, buttons, type Card, type CardBlock, type Fact, fact, facts, image, list, note, text, title } from './card.ts'
import { incidentChartUrl } from './chart-links.ts'
import { incidentPage } from './console-links.ts'
import { diagnosisBlocks } from './diagnosis-blocks.ts'
import { changeItems, evidenceBlocks } from './evidence-lines.ts'
import { incidentStateWords } from './incident-words.ts'
import { nextStep, wordOfPerson } from './next-step.ts'
import { personName } from './outcome-words.ts'
import { capital } from './plain-words.ts'
import { backBlocks, type LinkTo, named, relationFacts } from './relation-blocks.ts'
import { runbookBlocks } from './runbook-lines.ts'
import { bold, type Span, say, shortCode } from './span.ts'
import { deadline, durationWords, secondsBetween, sinceMoment } from './time-words.ts'
import { cleanText, cutText } from './visible-text.ts'

export interface IncidentCardContext {
  readonly now: Date
  /** Where the console is reached, without a path; null when nobody but this machine can. */
  readonly consoleUrl: string | null
  /** Whether the readers' programs fetch pictures from the console's address. */
  readonly pictures?: boolean
  /** What this surface can carry out beside opening the page: two on the card itself at most, the rest behind "more". */
  readonly offers?: readonly ActionButton[]
  /** Where other incidents are shown; their pages in the console unless given. */
  readonly linkTo?: LinkTo
}

const BUTTONS_ON_CARD = 2
const MORE_AT_MOST = 5

/** The one card of an incident: what happened, what is known and how, what is suggested and what comes next. */
export function incidentCard(view: IncidentView, context: IncidentCardContext): Card {
  const { incident, relations } = view
  const linkTo = linksOf(context)
  if (relations.mergedInto !== null) return partCard(view, relations.mergedInto, linkTo)
  return {
    kind: 'incident',
    ref: incident.id,
    notification: notification(view),
    blocks: [
      title(`Sev ${incident.severity} · ${cleanText(incident.title, 130)}`),
      text(say`${bold(`${capital(incidentStateWords(view))}.`)} ${nextStep(view, context.now)}${isAsked(view) ? ' See below.' : ''}`),
      ...backBlocks(view, linkTo),
      ...alertQuote(view),
      mainFacts(view, context.now, linkTo),
      ...chart(view, context),
      ...diagnosisBlocks(view, context.consoleUrl),
      ...runbookBlocks(view, context.consoleUrl),
      ...list('Recent changes', changeItems(view, context.consoleUrl)),
      ...evidenceBlocks(view, context.consoleUrl),
      ...pressable(incident, context),
      note(footer(incident)),
    ],
  }
}

/** A card of its own follows then. */
function isAsked({ incident, approvals }: IncidentView): boolean {
  return incident.state === 'awaiting-approval' && approvals.length > 0
}

/** What is left of the card of an incident that became a part of another: the way there. */
function partCard(view: IncidentView, into: string, linkTo: LinkTo): Card {
  const { incident } = view
  return {
    kind: 'incident',
    ref: incident.id,
    notification: `${cleanText(incident.title, 150)} is a part of ${cleanText(into, 40)} now`,
    blocks: [
      text([...say`${bold(cleanText(incident.title, 130))}. ${wordOfPerson(view) ?? ''} Go on in `, ...named(into, linkTo), ...say`.`]),
      note(footer(incident)),
    ],
  }
}

function linksOf({ consoleUrl, linkTo }: IncidentCardContext): LinkTo {
  return linkTo ?? ((incidentId) => (consoleUrl === null ? null : incidentPage(consoleUrl, incidentId)))
}

function notification(view: IncidentView): string {
  const { incident } = view
  const where = `${cleanText(incident.service, 60)} in ${cleanText(incident.environment, 60)}`
  return `Sev ${incident.severity}, ${incidentStateWords(view)}: ${cleanText(incident.title, 150)} (${where})`
}

/** What the alert says, in its own words, which are only quoted: of those that fire the first of the service itself, else the last of it. */
function alertQuote({ incident, alerts }: IncidentView): CardBlock[] {
  const firing = latestOfEach(alerts).filter(({ status }) => status === 'firing')
  const isOwn = ({ service }: { service: string | null }): boolean => service === incident.service
  const alert = firing.find(isOwn) ?? firing[0] ?? alerts.findLast(isOwn) ?? alerts.at(-1)
  const said = cleanText(alert?.summary ?? alert?.name ?? '', 300)
  return alert && said !== '' ? [text(say`${shortCode(alert.source, 40)} says: “${said}”`)] : []
}

function mainFacts(view: IncidentView, now: Date, linkTo: LinkTo): CardBlock {
  const { incident, alerts, handling } = view
  const began = startOf(incident, alerts)
  const lasted = incident.endedAt ? `, lasted ${durationWords(secondsBetween(began, incident.endedAt))}` : ''
  return facts(
    fact('Service', say`${shortCode(incident.service)} in ${shortCode(incident.environment)}`),
    fact('Since', say`${sinceMoment(began, now)}${lasted}`),
    fact('Impact', say`${cutText(cleanText(incident.severityReason), 300)}`),
    fact('Alerts', alertWords(alerts)),
    ...relationFacts(view, now, linkTo),
    ...handlingFacts(handling, now),
  )
}

/** Once there is something to draw. */
function chart(view: IncidentView, { consoleUrl, pictures = false }: IncidentCardContext): CardBlock[] {
  const hasSamples = view.evidence.some(({ kind, status }) => status === 'ok' && (kind === 'metrics' || kind === 'symptom'))
  if (!pictures || consoleUrl === null || !hasSamples) return []
  const alt = `Chart of the metric of ${cleanText(view.incident.id, 40)} (${cleanText(view.incident.service, 60)}) over its time, with its limit, changes and actions marked. The facts are in the text.`
  return [image(incidentChartUrl(consoleUrl, view), alt)]
}

function handlingFacts({ taken, snoozed }: IncidentView['handling'], now: Date): Fact[] {
  return [
    ...(taken ? [fact('Looked after by', say`${personName(taken.name)}, since ${sinceMoment(taken.at, now)}; nothing is proposed`)] : []),
    ...(snoozed ? [fact('Snoozed', say`${deadline(snoozed.until, now)} by ${personName(snoozed.name)}`)] : []),
  ]
}

/** Alerts, not deliveries: what was heard last of each counts. */
function alertWords(alerts: IncidentView['alerts']): Span[] {
  const each = latestOfEach(alerts.filter(({ source }) => source !== ASKED_BY_PERSON))
  if (each.length === 0 && alerts.length > 0) return say`none: a person asked`
  const firing = each.filter(({ status }) => status === 'firing').length
  const end = firing === 0 ? (each.length === 1 ? 'over' : 'all over') : each.length === 1 ? 'still firing' : `${firing} still firing`
  return each.length === 0 ? say`none` : say`${each.length} ${each.length === 1 ? 'alert' : 'alerts'}, ${end}`
}

function pressable(incident: Incident, { consoleUrl, offers = [] }: IncidentCardContext): CardBlock[] {
  const open = consoleUrl ? { label: 'Open in the console', url: incidentPage(consoleUrl, incident.id) } : null
  const room = BUTTONS_ON_CARD - (open ? 1 : 0)
  return buttons(offers.slice(0, room), open, offers.slice(room, room + MORE_AT_MOST))
}

function footer(incident: Incident): Span[] {
  const drill = incident.drillRun === null ? [] : say` · a drill: the fault was made on purpose`
  return say`Incident ${shortCode(incident.id)}${drill}`
}
