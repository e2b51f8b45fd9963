import { METRICS, type MetricName, type MetricSeries, type MetricsPort, type Point } from '../../../integrations/ports/metrics.ts'
import type { Finding, MetricsContent, SeriesContent } from '../../diagnosis/evidence-content.ts'
import { describeSeries, rounded } from '../../diagnosis/series.ts'
import { inUnit } from '../../diagnosis/wording.ts'
import type { NewEvidence } from '../../domain/evidence.ts'
import { type Answer, askSource, type WarningLog } from '../ask-source.ts'
import type { Scope } from '../scope.ts'

/** Steps of a second in a window of five minutes: what moved first is a matter of seconds. */
const POINTS = 320
const MAX_POINTS = 400
/** Of one series; those of all together have to fit into one item. */
const MAX_QUERY = 900
/** For the service itself and what it calls: where the cause may lie. */
const FULL: readonly MetricName[] = [
  'request_rate',
  'error_ratio',
  'latency_p99',
  'memory_used_ratio',
  'cpu_used_ratio',
  'restarts',
  'log_volume_used_ratio',
  'queue_depth',
]
/** For its callers: how far the trouble reaches. */
const REACH: readonly MetricName[] = ['request_rate', 'error_ratio', 'latency_p99']

/** One item per service: what its metrics were before, what they are now, and when they became unusual. */
export async function collectMetrics(
  source: { id: string; metrics: MetricsPort },
  service: string,
  scope: Scope,
  signal: AbortSignal,
  log: WarningLog,
): Promise<NewEvidence> {
  const names = metricsOf(service, scope)
  const stepSeconds = Math.max(1, Math.ceil((scope.to.getTime() - scope.from.getTime()) / 1_000 / POINTS))
  const answers = await Promise.all(
    names.map((metric) => {
      const query = { service, metric, from: scope.from, to: scope.to, stepSeconds, signal }
      return askSource(async () => described(metric, await source.metrics.read(query), service, scope), signal, log)
    }),
  )
  const content = contentOf(service, names, answers)
  const failures = answers.flatMap((answer) => (answer.ok ? [] : [answer]))
  const hasPoints = content.series.some(({ points }) => points.length > 0)
  const allFailed = failures.length === answers.length
  return {
    kind: 'metrics',
    source: source.id,
    trust: 'metric',
    status: allFailed ? (failures[0]?.status ?? 'failed') : hasPoints ? 'ok' : 'empty',
    summary: allFailed ? `metrics of ${service}: ${failures[0]?.words ?? 'no answer'}` : summaryOf(content),
    query: content.series.map(({ query }) => query).join('\n') || names.map((metric) => `${metric}{${service}}`).join('\n'),
    from: scope.from,
    to: scope.to,
    link: answers.flatMap((answer) => (answer.ok && answer.value.link !== null ? [answer.value.link] : []))[0] ?? null,
    content,
  }
}

function metricsOf(service: string, { service: own, dependencies, trigger }: Scope): MetricName[] {
  const names = service === own || dependencies.includes(service) ? FULL : REACH
  const triggered = trigger?.service === service && Object.hasOwn(METRICS, trigger.metric) ? [trigger.metric as MetricName] : []
  return [...new Set([...names, ...triggered])]
}

interface Described {
  series: SeriesContent
  finding: Finding
  link: string | null
}

/** Points without a moment or a number are left out: some sources say NaN where they mean nothing. */
function described(metric: MetricName, answer: MetricSeries, service: string, scope: Scope): Described {
  const points = answer.points.filter(({ at, value }) => Number.isFinite(value) && !Number.isNaN(at.getTime()))
  const moment = { startedAt: scope.startedAt, now: scope.to, from: scope.from, limit: limitFor(service, metric, scope) }
  return {
    series: { metric, unit: METRICS[metric].unit, query: answer.query.slice(0, MAX_QUERY), points: thin(points).map(toPair) },
    finding: describeSeries(metric, points, moment),
    link: answer.link,
  }
}

function contentOf(service: string, names: readonly MetricName[], answers: readonly Answer<Described>[]): MetricsContent {
  const content: MetricsContent = { service, series: [], findings: [], failed: [] }
  for (const [i, answer] of answers.entries()) {
    if (answer.ok) {
      content.series.push(answer.value.series)
      content.findings.push(answer.value.finding)
    } else content.failed.push({ metric: names[i] ?? '', words: answer.words })
  }
  return content
}

function limitFor(service: string, metric: MetricName, { trigger }: Scope): Scope['trigger'] {
  return trigger?.service === service && trigger.metric === metric ? trigger : null
}

/** Bounds a source that sends more than it was asked for; extremes stay. */
function thin(points: readonly Point[]): readonly Point[] {
  if (points.length <= MAX_POINTS) return points
  const size = Math.ceil((2 * points.length) / MAX_POINTS)
  const chunks = Array.from({ length: Math.ceil(points.length / size) }, (_, i) => points.slice(i * size, (i + 1) * size))
  return chunks.flatMap((chunk) => {
    const byValue = chunk.toSorted((a, b) => a.value - b.value)
    const extremes = new Set([byValue[0], byValue.at(-1)])
    return chunk.filter((point) => extremes.has(point))
  })
}

function toPair({ at, value }: Point): [number, number] {
  return [Math.round(at.getTime() / 100) / 10, rounded(value) ?? 0]
}

/** What is unusual first; two or three numbers are what a line can hold. */
function summaryOf({ service, findings, failed }: MetricsContent): string {
  const unusual = findings.filter(({ began }) => began !== null)
  const shown = unusual.length > 0 ? unusual : findings.filter(({ metric }) => metric === 'error_ratio' || metric === 'request_rate')
  const words = shown.flatMap(inWords).slice(0, 4)
  const missing = failed.length > 0 ? `; no answer for ${failed.map(({ metric }) => metric).join(', ')}` : ''
  return `${service}: ${words.length > 0 ? words.join(', ') : 'no samples'}${unusual.length === 0 && words.length > 0 ? ', nothing unusual' : ''}${missing}`
}

function inWords({ metric, now, before, peak }: Finding): string[] {
  const name = metric as MetricName
  const { title } = METRICS[name]
  if (now === null) return peak === null ? [] : [`${title} had a peak of ${inUnit(name, peak)}, no recent samples`]
  return [`${title} ${inUnit(name, now)}${before === null ? '' : ` (${inUnit(name, before)} before)`}`]
}
