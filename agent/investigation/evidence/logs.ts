import type { LogLine, LogResult, LogsPort } from '../../../integrations/ports/logs.ts'
import type { LogsContent } from '../../diagnosis/evidence-content.ts'
import type { NewEvidence } from '../../domain/evidence.ts'
import { askSource, type WarningLog } from '../ask-source.ts'
import { logPatterns } from '../log-patterns.ts'
import { placesIn } from '../log-places.ts'
import type { Scope } from '../scope.ts'

const MAX_LINES = 500

/** One item per service: its error lines, grouped by what they say. */
export async function collectLogs(
  source: { id: string; logs: LogsPort },
  service: string,
  scope: Scope,
  signal: AbortSignal,
  log: WarningLog,
): Promise<NewEvidence> {
  const query = { service, from: scope.from, to: scope.to, limit: MAX_LINES, level: 'error' as const, signal }
  const answer = await askSource(async () => read(service, await source.logs.read(query)), signal, log)
  const frame = { kind: 'logs', source: source.id, trust: 'log' as const, from: scope.from, to: scope.to }
  if (!answer.ok) {
    const content = { service, failed: answer.words }
    return {
      ...frame,
      status: answer.status,
      summary: `logs of ${service}: ${answer.words}`,
      query: `errors of ${service}`,
      link: null,
      content,
    }
  }
  const { content, link } = answer.value
  return { ...frame, status: content.lines > 0 ? 'ok' : 'empty', summary: summaryOf(content), query: answer.value.query, link, content }
}

function read(
  service: string,
  { query, link, lines: all, omitted }: LogResult,
): { query: string; link: string | null; content: LogsContent } {
  const lines = all.slice(0, MAX_LINES)
  const content = {
    service,
    lines: lines.length,
    omitted: omitted + all.length - lines.length,
    patterns: logPatterns(lines),
    ...placesOf(lines),
  }
  return { query: query.slice(0, 4_000), link, content }
}

function placesOf(lines: readonly LogLine[]): Pick<LogsContent, 'places'> {
  const places = placesIn(lines.map(({ text }) => text))
  return places.length > 0 ? { places } : {}
}

function summaryOf({ service, lines, omitted, patterns }: LogsContent): string {
  const [top] = patterns
  if (!top) return `${service}: no error lines`
  const more = omitted > 0 ? `, ${omitted} left out` : ''
  return `${service}: ${lines} error lines${more}; most often “${top.sample}” (${top.count})`
}
