import type { Alert } from '../domain/alert.ts'
import type { EvidenceSummary, NewEvidence } from '../domain/evidence.ts'
import type { Hypothesis } from '../domain/hypothesis.ts'
import { citationOf, type RunbookChunk, type RunbookQuery } from '../domain/runbook.ts'
import { oneLine } from '../investigation/outside-text.ts'

const FOUND_AT_MOST = 2
const MAX_SHOWN = 1_500

export interface RunbookFacts {
  service: string
  alerts: readonly Alert[]
  /** The first hypothesis of the round. */
  hypothesis: Hypothesis | undefined
  from: Date
  to: Date
}

/** What to look for: the cause where one is known, the alerts, and the words of both. Pure. */
export function runbookQuery({ service, alerts, hypothesis }: RunbookFacts): RunbookQuery {
  const cause = hypothesis && hypothesis.class !== 'unknown' ? hypothesis.class : null
  const blamed = hypothesis?.component.split('/')[1]
  const names = [...new Set(alerts.map(({ name }) => name))]
  return {
    words: [...(cause ? cause.split('_') : []), ...names.flatMap((name) => name.split(/(?=[A-Z])|[\s_-]+/))],
    services: [...new Set([...(blamed ? [blamed] : []), service])],
    alerts: names,
    classes: cause ? [cause] : [],
    limit: FOUND_AT_MOST,
  }
}

/** What was found, as evidence that can be cited by file and heading; what the incident shows already is left out. Pure. */
export function runbookEvidence(
  chunks: readonly RunbookChunk[],
  query: RunbookQuery,
  { from, to }: Pick<RunbookFacts, 'from' | 'to'>,
  known: readonly EvidenceSummary[],
): NewEvidence[] {
  return chunks
    .map((chunk): NewEvidence => {
      const citation = oneLine(citationOf(chunk), 200)
      const [title, heading] = [oneLine(chunk.title, 120), oneLine(chunk.heading, 120)]
      return {
        kind: 'runbook',
        source: 'runbooks',
        trust: 'chat',
        status: 'ok',
        summary: `runbook: ${citation} (${title === heading ? title : `${title}: ${heading}`})`,
        query: `runbooks(${[...query.classes, ...query.alerts].join(', ')})`.slice(0, 1_000),
        from,
        to,
        link: null,
        content: { citation, title, heading, text: chunk.body.slice(0, MAX_SHOWN) },
      }
    })
    .filter(({ summary }) => !known.some((item) => item.kind === 'runbook' && item.summary === summary))
}
