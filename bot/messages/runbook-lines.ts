import type { IncidentView } from '../../agent/agent.ts'
import { type CardBlock, list } from './card.ts'
import { citations } from './evidence-lines.ts'
import { type Span, say } from './span.ts'
import { cleanText } from './visible-text.ts'

const RUNBOOKS_SHOWN = 2
const LINE_MAX = 240

/** What a runbook says that fits the cause, named by file and heading: the newest finds, each once. */
export function runbookBlocks(view: IncidentView, consoleUrl: string | null): CardBlock[] {
  // Of one search the first fits best, and of several the last: the sort keeps the order within a search.
  const found = view.evidence
    .filter(({ kind, status }) => kind === 'runbook' && status === 'ok')
    .toSorted((a, b) => b.to.getTime() - a.to.getTime())
  const each = found.filter(({ summary }, i) => found.findIndex((newer) => newer.summary === summary) === i)
  const lines = each
    .slice(0, RUNBOOKS_SHOWN)
    .map(
      ({ summary, label }): Span[] =>
        say`${cleanText(summary.replace(/^runbook: /, ''), LINE_MAX)} ${citations([label], view, consoleUrl)}`,
    )
  return list('Runbook', lines)
}
