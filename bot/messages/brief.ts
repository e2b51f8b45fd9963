import type { IncidentView } from '../../agent/agent.ts'
import type { Approval } from '../../agent/domain/approval.ts'
import { ENDED_STATES, type Incident } from '../../agent/domain/incident.ts'
import { startOf } from '../../agent/domain/incident-start.ts'
import { approvalPhase } from './approval-phase.ts'
import { type CardBlock, fact, facts, list, text, title } from './card.ts'
import { causeWords } from './cause-words.ts'
import { incidentPage } from './console-links.ts'
import { causesInOrder } from './diagnosis-blocks.ts'
import { incidentStateWords, wasActedOn } from './incident-words.ts'
import { nextStep, wordOfPerson } from './next-step.ts'
import { PHASE_TITLES, personName } from './outcome-words.ts'
import { capital } from './plain-words.ts'
import { bold, code, exact, joinSpans, link, type Span, say, shortCode } from './span.ts'
import { deadline, durationWords, secondsBetween, sinceMoment, time } from './time-words.ts'
import { cleanText } from './visible-text.ts'

export interface BriefContext {
  readonly now: Date
  readonly consoleUrl: string | null
}

const STEPS_SHOWN = 6
const TITLE_MAX = 120
const STEPS_TOLD = 3
/** What an incident commander does not have to hear. */
const NOISE: readonly string[] = ['investigation-started', 'state-changed', 'execution-claimed', 'execution-intent', 'nothing-proposed']

/** Where an incident stands, for somebody who has to decide or to tell others: what, whom it hurts, why, what was done, what comes next. */
export function briefBlocks(view: IncidentView, { now }: BriefContext): CardBlock[] {
  const { incident, alerts, handling, timeline } = view
  const told = timeline.filter(({ kind }) => !NOISE.includes(kind)).slice(-STEPS_SHOWN)
  return [
    title(`Sev ${incident.severity} · ${cleanText(incident.title, TITLE_MAX)}`),
    text(say`${bold(capital(incidentStateWords(view)))}. It began at ${sinceMoment(startOf(incident, alerts), now)}${lasted(view, now)}.`),
    facts(
      fact('Impact', say`${cleanText(incident.severityReason, 300)}`),
      fact('Suspected cause', causeLine(view)),
      fact('Looked after by', handling.taken ? say`${personName(handling.taken.name)}` : say`Steadyhand; nobody has taken it`),
      handling.snoozed ? fact('Snoozed', say`${deadline(handling.snoozed.until, now)} by ${personName(handling.snoozed.name)}`) : null,
    ),
    ...list(
      'Latest',
      told.map(({ at, text: words }) => say`${time(at)} ${cleanText(words, 240)}`),
    ),
    text(say`${bold(ENDED_STATES.includes(incident.state) ? 'How it ended' : 'Next')}: ${nextStep(view, now)}`),
  ]
}

/** One line of an incident, for lists. */
export function incidentLine(incident: Incident, { now, consoleUrl }: BriefContext): Span[] {
  return say`${incidentName(incident.id, consoleUrl)} Sev ${incident.severity}, ${incident.state}: ${cleanText(incident.title, TITLE_MAX)} (${incident.service}, opened ${durationWords(secondsBetween(incident.openedAt, now))} ago)`
}

export function incidentName(id: string, consoleUrl: string | null): Span {
  return consoleUrl ? link(id, incidentPage(consoleUrl, id)) : code(id)
}

/** One line of a request that waits. */
export function approvalLine({ id, incidentId, plan, votes }: Approval, now: Date): Span[] {
  const approved = votes.filter(({ decision }) => decision === 'approve').length
  return say`${code(id.slice(0, 8))} ${bold(plan.action.title)} (${incidentId}): ${approved} of ${plan.approval.needed} approved, open ${deadline(new Date(plan.expiresAt), now)}`
}

/** What the next shift has to know of one open incident, in one line. */
export function handoverLine(view: IncidentView, context: BriefContext): Span[] {
  const { incident, handling } = view
  const who = handling.taken ? say`; with ${personName(handling.taken.name)}` : []
  const snoozed = handling.snoozed ? say`; snoozed ${deadline(handling.snoozed.until, context.now)}` : []
  return say`${incidentLine(incident, context)}. Cause: ${causeLine(view)}${who}${snoozed}. ${nextStep(view, context.now)}`
}

/** What the next shift has to know of an incident that ended: how bad it was, why, what was done, how it ended. */
export function endedLine(view: IncidentView, { now, consoleUrl }: BriefContext): Span[] {
  const { incident, approvals } = view
  const done = approvals.filter((approval) => wasActedOn([approval]))
  const steps = done.map(
    (approval) => say`“${exact(approval.plan.action.title)}”, ${PHASE_TITLES[approvalPhase(approval, now)].toLowerCase()}`,
  )
  const word = wordOfPerson(view)
  return say`${incidentName(incident.id, consoleUrl)} Sev ${incident.severity}: ${cleanText(incident.title, TITLE_MAX)} (${incident.service}), ended ${sinceMoment(incident.endedAt ?? now, now)}${lasted(view, now)}. Cause: ${causeLine(view)}. Done: ${steps.length === 0 ? 'nothing was run' : joinSpans(steps.slice(0, STEPS_TOLD), '; ')}. Ended: ${incidentStateWords(view)}${word === null ? '.' : ` (${word.replace(/\.$/, '')}).`}`
}

function causeLine(view: IncidentView): Span[] {
  const { first } = causesInOrder(view)
  if (!first) return say`not looked into yet`
  return say`${causeWords(first.class, first.component)}${first.class === 'unknown' ? '' : ` (${Math.round(first.confidence)} %)`}`
}

function lasted({ incident, alerts }: IncidentView, now: Date): string {
  const { endedAt, state } = incident
  return `, ${ENDED_STATES.includes(state) ? 'over after' : 'for'} ${durationWords(secondsBetween(startOf(incident, alerts), endedAt ?? now))}`
}

/** What an action of the catalogue is called and does, for somebody who may ask for it. */
export function actionLine({ verb, description }: { verb: string; description: string }): Span[] {
  return say`${shortCode(verb)} ${exact(description)}`
}
