import type { MetricBound } from './plan.ts'

/** How people call the product’s metrics; where questions are read, a metric without a title does not compile. */
export const METRIC_TITLES = {
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
} as const

const SIGNS = { '<=': '≤', '>=': '≥' } as const

/** 'errors of payments ≤ 5 %', as plain text: a metric that has no words of its own stands by its name. */
export function plainBoundWords({ service, metric, comparator, threshold, unit }: MetricBound): string {
  const title = new Map<string, string>(Object.entries(METRIC_TITLES)).get(metric) ?? metric
  return `${title} of ${service} ${signWords(comparator)} ${quantityWords(threshold, unit)}`
}

/** 'error_ratio of payments <= 0.05': by which a check of a bound is kept and found again. */
export function boundName({ service, metric, comparator, threshold }: MetricBound): string {
  return `${metric} of ${service} ${comparator} ${threshold}`
}

export function signWords(comparator: MetricBound['comparator']): string {
  return SIGNS[comparator]
}

/** A decimal in its unit: ('0.05', 'ratio') is '5 %'. Digits are moved, never computed, so nothing is rounded. */
export function quantityWords(decimal: string, unit: string): string {
  if (unit === 'ratio') return `${shiftTwoPlaces(decimal)} %`
  if (unit === 'bytes' && /^\d+$/.test(decimal)) return `${groupDigits(decimal)} bytes`
  return unit === '' ? decimal : `${decimal} ${unit}`
}

/** A measured value in its unit, to three digits: it informs, nobody approves it. Null: it is no number. */
export function readingWords(reading: string, unit: string): string | null {
  const value = reading.trim() === '' ? Number.NaN : Number(reading)
  if (!Number.isFinite(value)) return null
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
