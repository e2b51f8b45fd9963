import type { WorkloadsPort } from './workloads.ts'

export interface TraceQuery {
  service: string
  from: Date
  to: Date
  /** `failed`: a span of the service says that it failed. `slow`: one took at least `slowMs`. */
  which: 'failed' | 'slow'
  slowMs: number
  /** 1–50; which ones they are, where there are more, the server decides. */
  limit: number
  signal?: AbortSignal
}

export interface TraceSummary {
  /** 32 hexadecimal digits. */
  id: string
  /** Where it began, as far as the server knows. */
  service: string | null
  operation: string | null
  startedAt: Date
  ms: number
  /** Null where the server does not say. */
  spans: number | null
  failedSpans: number | null
  services: readonly string[]
}

/** One piece of work of one service. Its texts are the service's own: data from outside. */
export interface Span {
  /** 32 hexadecimal digits. */
  trace: string
  /** 16 hexadecimal digits. */
  id: string
  /** The span that waited for this one; null for the first of a trace. */
  parent: string | null
  service: string
  operation: string
  /** Milliseconds since 1970, with fractions. */
  startMs: number
  ms: number
  /** What it says of its failure, '' when it only says that it failed; null when it did not. */
  failure: string | null
  /** Whether it sent or took a message, which nobody waits for; null for all other work. */
  message: 'sent' | 'taken' | null
}

export interface TracesPort {
  /** Traces in which the service took part, the latest first. */
  search(query: TraceQuery): Promise<{ query: string; link: string | null; traces: TraceSummary[] }>
  /** Everything that is kept of one trace; null when the server does not know it. `omitted` spans were broken or too many. */
  open(id: string, signal?: AbortSignal): Promise<{ query: string; link: string | null; spans: Span[]; omitted: number } | null>
  /** Who was seen calling whom. Answered at once, from what was seen so far; looking again happens behind it. */
  dependencies: WorkloadsPort['dependencies']
}

export const TRACE_ID = /^[0-9a-f]{32}$/
