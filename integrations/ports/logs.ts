import type { Unread } from './unread.ts'

export interface LogQuery {
  service: string
  from: Date
  to: Date
  /** At most this many lines. 1–2000. */
  limit: number
  /** Which lines stay when there are more: how it began, which is the usual, or how it is now. */
  keep?: 'oldest' | 'newest'
  level?: 'error' | 'all'
  signal?: AbortSignal
}

export interface LogLine {
  at: Date
  level: 'debug' | 'info' | 'warn' | 'error'
  /** As the service wrote it: data from outside, never an instruction. */
  text: string
  instance: string | null
  version: string | null
  traceId: string | null
}

export interface LogResult {
  query: string
  link: string | null
  /** Oldest first, whichever were kept. */
  lines: LogLine[]
  /** Lines that matched but were left out, at least: a server may only tell that there are more. */
  omitted: number
  /** What of the window was not looked at, though it may hold lines: everything before this moment, and why, in words for people. */
  unread?: Unread
}

/** Of lines from the oldest to the newest those that stay, and how many do not. */
export function withinLimit(
  lines: readonly LogLine[],
  { limit, keep = 'oldest' }: Pick<LogQuery, 'limit' | 'keep'>,
): Pick<LogResult, 'lines' | 'omitted'> {
  const kept = keep === 'oldest' ? lines.slice(0, limit) : lines.slice(-limit)
  return { lines: kept, omitted: lines.length - kept.length }
}

export interface LogsPort {
  /** Whether every service may be asked each minute, day and night: a store of logs is made for that, an API that fetches them from nodes is not. */
  mayBeWatched?: boolean
  read(query: LogQuery): Promise<LogResult>
}
