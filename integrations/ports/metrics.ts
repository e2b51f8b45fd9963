import type { Unread } from './unread.ts'

/**
 * The product's own vocabulary of metrics; each source translates it. Ratios are 0–1, latency in seconds, sizes in bytes, rates per second.
 */
export const METRICS = {
  request_rate: { unit: '/s', title: 'requests' },
  error_ratio: { unit: 'ratio', title: 'errors' },
  latency_p99: { unit: 's', title: 'latency p99' },
  latency_p50: { unit: 's', title: 'latency p50' },
  memory_used_ratio: { unit: 'ratio', title: 'memory used' },
  memory_used_bytes: { unit: 'bytes', title: 'memory used' },
  cpu_used_ratio: { unit: 'ratio', title: 'CPU used' },
  replicas_ready: { unit: '', title: 'ready replicas' },
  restarts: { unit: '', title: 'restarts' },
  /** Unexpected ends of processes within the last seconds; the source says how many seconds. Unlike `restarts` it falls again. */
  recent_restarts: { unit: '', title: 'recent restarts' },
  /** Of the directory that a service writes its logs to. */
  log_volume_used_ratio: { unit: 'ratio', title: 'log volume used' },
  /** Of the certificate that a service shows; negative once it has expired. */
  certificate_days_left: { unit: 'days', title: 'days left of the certificate' },
  /** Since the batch that a job is at was taken; 0 while it is at none. */
  job_age_seconds: { unit: 's', title: 'time at one batch' },
  queue_depth: { unit: '', title: 'queue depth' },
} as const
export type MetricName = keyof typeof METRICS
/** Whoever has to write the titles again writes these, and forgets none. */
export type MetricTitles = { readonly [Name in MetricName]: (typeof METRICS)[Name]['title'] }

export interface MetricQuery {
  service: string
  /** Where the service runs; a source that reaches one environment need not be told. */
  environment?: string
  metric: MetricName
  from: Date
  to: Date
  /** Seconds between points; the source may widen it to stay under `maxPoints`, keeping extremes. */
  stepSeconds: number
  /** Only these versions, when the source can tell versions apart. */
  version?: string
  signal?: AbortSignal
}

/** One point; a moment without data has no point, it is never filled with zero. */
export interface Point {
  at: Date
  value: number
}

export interface MetricSeries {
  /** The question in the source's own language, for the citation. */
  query: string
  link: string | null
  labels: Record<string, string>
  points: Point[]
  unread?: Unread
}

/** Read-only metrics of services. Faults are thrown as IntegrationError; no data is an empty list of points. */
export interface MetricsPort {
  /** Seconds between its samples; 1 unless it says so. */
  resolutionSeconds?: number
  read(query: MetricQuery): Promise<MetricSeries>
}
