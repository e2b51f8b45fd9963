import type { Scrape } from '../contract.ts'

const MAX_SAMPLES = 200
const MAX_NAME_LENGTH = 300
const SAMPLE = /^([a-zA-Z_:][\w:]*(?:\{[^}]*\})?) (\S+)$/
const STATUS = /^http_requests_total\{status="(\d{3})"\}$/
const BUCKET = /^http_request_duration_seconds_bucket\{le="([^"]+)"\}$/
const SERVER_ERROR = 500

/** The pseudo instance whose samples say what the supervisor knows of a service. */
export const SUPERVISOR_INSTANCE = 'supervisor'

/** Parses Prometheus text into samples by series; what is no sample is left out, and at most 200 are taken. */
export function parseSamples(text: string): Record<string, number> {
  const samples: Record<string, number> = {}
  let count = 0
  for (const line of text.split('\n')) {
    const [, series, value] = SAMPLE.exec(line) ?? []
    if (!series || series.length > MAX_NAME_LENGTH || !Number.isFinite(Number(value))) continue
    if (++count > MAX_SAMPLES) break
    samples[series] = Number(value)
  }
  return samples
}

const SEEN_FROM_INSIDE = /^outside_(\w+)\{party="([a-z-]+)",(.+)\}$/

/** The samples of each outside party among those of a process that calls it, under the names that a service's own samples have. */
export function samplesOfParties(samples: Scrape['samples']): Map<string, Scrape['samples']> {
  const parties = new Map<string, Scrape['samples']>()
  for (const [series, value] of Object.entries(samples)) {
    const [, name, party, labels] = SEEN_FROM_INSIDE.exec(series) ?? []
    if (party === undefined) continue
    const own = parties.get(party) ?? { process_start_time_seconds: samples['process_start_time_seconds'] ?? 0 }
    parties.set(party, { ...own, [`http_${name}{${labels}}`]: value })
  }
  return parties
}

/** What one instance did between two scrapes. */
export interface Increase {
  instance: string
  at: Date
  seconds: number
  requests: number
  errors: number
  /** Null for the time in which it started. */
  cpuSeconds: number | null
  /** Requests by upper bound of their latency in seconds, cumulative, ascending. */
  buckets: { bound: number; count: number }[]
}

/**
 * Increases between consecutive scrapes of each instance. A counter that fell was started anew, and counts from zero; so does an instance
 * that started after the first of the rows.
 */
export function increasesOf(rows: readonly Scrape[]): Increase[] {
  const increases: Increase[] = []
  const previous = new Map<string, Scrape>()
  const sorted = [...rows].sort((a, b) => a.at.getTime() - b.at.getTime())
  for (const row of sorted) {
    if (row.instance === SUPERVISOR_INSTANCE) continue
    const before = previous.get(row.instance) ?? startOf(row, sorted[0])
    previous.set(row.instance, row)
    if (before && row.at > before.at) increases.push(increaseBetween(before, row))
  }
  return increases
}

function startOf(row: Scrape, first: Scrape | undefined): Scrape | null {
  const startedAt = new Date((row.samples['process_start_time_seconds'] ?? 0) * 1000)
  return first && first.at < startedAt ? { ...row, at: startedAt, samples: {} } : null
}

function increaseBetween(before: Scrape, after: Scrape): Increase {
  const grown = (series: string): number => {
    const [from, to] = [before.samples[series] ?? 0, after.samples[series] ?? 0]
    return to >= from ? to - from : to
  }
  const result: Increase = {
    instance: after.instance,
    at: after.at,
    seconds: (after.at.getTime() - before.at.getTime()) / 1000,
    requests: 0,
    errors: 0,
    cpuSeconds: 'process_cpu_seconds_total' in before.samples ? grown('process_cpu_seconds_total') : null,
    buckets: [],
  }
  for (const series of Object.keys(after.samples)) {
    const status = STATUS.exec(series)?.[1]
    const bound = BUCKET.exec(series)?.[1]
    if (status) {
      result.requests += grown(series)
      if (Number(status) >= SERVER_ERROR) result.errors += grown(series)
    }
    if (bound) result.buckets.push({ bound: bound === '+Inf' ? Number.POSITIVE_INFINITY : Number(bound), count: grown(series) })
  }
  result.buckets.sort((a, b) => a.bound - b.bound)
  return result
}

/** The latency below which the share `q` of the requests stayed, by interpolation within its bucket; null without requests. */
export function quantileOf(q: number, increases: readonly Increase[]): number | null {
  const counts = new Map<number, number>()
  for (const { buckets } of increases) for (const { bound, count } of buckets) counts.set(bound, (counts.get(bound) ?? 0) + count)
  const sorted = [...counts].sort(([a], [b]) => a - b)
  const total = sorted.at(-1)?.[1] ?? 0
  if (total === 0) return null
  let [lower, below] = [0, 0]
  for (const [bound, count] of sorted) {
    if (count >= q * total)
      return bound === Number.POSITIVE_INFINITY ? lower : lower + (bound - lower) * ((q * total - below) / (count - below))
    lower = bound
    below = count
  }
  return lower
}
