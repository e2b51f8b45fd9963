/** What a service promises: this share of its requests, or of its minutes, is good over so many days. */
export interface Slo {
  service: string
  environment: string
  /** Requests that succeed, by `error_ratio`; or minutes in which 99 of 100 requests take no longer than `atMostSeconds`, by `latency_p99`. */
  of: { metric: 'error_ratio' } | { metric: 'latency_p99'; atMostSeconds: number }
  /** Good share, above 0 and below 1: 0.999. */
  objective: number
  days: number
}
