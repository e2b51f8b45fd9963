import type { IncidentView } from '../../agent/agent.ts'
import { type Approval, approvalOutcome, approvalState } from '../../agent/domain/approval.ts'
import type { Claim, Hypothesis } from '../../agent/domain/hypothesis.ts'
import { ENDED_STATES, firstResponse, wasPutBack } from '../../agent/domain/incident.ts'
import { startOf } from '../../agent/domain/incident-start.ts'
import { faultWords } from './cause-words.ts'
import { incidentStateWords } from './incident-words.ts'
import { markdownRow, markdownText } from './markdown.ts'
import { reasonWords } from './outcome-words.ts'
import { asOfThen } from './plain-words.ts'
import { dayClockWords, durationWords, secondsBetween } from './time-words.ts'
import { cleanText } from './visible-text.ts'

const EVENTS_SHOWN = 300
const EVIDENCE_SHOWN = 100
const LONG = 1_000

/**
 * A first draft of a postmortem, in Markdown: what the rows say, with times and citations, and what they do not say as open questions. Nothing
 * in it is guessed; causes, lessons and follow-ups are left to people.
 */
export function postmortemMarkdown(view: IncidentView, now: Date): string {
  const { incident } = view
  const lines = [
    `# Postmortem: ${markdownText(incident.title)} (${incident.id})`,
    '',
    `Draft from stored rows, ${dayClockWords(now)}. Nothing in it was written by a model or guessed. [E…] names stored evidence, listed at the end.`,
    ...section('Facts', facts(view)),
    ...section('Cause, as diagnosed', cause(view)),
    ...section('What was done', actions(view.approvals)),
    ...section('Timeline', timeline(view)),
    ...section(
      'Open questions',
      openQuestions(view).map((question) => `- [ ] ${markdownText(question, LONG)}`),
    ),
    ...section('What people said of the diagnosis', feedback(view)),
    ...section('Lessons and follow-ups', ['To be written by people.']),
    ...section('Evidence', evidence(view)),
  ]
  return `${lines.join('\n')}\n`
}

/** What the rows do not answer. */
export function openQuestions({ incident, hypotheses, approvals, timeline: events, feedback: said }: IncidentView): string[] {
  const first = hypotheses.find(({ rank }) => rank === 1)
  const unverified = (first?.claims ?? []).filter(({ supported }) => !supported)
  const undetermined = approvals.filter((approval) => approvalOutcome(approval) === 'undetermined')
  return [
    ...(ENDED_STATES.includes(incident.state) ? [] : ['It is not over: when did it end, and how?']),
    ...(first === undefined || first.class === 'unknown' ? ['What was the cause? It is not known from the evidence.'] : []),
    ...(first?.unknown ?? []).map((what) => `Not known: ${cleanText(what, 300)}`),
    ...unverified.map(({ text }) => `Said, but not found in the evidence: ${cleanText(text, 300)}`),
    ...undetermined.map(({ plan }) => `Did it help? ${cleanText(plan.action.title, 300)} could not be judged: too few samples.`),
    ...(incident.state === 'healed' && !wasPutBack(events) ? ['It went away without a verified action: why, and can it come back?'] : []),
    ...(said.length === 0 && first !== undefined ? ['Was the diagnosis right? Nobody has said so (command: feedback).'] : []),
    'How were users affected, and how many? Only the alert level and the call graph are stored.',
  ]
}

function section(title: string, lines: readonly string[]): string[] {
  return ['', `## ${title}`, '', ...(lines.length > 0 ? lines : ['Nothing is stored.'])]
}

function facts(view: IncidentView): string[] {
  const { incident, alerts, timeline: events, handling } = view
  const first = firstResponse(events)
  const began = startOf(incident, alerts)
  const rows: [string, string][] = [
    ['Service', `${markdownText(incident.service)} in ${markdownText(incident.environment)}`],
    ['Severity', `Sev ${incident.severity}: ${markdownText(incident.severityReason, LONG)}`],
    ['Began', dayClockWords(began)],
    ['Opened', dayClockWords(incident.openedAt)],
    [
      'First action of a person',
      first ? `${dayClockWords(first.at)}, after ${durationWords(secondsBetween(incident.openedAt, first.at))}` : 'none',
    ],
    [
      'Ended',
      incident.endedAt ? `${dayClockWords(incident.endedAt)}, after ${durationWords(secondsBetween(began, incident.endedAt))}` : 'not yet',
    ],
    ['State', markdownText(incidentStateWords(view))],
    [
      'Alerts',
      `${new Set(alerts.map(({ source, key }) => `${source} ${key}`)).size}: ${[...new Set(alerts.map(({ name }) => markdownText(name, 100)))].slice(0, 10).join(', ')}`,
    ],
    ...(handling.taken ? [['Looked after by', markdownText(handling.taken.name, 100)] as [string, string]] : []),
    ...(incident.drillRun === null ? [] : [['Drill', 'yes: the fault was made on purpose'] as [string, string]]),
  ]
  return ['| | |', '|---|---|', ...rows.map(markdownRow)]
}

