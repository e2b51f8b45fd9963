import type { IncidentView } from '../../agent/agent.ts'
import type { EvidenceSummary } from '../../agent/domain/evidence.ts'
import { type CardBlock, list, note } from './card.ts'
import { evidencePage } from './console-links.ts'
import { code, joinSpans, link, type Span, say, shortCode } from './span.ts'
import { cleanText } from './visible-text.ts'

const CITES_SHOWN = 4
const EVIDENCE_SHOWN = 6
const CHANGES_SHOWN = 3
const LINE_MAX = 240
const LABELS_SHOWN = 20

/** '[E1, E3]', each a link to the stored result where there is a console to show it. Labels that name no evidence are left out. */
export function citations(labels: readonly string[], { incident, evidence }: IncidentView, consoleUrl: string | null): Span[] {
  const known = labels.filter((label) => evidence.some((item) => item.label === label)).slice(0, CITES_SHOWN)
  if (known.length === 0) return []
  return say`[${joinSpans(known.map((label) => [labelSpan(label, incident.id, consoleUrl)]))}]`
}

/** What was looked at: in full while no claim speaks for it, as labels once the claims cite them. */
export function evidenceBlocks(view: IncidentView, consoleUrl: string | null): CardBlock[] {
  const first = view.hypotheses.find(({ rank }) => rank === 1)
  if (!first?.claims.some(({ supported }) => supported)) return list('Evidence', evidenceItems(view, consoleUrl))
  const asked = questionsOf(view.evidence)
  const labels = asked.slice(0, LABELS_SHOWN).map(({ latest: { label, kind, status } }) => {
    const aside = status === 'ok' ? '' : ` (${STATUS_WORDS[status]})`
    return say`${labelSpan(label, view.incident.id, consoleUrl)} ${cleanText(kind, 30)}${aside}`
  })
  const rest = asked.length - labels.length
  const often = timesWords(asked)
  return labels.length === 0 ? [] : [note(say`Evidence: ${joinSpans(labels, ' · ')}${rest > 0 ? ` and ${rest} more` : ''}${often}`)]
}

interface Question {
  latest: EvidenceSummary
  times: number
  unchanged: boolean
}

/** Windows move from round to round; the question stays the same. */
const MOMENTS = /\d{4}-\d{2}-\d{2}T[\d:.]+Z/g

/** Each question once, with its last answer: every round of investigation asks them all again. */
function questionsOf(evidence: readonly EvidenceSummary[]): Question[] {
  const asked = new Map<string, Question>()
  for (const item of evidence) {
    const key = [item.kind, item.source, item.query.replace(MOMENTS, '')].join('\n')
    const before = asked.get(key)
    const unchanged = before === undefined || (before.unchanged && before.latest.summary === item.summary)
    asked.set(key, { latest: item, times: (before?.times ?? 0) + 1, unchanged })
  }
  return [...asked.values()]
}

/** ' (checked 4 times, unchanged)'; '' when everything was asked once. */
function timesWords(asked: readonly Question[]): string {
  const times = Math.max(1, ...asked.map((question) => question.times))
  return times === 1 ? '' : ` (checked ${times} times${asked.every(({ unchanged }) => unchanged) ? ', unchanged' : ''})`
}

function evidenceItems(view: IncidentView, consoleUrl: string | null): Span[][] {
  const items = questionsOf(view.evidence).filter(({ latest }) => !isOfChanges(latest))
  const rest = items.length - EVIDENCE_SHOWN
  const lines = items.slice(0, EVIDENCE_SHOWN).map((item) => evidenceLine(item, view.incident.id, consoleUrl))
  return rest > 0 ? [...lines, say`and ${rest} more`] : lines
}

/** What changed shortly before, as the sources of changes tell it. */
export function changeItems(view: IncidentView, consoleUrl: string | null): Span[][] {
  const items = questionsOf(view.evidence)
    .filter(({ latest }) => isOfChanges(latest))
    .slice(0, CHANGES_SHOWN)
  return items.map((item) => evidenceLine(item, view.incident.id, consoleUrl))
}

function isOfChanges({ kind }: EvidenceSummary): boolean {
  return kind === 'changes' || kind === 'commits'
}

const STATUS_WORDS: Readonly<Record<EvidenceSummary['status'], string>> = {
  ok: '',
  empty: 'no data',
  failed: 'could not be read',
  denied: 'not permitted',
}

function evidenceLine(question: Question, incidentId: string, consoleUrl: string | null): Span[] {
  const item = question.latest
  const aside = item.status === 'ok' ? '' : ` (${STATUS_WORDS[item.status]})`
  const from = say`${shortCode(item.kind, 30)} from ${shortCode(item.source, 30)}`
  return say`${labelSpan(item.label, incidentId, consoleUrl)} ${from}${aside}: ${cleanText(item.summary, LINE_MAX)}${timesWords([question])}`
}

function labelSpan(label: string, incidentId: string, consoleUrl: string | null): Span {
  return consoleUrl ? link(label, evidencePage(consoleUrl, incidentId, label)) : code(label)
}
