import type { EvidenceSummary, NewEvidence } from '../domain/evidence.ts'
import { citationOf, type RunbookChunk, type RunbookQuery, type RunbookSubject } from '../domain/runbook.ts'
import { oneLine } from '../investigation/outside-text.ts'

const MAX_SHOWN = 1_500

/** A round of an investigation and its window. */
export interface RunbookFacts extends RunbookSubject {
  from: Date
  to: Date
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
        // With the passage: two passages that one search found are two pieces of evidence, not one that was looked at twice.
        query: `runbooks(${[...query.classes, ...query.alerts].join(', ').slice(0, 700)}): ${citation}`,
        from,
        to,
        link: null,
        content: { citation, title, heading, text: chunk.body.slice(0, MAX_SHOWN) },
      }
    })
    .filter(({ summary }) => !known.some((item) => item.kind === 'runbook' && item.summary === summary))
}
