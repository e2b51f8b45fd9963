import { type LogLine, type LogQuery, type LogResult, type LogsPort, withinLimit } from '../ports/logs.ts'
import { findService } from './catalogue.ts'
import type { DesiredState } from './desired-state.ts'
import { clipBefore, DRILL_BEGAN } from './target-state.ts'

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
  /** When the newest line was written that had to go, of these and of those. */
  droppedLine: Date | null
  droppedError: Date | null
}

export function createLogStore(deps: { state: DesiredState; now: () => Date }): LogStore {
  const byService = new Map<string, Kept>()
  const startedAt = deps.now()
  return {
    append(source, text) {
      const line = parseLine(source, text, deps.now())
      const kept = byService.get(source.service) ?? { lines: [], errors: [], droppedLine: null, droppedError: null }
      byService.set(source.service, kept)
      if (line.level === 'error') kept.droppedError = push(kept.errors, line, MAX_ERROR_LINES) ?? kept.droppedError
      else kept.droppedLine = push(kept.lines, line, MAX_LINES) ?? kept.droppedLine
    },
    async read(query) {
      const clip = clipBefore(deps.state.current())
      const from = clip && clip > query.from ? clip : query.from
      const kept = findService(query.service) ? byService.get(query.service) : undefined
      const candidates = kept ? [...kept.errors, ...(query.level === 'error' ? [] : kept.lines)] : []
      const matching = candidates.filter(({ at }) => at >= from && at <= query.to).sort((a, b) => a.at.getTime() - b.at.getTime())
      const limit = Math.min(Math.max(1, query.limit), MAX_LIMIT)
      const unread = notHeld(query, [
        { before: startedAt, why: 'they are kept in memory, and Steadyhand was started then' },
        { before: clip, why: DRILL_BEGAN },
        { before: kept?.droppedError ?? null, why: `only the newest ${MAX_ERROR_LINES} error lines are kept` },
        { before: query.level === 'error' ? null : (kept?.droppedLine ?? null), why: `only the newest ${MAX_LINES} lines are kept` },
      ])
      return {
        query: describeQuery(query, limit),
        link: null,
        ...withinLimit(matching, { ...query, limit }),
        ...(unread ? { unread } : {}),
      }
    },
  }
}

/** Returns the time of the line that had to go, if one had to. */
function push(list: LogLine[], line: LogLine, max: number): Date | null {
  list.push(line)
  return list.length > max ? (list.shift()?.at ?? null) : null
}

/** Of the moments before which nothing is held, the latest that lies in the window. */
function notHeld({ from }: LogQuery, reasons: readonly { before: Date | null; why: string }[]): LogResult['unread'] {
  return reasons
    .flatMap(({ before, why }) => (before !== null && before > from ? [{ before, why }] : []))
    .toSorted((a, b) => b.before.getTime() - a.before.getTime())[0]
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
