import type { MetricName } from '../../agent/agent.ts'
import { METRIC_TITLES, readingWords as numberWords, quantityWords, signWords } from '../../agent/domain/metric-words.ts'
import type { MetricBound } from '../../agent/domain/plan.ts'
import { code, exact, type Span, say } from './span.ts'
import { cleanText } from './visible-text.ts'

/** Titles that are plural: 'errors are', 'memory used is'. */
const PLURAL: ReadonlySet<string> = new Set([
  'request_rate',
  'error_ratio',
  'replicas_ready',
  'restarts',
  'recent_restarts',
  'certificate_days_left',
])

/** 'errors of payments ≤ 5 %' */
export function boundWords(bound: MetricBound): Span[] {
  return say`${subjectOf(bound)} ${signWords(bound.comparator)} ${exact(quantityWords(bound.threshold, bound.unit))}`
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

/** A measured value in its unit, to three digits: it informs, nobody approves it. Text that is no number stays as it is. */
export function readingWords(reading: string, unit: string): string {
  return numberWords(reading, unit) ?? cleanText(reading, 60)
}
