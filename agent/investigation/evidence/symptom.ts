import { METRICS, type MetricName, type MetricSeries, type MetricsPort } from '../../../integrations/ports/metrics.ts'
import type { SymptomContent } from '../../diagnosis/evidence-content.ts'
import { breaches, rounded } from '../../diagnosis/series.ts'
import { inUnit } from '../../diagnosis/wording.ts'
import type { Alert } from '../../domain/alert.ts'
import type { NewEvidence } from '../../domain/evidence.ts'
import { askSource, type WarningLog } from '../ask-source.ts'

const WINDOW_MS = 120_000
const FRESH_MS = 30_000
/** Gone is gone for this long, over this many samples: one good scrape proves nothing. */
export const GONE_MS = 5_000
export const MIN_SAMPLES = 3

type Trigger = NonNullable<Alert['trigger']>

/** The alert's own metric, read again. `active` is null when there are too few fresh samples to tell. */
export interface SymptomReading {
  active: boolean | null
  evidence: NewEvidence
}

/** Reads again what triggered the alert. Null when the alert did not say what it measures in words of ours. */
export async function readSymptom(
  source: { id: string; metrics: MetricsPort },
  trigger: Trigger,
  moment: { startedAt: Date; now: Date },
  signal: AbortSignal,
  log: WarningLog,
): Promise<SymptomReading | null> {
  if (!Object.hasOwn(METRICS, trigger.metric)) return null
  const metric = trigger.metric as MetricName
  const { now } = moment
  const from = new Date(now.getTime() - WINDOW_MS)
  const question = { service: trigger.service, metric, from, to: now, stepSeconds: 1, signal }
  const answer = await askSource(async () => read(trigger, metric, await source.metrics.read(question), moment), signal, log)
  const frame = { kind: 'symptom', source: source.id, trust: 'metric' as const, from, to: now }
  if (!answer.ok) {
    const summary = `${METRICS[metric].title} of ${trigger.service}: ${answer.words}`
    const content = { service: trigger.service, metric, failed: answer.words }
    return {
      active: null,
      evidence: { ...frame, status: answer.status, summary, query: `${metric}{${trigger.service}}`, link: null, content },
    }
  }
  const { content, active, query, link } = answer.value
  const status = content.samples > 0 ? 'ok' : 'empty'
  return { active, evidence: { ...frame, status, summary: summaryOf(content), query, link, content } }
}

function read(trigger: Trigger, metric: MetricName, series: MetricSeries, moment: { startedAt: Date; now: Date }) {
  const sound = series.points.filter(({ at, value }) => Number.isFinite(value) && !Number.isNaN(at.getTime()))
  const points = sound.map(({ at, value }): [number, number] => [at.getTime() / 1_000, value])
  return { ...judge(trigger, metric, points, moment), query: series.query.slice(0, 4_000), link: series.link }
}

/**
 * Pure: whether the limit is still breached, and since when it is not. Samples from before the alert began say nothing about its end: an alert
 * may be faster than the scrapes that will show what it saw.
 */
export function judge(
  trigger: Trigger,
  metric: MetricName,
  points: readonly (readonly [number, number])[],
  { startedAt, now }: { startedAt: Date; now: Date },
): { content: SymptomContent; active: boolean | null } {
  const sorted = points.toSorted(([a], [b]) => a - b)
  const lastBreach = sorted.findLast(([, value]) => breaches(value, trigger))
  const last = sorted.at(-1)
  const isFresh = last !== undefined && now.getTime() - last[0] * 1_000 <= FRESH_MS
  const from = Math.max(lastBreach?.[0] ?? 0, startedAt.getTime() / 1_000)
  const calm = sorted.filter(([at]) => at > from)
  const isGone = isFresh && calm.length >= MIN_SAMPLES && (last[0] - from) * 1_000 >= GONE_MS
  const content: SymptomContent = {
    ...{ service: trigger.service, metric, comparator: trigger.comparator, threshold: trigger.threshold },
    samples: sorted.length,
    now: isFresh ? rounded(last[1]) : null,
    lastBreach: momentOf(lastBreach),
    healthySince: isGone ? momentOf(calm[0]) : null,
    contradicted: isGone && lastBreach === undefined && now.getTime() - startedAt.getTime() < WINDOW_MS,
    points: sorted.slice(-150).map(([at, value]) => [Math.round(at * 10) / 10, rounded(value) ?? 0]),
  }
  return { content, active: isFresh ? !isGone : null }
}

function momentOf(point: readonly [number, number] | undefined): string | null {
  return point === undefined ? null : new Date(point[0] * 1_000).toISOString()
}

function summaryOf({ service, metric, comparator, threshold, now, healthySince }: SymptomContent): string {
  const name = metric as MetricName
  const title = `${METRICS[name].title} of ${service}`
  if (now === null) return `${title}: no recent samples`
  const side = comparator === '>' ? 'above' : 'below'
  const limit = inUnit(name, threshold)
  return healthySince === null
    ? `${title}: ${inUnit(name, now)}; the alert fires ${side} ${limit}`
    : `${title}: ${inUnit(name, now)}, no longer ${side} ${limit}`
}
