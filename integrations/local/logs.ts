import type { LogLine, LogQuery, LogsPort } from '../ports/logs.ts'
import { findService } from './catalogue.ts'
import type { DesiredState } from './desired-state.ts'
import { clipBefore } from './target-state.ts'

/** Some four minutes of everything at the usual traffic, and the error lines of twice that when everything fails. */
const MAX_LINES = 5_000
const MAX_ERROR_LINES = 5_000
const MAX_TEXT = 500
const MAX_LIMIT = 2_000
const LEVELS = new Set<string>(['debug', 'info', 'warn', 'error'])
/** Said by other columns of the line already. */
const KNOWN_FIELDS = new Set(['time', 'level', 'service', 'version', 'instance', 'message', 'traceId'])

/** Log lines of the shop, the latest of each service, kept in memory; error lines are kept apart so that the others do not push them out. */
export interface LogStore extends LogsPort {
  append(source: { service: string; instance: string; version: string; stream: 'stdout' | 'stderr' }, line: string): void
}

interface Kept {
  lines: LogLine[]
  errors: LogLine[]
}

export function createLogStore(deps: { state: DesiredState; now: () => Date }): LogStore {
  const byService = new Map<string, Kept>()
  return {
    append(source, text) {
      const line = parseLine(source, text, deps.now())
      const kept = byService.get(source.service) ?? { lines: [], errors: [] }
      byService.set(source.service, kept)
      const [list, max] = line.level === 'error' ? [kept.errors, MAX_ERROR_LINES] : [kept.lines, MAX_LINES]
      list.push(line)
      if (list.length > max) list.shift()
    },
    async read(query) {
      const clip = clipBefore(deps.state.current())
      const from = clip && clip > query.from ? clip : query.from
      const kept = findService(query.service) ? byService.get(query.service) : undefined
      const candidates = kept ? [...kept.errors, ...(query.level === 'error' ? [] : kept.lines)] : []
      const matching = candidates.filter(({ at }) => at >= from && at <= query.to).sort((a, b) => a.at.getTime() - b.at.getTime())
      const limit = Math.min(Math.max(1, query.limit), MAX_LIMIT)
      const lines = matching.slice(0, limit)
      return { query: describeQuery(query, limit), link: null, lines, omitted: matching.length - lines.length }
    },
  }
}

function describeQuery({ service, level }: LogQuery, limit: number): string {
  return `logs(${service}${level === 'error' ? ', level="error"' : ''}) limit ${limit}`
}

function parseLine(source: { instance: string; version: string; stream: 'stdout' | 'stderr' }, text: string, at: Date): LogLine {
  const fields = parseFields(text)
  const level = String(fields?.['level'])
  const traceId = fields?.['traceId']
  return {
    at,
    level: LEVELS.has(level) ? (level as LogLine['level']) : source.stream === 'stderr' ? 'error' : 'info',
    text: (fields ? readable(fields) : text).slice(0, MAX_TEXT),
    instance: source.instance,
    version: source.version,
    traceId: typeof traceId === 'string' ? traceId.slice(0, 64) : null,
  }
}

function parseFields(text: string): Record<string, unknown> | null {
  if (!text.startsWith('{')) return null
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

function readable(fields: Record<string, unknown>): string {
  const rest = Object.entries(fields).flatMap(([name, value]) => (KNOWN_FIELDS.has(name) ? [] : [`${name}=${String(value)}`]))
  return [String(fields['message'] ?? ''), ...rest].join(' ')
}
