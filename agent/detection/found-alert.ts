import { METRICS, type MetricName } from '../../integrations/ports/metrics.ts'
import type { Alert } from '../domain/alert.ts'
import type { Forecast } from './forecast.ts'
import type { Deviation } from './watch-series.ts'

export const SOURCE = 'detection'

/** The series that was watched. */
export interface Subject {
  service: string
  environment: string
  metric: MetricName
}

/** As long as a value is beyond where its trend was so many days ago, the trend is not undone. */
const UNDONE_DAYS = 0.25

/** What users feel is more urgent than what only may lead there. */
const URGENT: readonly MetricName[] = ['error_ratio', 'latency_p99', 'replicas_ready']

/** What was found as an alert like any other: it says what was seen, what had been seen before, and when it counts as over. */
export function deviationAlert(subject: Subject, deviation: Deviation, endedAt: Date | null): Alert {
  const { service, metric } = subject
  const { title } = METRICS[metric]
  const { since, near, value, aspect } = deviation
  const limit = (near + value) / 2
  const isRise = value > near
  return {
    ...common(subject, `Unusual ${title}`, `${metric}/${since.toISOString()}`),
    status: endedAt ? 'resolved' : 'firing',
    level: URGENT.includes(metric) ? 'high' : 'warning',
    summary: `${endedAt ? 'Over: ' : ''}${wordsOf(service, metric, deviation)}`,
    startsAt: since.toISOString(),
    endsAt: endedAt?.toISOString() ?? null,
    // What is usual at an hour is no fixed limit, and the level is no value: only the value itself can be read again.
    trigger: aspect === 'value' ? { service, metric, comparator: isRise ? '>' : '<', threshold: limit } : null,
  }
}

/** Its limit is one that is passed already: the end of the trend lies in the future, and reading it again would say that nothing is wrong. */
export function forecastAlert(subject: Subject, { reachesAt, perDay }: Forecast, latest: number, limit: number, at: Date): Alert {
  const { service, metric } = subject
  const { title } = METRICS[metric]
  const date = `${reachesAt.toISOString().slice(0, 16).replace('T', ' ')} UTC`
  return {
    ...common(subject, `${title} runs out`, `${metric}/forecast/${reachesAt.toISOString().slice(0, 10)}`),
    status: 'firing',
    level: 'warning',
    summary: `${title} of ${service} is at ${shown(metric, latest)} and changes by ${shown(metric, perDay)} a day: it reaches ${shown(metric, limit)} on ${date} if it goes on like this`,
    startsAt: at.toISOString(),
    endsAt: null,
    trigger: { service, metric, comparator: perDay > 0 ? '>' : '<', threshold: latest - perDay * UNDONE_DAYS },
  }
}

/** The end of what was told. */
export function overAlert(alert: Alert, endedAt: Date): Alert {
  return { ...alert, status: 'resolved', endsAt: endedAt.toISOString(), summary: `Over: ${alert.summary}` }
}

function common(
  { service, environment }: Subject,
  name: string,
  key: string,
): Pick<Alert, 'source' | 'key' | 'name' | 'service' | 'environment' | 'labels' | 'annotations' | 'link'> {
  return {
    ...{ source: SOURCE, key: `${SOURCE}/${environment}/${service}/${key}`, name, service, environment },
    ...{ labels: { alertname: name, service, environment }, annotations: {}, link: null },
  }
}

function wordsOf(service: string, metric: MetricName, { aspect, value, near, low, high }: Deviation): string {
  const { title } = METRICS[metric]
  const range = `between ${shown(metric, low)} and ${shown(metric, high)}`
  switch (aspect) {
    case 'value':
      return `${title} of ${service} is ${shown(metric, value)}; until now it was ${range}${value > low && value < high ? `, and never nearer to that than ${shown(metric, near)}` : ''}`
    case 'level':
      return `${title} of ${service} has moved to about ${shown(metric, value)}; until now its level was ${range}`
    case 'season':
      return `${title} of ${service} is ${shown(metric, Math.abs(value))} ${value > 0 ? 'above' : 'below'} what is usual at this hour of the week; until now it was never that far off`
  }
}

function shown(metric: MetricName, value: number): string {
  const { unit } = METRICS[metric]
  if (unit === 'ratio') return `${(value * 100).toPrecision(3)} %`
  return `${value.toPrecision(3)}${unit === '' ? '' : ` ${unit}`}`
}
