import type { Durations, Figures, Voter } from '../../agent/agent.ts'
import { AT_A_GLANCE_SECONDS } from '../../agent/domain/approval.ts'
import { Refusal } from '../../agent/domain/refusal.ts'
import { parseDuration } from '../command-parser.ts'
import { incidentName } from '../messages/brief.ts'
import { type Fact, fact, facts, list, note, text } from '../messages/card.ts'
import { postmortemPage } from '../messages/console-links.ts'
import { countWords } from '../messages/plain-words.ts'
import { openQuestions } from '../messages/postmortem.ts'
import { bold, link, type Span, say } from '../messages/span.ts'
import { dayTime, durationWords } from '../messages/time-words.ts'
import { cleanText } from '../messages/visible-text.ts'
import { answer, type Command } from './command.ts'
import { viewOf } from './explain.ts'
import { demandService } from './telemetry.ts'

const USUAL_SECONDS = 30 * 86_400
const QUESTIONS_SHOWN = 10
const VOTERS_SHOWN = 10

export const records: Command = {
  name: 'records',
  usage: '[7d] [SERVICE] [drills]',
  summary: 'how it went: times to acknowledge and resolve, outcomes, approvals, after-hours pages, feedback',
  needs: 'read',
  programs: true,
  async run({ words }, { agent, now }) {
    const length = words.find((word) => parseDuration(word) !== null)
    const drills = words.some((word) => word.toLowerCase() === 'drills')
    const [named] = words.filter((word) => word !== length && word.toLowerCase() !== 'drills')
    const services = named === undefined ? [] : await agent.scopes.services()
    const service =
      named === undefined ? null : (services.find((name) => name.toLowerCase() === named.toLowerCase()) ?? demandService([named], services))
    const seconds = length === undefined ? USUAL_SECONDS : (parseDuration(length) ?? USUAL_SECONDS)
    const from = new Date(now.getTime() - seconds * 1_000)
    const figures = await agent.figures({ from, to: new Date(now.getTime() + 1), service, drills })
    const about = service === null ? [] : say` of ${service}`
    const left = figures.incidents.drillsLeftOut
    return answer(
      text(
        say`${bold('Records')}${about}, the last ${durationWords(seconds)}: ${countWords(figures.incidents.opened, 'incident')}, ${figures.incidents.open} open.`,
      ),
      facts(...factsOf(figures)),
      ...list('Who decided, and how soon after the card', figures.voters.slice(0, VOTERS_SHOWN).map(voterLine)),
      ...(figures.isWhole
        ? []
        : [note(say`There was more than is counted at once, so these figures are too small: ask for a shorter time.`)]),
      ...(left > 0 ? [note(say`${countWords(left, 'drill')} left out; say ${bold('records drills')} to count them.`)] : []),
    )
  },
}

function factsOf({
  incidents,
  timeToAcknowledge,
  timeToResolve,
  endings,
  requests,
  outcomes,
  approvalLatency,
  afterHours,
  feedback,
}: Figures): Fact[] {
  const severities = ([1, 2, 3, 4] as const).map((level) => `Sev ${level}: ${incidents.bySeverity[level]}`).join(', ')
  const told = feedback.right + feedback.wrong
  return [
    fact('Severity', say`${severities}`),
    fact('Time to acknowledge', durationsLine(timeToAcknowledge)),
    fact('Time to resolve', durationsLine(timeToResolve)),
    fact(
      'How they ended',
      say`${endings.verified} by a verified action, ${endings.healed} by themselves, ${endings.gone} once something was done that was not verified, ${endings.person} by the word of a person`,
    ),
    fact(
      'Requests',
      say`${requests.asked} asked: ${requests.approved} approved, ${requests.denied} denied, ${requests.expired} expired, ${requests.cancelled} cancelled`,
    ),
    fact('Approval latency', durationsLine(approvalLatency)),
    fact(
      'Outcomes',
      say`${outcomes.verified} verified, ${outcomes.undone} undone, ${outcomes.failed} failed, ${outcomes.undetermined} undetermined, ${outcomes.notRun} not run`,
    ),
    fact(
      'After hours',
      say`${countWords(afterHours.incidents, 'incident')} and ${countWords(afterHours.requests, 'request')} outside Mon–Fri 08:00–18:00 UTC`,
    ),
    fact(
      'Diagnoses',
      told === 0 ? say`nobody has said yet whether they were right` : say`${feedback.right} of ${told} right, by the word of people`,
    ),
  ]
}

/** Whether what is asked is read: who approves everything within seconds reads nothing of it. */
function voterLine({ name, votes, approved, atAGlance, medianSeconds }: Voter): Span[] {
  const glance = atAGlance === 0 ? '' : `; ${atAGlance} within ${AT_A_GLANCE_SECONDS} s, before anybody could have read it`
  return say`${bold(name)}: ${approved} of ${votes} approved, ${durationWords(medianSeconds)} in the middle${glance}`
}

function durationsLine({ mean, median, p90, n }: Durations): Span[] {
  if (mean === null || median === null || p90 === null) return say`nothing to measure yet`
  return say`${durationWords(mean)} on average, ${durationWords(median)} in the middle, 90 % within ${durationWords(p90)} (${n})`
}

export const postmortem: Command = {
  name: 'postmortem',
  usage: '[INCIDENT]',
  summary: 'a draft from the timeline: facts with times and citations, and the open questions',
  needs: 'read',
  programs: true,
  async run({ words }, context) {
    if (words.length > 1) throw new Refusal('invalid-parameters', 'Say which incident alone, for example: postmortem inc-12')
    const view = await viewOf(words, context)
    const { incident } = view
    const ended = incident.endedAt ? say`ended ${dayTime(incident.endedAt)}` : say`not over yet`
    const where = context.consoleUrl
      ? say`${link('The draft as Markdown', postmortemPage(context.consoleUrl, incident.id))}`
      : say`The draft is at /api/v1/incidents/${incident.id}/postmortem.md.`
    return answer(
      text(
        say`${incidentName(incident.id, context.consoleUrl)} ${cleanText(incident.title, 120)}, began ${dayTime(incident.openedAt)}, ${ended}. ${where}`,
      ),
      ...list(
        'Open questions',
        openQuestions(view)
          .slice(0, QUESTIONS_SHOWN)
          .map((question) => say`${question}`),
      ),
      note(say`Only what is stored; nothing in it is made up. Lessons and follow-ups are for people to write.`),
    )
  },
}
