import type { MetricName } from '../agent/agent.ts'
import { METRIC_TITLES } from '../agent/domain/metric-words.ts'

/** A question about one metric of one service, as people type it. */
export interface MetricQuestion {
  metric: MetricName | null
  /** As the inventory spells it; null when no known service is named. */
  service: string | null
  /** How far to look back. */
  seconds: number
  /** Words that were understood as nothing: candidates for a service that is not known. */
  rest: string[]
}

export const HOUR_SECONDS = 3_600
/** More than this says nothing about an incident, and is more than a source keeps in seconds. */
const LONGEST_SECONDS = 24 * HOUR_SECONDS

const METRIC_WORDS: Readonly<Record<string, MetricName>> = {
  p99: 'latency_p99',
  latency: 'latency_p99',
  slow: 'latency_p99',
  p50: 'latency_p50',
  median: 'latency_p50',
  error: 'error_ratio',
  errors: 'error_ratio',
  failures: 'error_ratio',
  requests: 'request_rate',
  traffic: 'request_rate',
  throughput: 'request_rate',
  rps: 'request_rate',
  memory: 'memory_used_ratio',
  heap: 'memory_used_ratio',
  mem: 'memory_used_ratio',
  cpu: 'cpu_used_ratio',
  replicas: 'replicas_ready',
  restarts: 'restarts',
  crashes: 'recent_restarts',
  volume: 'log_volume_used_ratio',
  certificate: 'certificate_days_left',
  cert: 'certificate_days_left',
  job: 'job_age_seconds',
  batch: 'job_age_seconds',
  queue: 'queue_depth',
  backlog: 'queue_depth',
}
export const METRIC_NAMES = Object.keys(METRIC_TITLES) as [MetricName, ...MetricName[]]

/** Of two metric words the one that says more counts: 'p50 latency' is p50. */
const VAGUE: ReadonlySet<string> = new Set(['latency', 'slow'])
const UNITS: Readonly<Record<string, number>> = {
  s: 1,
  sec: 1,
  second: 1,
  m: 60,
  min: 60,
  minute: 60,
  h: 3_600,
  hour: 3_600,
  d: 86_400,
  day: 86_400,
}
const FILLERS: ReadonlySet<string> = new Set(
  'a an and ask at chart compare current depth during for from give graph how in is last latency left log me metric now of on one over past please plot rate ratio ready service show since the their time to today used was what with'.split(
    ' ',
  ),
)

/** Takes any words apart: which metric, of which service, over how long. What is not said is null, or an hour. Pure and total. */
export function parseMetricQuestion(text: string, services: readonly string[]): MetricQuestion {
  const words = text
    .toLowerCase()
    // Alone, "recent" is of any metric.
    .replace(/\brecent\s+restarts\b/g, 'recent_restarts')
    .split(/[^\p{L}\p{N}_.-]+/u)
    .map((word) => word.replace(/^[.-]+|[.-]+$/g, ''))
    .filter((word) => word !== '')
  const metrics = words.filter((word) => metricOf(word) !== null)
  const named = metrics.find((word) => !VAGUE.has(word)) ?? metrics[0]
  const service = services.find((known) => words.includes(known.toLowerCase())) ?? null
  const rest = words.filter(
    (word) =>
      !metrics.includes(word) &&
      word !== service?.toLowerCase() &&
      !FILLERS.has(word) &&
      !/^\d+[a-z]*$/.test(word) &&
      unitOf(word) === null,
  )
  return { metric: named === undefined ? null : metricOf(named), service, seconds: secondsIn(words), rest }
}

function metricOf(word: string): MetricName | null {
  if (Object.hasOwn(METRIC_WORDS, word)) return METRIC_WORDS[word] ?? null
  return METRIC_NAMES.find((name) => name === word) ?? null
}

function unitOf(word: string): number | null {
  const single = word.length > 1 ? word.replace(/s$/, '') : word
  return Object.hasOwn(UNITS, single) ? (UNITS[single] ?? null) : null
}

/** '30m', '30 minutes', 'hour': the first that is there, at most a day. */
function secondsIn(words: readonly string[]): number {
  for (const [index, word] of words.entries()) {
    const [, digits, unit] = /^(\d{1,5})([a-z]*)$/.exec(word) ?? []
    const seconds = digits === undefined ? null : unitOf(unit === '' || unit === undefined ? (words[index + 1] ?? '') : unit)
    if (seconds !== null && Number(digits) > 0) return Math.min(LONGEST_SECONDS, Math.max(60, Number(digits) * seconds))
  }
  const alone = words.find((word) => word.length > 2 && unitOf(word) !== null)
  return alone === undefined ? HOUR_SECONDS : (unitOf(alone) ?? HOUR_SECONDS)
}
