import type { MetricName, MetricTitles } from '../../agent/agent.ts'
import type { MetricBound } from '../../agent/domain/plan.ts'
import { code, exact, type Span, say } from './span.ts'
import { cleanText } from './visible-text.ts'

/** How people call the product's metrics. */
export const METRIC_TITLES: MetricTitles = {
  request_rate: 'requests',
  error_ratio: 'errors',
  latency_p99: 'latency p99',
  latency_p50: 'latency p50',
  memory_used_ratio: 'memory used',
  memory_used_bytes: 'memory used',
  cpu_used_ratio: 'CPU used',
  replicas_ready: 'ready replicas',
  restarts: 'restarts',
  recent_restarts: 'recent restarts',
  log_volume_used_ratio: 'log volume used',
  certificate_days_left: 'days left of the certificate',
  job_age_seconds: 'time at one batch',
  queue_depth: 'queue depth',
}

/** Titles that are plural: 'errors are', 'memory used is'. */
const PLURAL: ReadonlySet<string> = new Set([
  'request_rate',
  'error_ratio',
  'replicas_ready',
  'restarts',
  'recent_restarts',
  'certificate_days_left',
])

const SIGNS = { '<=': '≤', '>=': '≥' } as const

/** 'errors of payments ≤ 5 %' */
export function boundWords(bound: MetricBound): Span[] {
  return say`${subjectOf(bound)} ${SIGNS[bound.comparator]} ${exact(quantityWords(bound.threshold, bound.unit))}`
}

/** The other side of a healthy bound, 'errors of payments are still above 20 %': what is wrong is still there. */
export function stillBroken(healthy: MetricBound): Span[] {
  const verb = PLURAL.has(healthy.metric) ? 'are' : 'is'
  const side = healthy.comparator === '<=' ? 'above' : 'below'
  return say`${subjectOf(healthy)} ${verb} still ${side} ${exact(quantityWords(healthy.threshold, healthy.unit))}`
}

function subjectOf({ metric, service }: MetricBound): Span[] {
  return say`${metricTitle(metric)} of ${code(service)}`
}

/** 'errors'; a metric that has no words of its own stands as it is. */
export function metricTitle(metric: string): Span[] {
  return Object.hasOwn(METRIC_TITLES, metric) ? say`${METRIC_TITLES[metric as MetricName]}` : [code(metric)]
}

/** A decimal in its unit: ('0.05', 'ratio') is '5 %'. Digits are moved, never computed, so nothing is rounded. */
export function quantityWords(decimal: string, unit: string): string {
  if (unit === 'ratio') return `${shiftTwoPlaces(decimal)} %`
  if (unit === 'bytes' && /^\d+$/.test(decimal)) return `${groupDigits(decimal)} bytes`
  return unit === '' ? decimal : `${decimal} ${unit}`
}

/** A measured value in its unit, to three digits: it informs, nobody approves it. Text that is no number stays as it is. */
export function readingWords(reading: string, unit: string): string {
  const value = reading.trim() === '' ? Number.NaN : Number(reading)
  if (!Number.isFinite(value)) return cleanText(reading, 60)
  const [shown, suffix] = unit === 'ratio' ? [value * 100, ' %'] : [value, unit === '' ? '' : ` ${unit}`]
  return `${Number(shown.toPrecision(3))}${suffix}`
}

function shiftTwoPlaces(decimal: string): string {
  const sign = decimal.startsWith('-') ? '-' : ''
  const [whole = '0', fraction = ''] = decimal.replace('-', '').split('.')
  const moved = `${whole}${fraction.padEnd(2, '0').slice(0, 2)}`.replace(/^0+(?=\d)/, '')
  const rest = fraction.slice(2).replace(/0+$/, '')
  return `${sign}${moved}${rest === '' ? '' : `.${rest}`}`
}

function groupDigits(digits: string): string {
  return digits.replace(/\B(?=(\d{3})+$)/g, ' ')
}
