import { z } from 'zod'
import { getJson, type HttpServer } from '../http.ts'
import { levelOfLine, MAY_BE_ERROR } from '../ports/log-text.ts'
import { type LogLine, type LogQuery, type LogResult, type LogsPort, withinLimit } from '../ports/logs.ts'
import { containing, type LogQl, streams } from './logql.ts'

export interface LogsOptions {
  /** The label that names the service. */
  serviceLabel: string
  /** Exact matchers on every stream. */
  match: Readonly<Record<string, string>>
  namespaces: readonly string[]
  linkUrl: string
}

const MAX_LIMIT = 2_000
const MAX_TEXT = 2_000
const LONGEST_MS = 7 * 24 * 3_600_000
const NANOSECONDS_A_MILLISECOND = 1_000_000n

const answerSchema = z.object({
  status: z.literal('success'),
  data: z.object({
    resultType: z.literal('streams'),
    result: z
      .array(
        z.object({
          stream: z.record(z.string(), z.string()),
          // The third, structured metadata, is there on newer servers.
          values: z.array(z.tuple([z.string().regex(/^\d{1,19}$/), z.string()], z.unknown())),
        }),
      )
      .max(5_000),
  }),
})

/** Logs by Loki's query API. */
export function createLogs(server: HttpServer, options: LogsOptions): LogsPort {
  return {
    mayBeWatched: true,
    async read(query) {
      const expression = expressionOf(query, options)
      const limit = Math.min(Math.max(1, query.limit), MAX_LIMIT)
      const from = Math.max(query.from.getTime(), query.to.getTime() - LONGEST_MS)
      const { data } = await getJson(server, {
        path: '/loki/api/v1/query_range',
        query: {
          query: expression,
          start: String(BigInt(Math.floor(from)) * NANOSECONDS_A_MILLISECOND),
          end: String(BigInt(Math.ceil(query.to.getTime()) + 1) * NANOSECONDS_A_MILLISECOND),
          // One more than wanted tells whether there are more.
          limit: String(limit + 1),
          direction: query.keep === 'newest' ? 'backward' : 'forward',
        },
        schema: answerSchema,
        signal: query.signal,
      })
      const read = data.result.flatMap(({ stream, values }) => values.map(([at, text]) => toLine(stream, at, text)))
      const wanted = query.level === 'error' ? read.filter(({ level }) => level === 'error') : read
      const sorted = wanted.toSorted((a, b) => a.at.getTime() - b.at.getTime())
      const kept = withinLimit(sorted, { ...query, limit })
      return {
        query: expression,
        link: linkTo(options.linkUrl, expression, query),
        ...kept,
        ...(query.keep === 'newest' && read.length > limit ? { unread: notAskedFor(read, limit) } : {}),
      }
    },
  }
}

/** The server let go of what is older than the oldest it sent, before the lines were looked at here. */
function notAskedFor(read: readonly LogLine[], limit: number): NonNullable<LogResult['unread']> {
  return { before: new Date(Math.min(...read.map(({ at }) => at.getTime()))), why: `at most ${limit} lines are asked for at once` }
}

function expressionOf({ service, level }: LogQuery, { serviceLabel, match, namespaces }: LogsOptions): LogQl {
  const selected = streams({ ...match, [serviceLabel]: service }, { namespace: namespaces })
  return level === 'error' ? containing(selected, MAY_BE_ERROR) : selected
}

function toLine(stream: Readonly<Record<string, string>>, nanoseconds: string, text: string): LogLine {
  const stated = stream['level'] ?? stream['detected_level'] ?? null
  return {
    at: new Date(Number(BigInt(nanoseconds) / NANOSECONDS_A_MILLISECOND)),
    level: levelOfLine(text, stated === 'unknown' ? null : stated),
    text: text.slice(0, MAX_TEXT).toWellFormed(),
    instance: (stream['pod'] ?? stream['instance'] ?? null)?.slice(0, 200) ?? null,
    version: stream['version']?.slice(0, 100) ?? null,
    traceId: stream['trace_id']?.slice(0, 64) ?? null,
  }
}

function linkTo(url: string, expression: string, { from, to, limit }: LogQuery): string {
  const query = new URLSearchParams({ query: expression, start: from.toISOString(), end: to.toISOString(), limit: String(limit) })
  return `${url}/loki/api/v1/query_range?${query}`
}
