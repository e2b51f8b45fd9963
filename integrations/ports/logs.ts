export interface LogQuery {
  service: string
  from: Date
  to: Date
  /** At most this many lines, the newest first to go when there are more. 1–2000. */
  limit: number
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
  lines: LogLine[]
  /** Lines that matched but were left out. */
  omitted: number
}

export interface LogsPort {
  /** Whether every service may be asked each minute, day and night: a store of logs is made for that, an API that fetches them from nodes is not. */
  mayBeWatched?: boolean
  read(query: LogQuery): Promise<LogResult>
}