function cause({ incident, hypotheses }: IncidentView): string[] {
  const isOver = ENDED_STATES.includes(incident.state)
  const claimWords = (claim: Claim): string => claimLine(claim, isOver && claim.by !== 'model')
  const [first, ...others] = hypotheses.toSorted((a, b) => a.rank - b.rank)
  if (!first) return ['It was not looked into.']
  return [
    causeWords(first),
    '',
    ...first.claims.filter(({ supported }) => supported).map((claim) => `- ${claimWords(claim)}`),
    ...first.against.map((claim) => `- Against it: ${claimWords(claim)}`),
    ...(others.length === 0 ? [] : ['', `Also considered: ${others.map(causeWords).join('; ')}.`]),
  ]
}

function causeWords({ class: fault, component, confidence }: Hypothesis): string {
  if (fault === 'unknown') return 'Not known'
  return `${faultWords(fault)}, in ${markdownText(component)} (${Math.round(confidence)} %)`
}

function claimLine({ text, cites }: Claim, isOver: boolean): string {
  return `${markdownText(isOver ? asOfThen(text) : text)}${
    cites.length === 0
      ? ''
      : ` [${cites
          .slice(0, 6)
          .map((label) => markdownText(label, 20))
          .join(', ')}]`
  }`
}

function actions(approvals: readonly Approval[]): string[] {
  return approvals
    .toSorted((a, b) => a.createdAt.getTime() - b.createdAt.getTime())
    .flatMap((approval) => {
      const { plan, votes } = approval
      const asked = plan.requester === null ? 'proposed by Steadyhand' : `asked for by ${markdownText(plan.requester, 100)}`
      const decided = votes.map(
        ({ personName, decision, at, reason }) =>
          `  - ${markdownText(personName, 100)} ${decision === 'approve' ? 'approved' : 'denied'} at ${dayClockWords(at)}${reason ? `: ${markdownText(reason)}` : ''}`,
      )
      const end = approvalOutcome(approval) ?? approvalState(approval)
      const reason = approval.reason ?? reasonWords(approval)
      return [
        `- **${markdownText(plan.action.title)}**, ${asked} at ${dayClockWords(approval.createdAt)}: ${end}${reason ? `, ${markdownText(reason)}` : ''}`,
        ...decided,
      ]
    })
}

function timeline({ timeline: events }: IncidentView): string[] {
  const shown = events.slice(0, EVENTS_SHOWN)
  const rest = events.length - shown.length
  return [
    '| UTC | what |',
    '|---|---|',
    ...shown.map(({ at, text }) => markdownRow([dayClockWords(at).slice(0, 19), markdownText(text, LONG)])),
    ...(rest > 0 ? ['', `${rest} more events are stored.`] : []),
  ]
}

function feedback({ feedback: said }: IncidentView): string[] {
  return said.map(({ person, verdict, class: fault, component, words, at }) => {
    const really = fault === null ? '' : `; it was ${faultWords(fault)}${component === null ? '' : ` of ${markdownText(component)}`}`
    return `- ${markdownText(person.name, 100)}, ${dayClockWords(at)}: ${verdict}${really}${words === null ? '' : ` (${markdownText(words)})`}`
  })
}

function evidence({ evidence: items }: IncidentView): string[] {
  return items
    .slice(-EVIDENCE_SHOWN)
    .map(
      ({ label, kind, source, status, summary, from, to, hash }) =>
        `- [${label}] ${markdownText(kind, 40)} from ${markdownText(source, 40)}, ${dayClockWords(from)} to ${dayClockWords(to)} (${status}): ${markdownText(summary)} sha256 ${hash.slice(0, 12)}`,
    )
}
