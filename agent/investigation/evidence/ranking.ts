import type { MetricName } from '../../../integrations/ports/metrics.ts'
import { metricsContentSchema, type RankingContent } from '../../diagnosis/evidence-content.ts'
import { type RankedComponent, rankComponents } from '../../diagnosis/ranking/rank-components.ts'
import type { MeasureKind, RankingQuestion, Track } from '../../diagnosis/ranking/tracks.ts'
import { rounded } from '../../diagnosis/series.ts'
import type { NewEvidence } from '../../domain/evidence.ts'
import type { Scope } from '../scope.ts'

/** Of the answer, so much is kept. */
const COMPONENTS = 5
const REASONS = 4

/**
 * What each metric says of a service, and the spread under which it is still (in its unit): ten milliseconds, a request a second, a twentieth of
 * the memory. What only counts up, and what is nothing for days (restarts, queues, certificates), has no usual spread; rules judge it.
 */
const MEASURES: Partial<Record<MetricName, { kind: MeasureKind; floor: number }>> = {
  request_rate: { kind: 'traffic', floor: 1 },
  error_ratio: { kind: 'errors', floor: 0.005 },
  latency_p99: { kind: 'latency', floor: 0.01 },
  memory_used_ratio: { kind: 'memory', floor: 0.05 },
  cpu_used_ratio: { kind: 'cpu', floor: 0.05 },
}

/**
 * The ranking by numbers of what this round has read: no source is asked again, and what it is given is bounded as that is. An item of its own,
 * so that its figures can be cited; none where no series has samples.
 */
export function rankNumbers(evidence: readonly NewEvidence[], scope: Scope): NewEvidence[] {
  const read = evidence.filter(({ kind, status }) => kind === 'metrics' && status === 'ok')
  const tracks = tracksOf(read)
  if (tracks.length === 0) return []
  const question = questionOf(tracks, scope)
  const { components, abstained } = rankComponents(question)
  const content: RankingContent = {
    service: question.symptom?.component ?? scope.service,
    metric: scope.trigger && measureOf(scope.trigger.metric) ? scope.trigger.metric : null,
    noticedAt: scope.startedAt.toISOString(),
    services: [...new Set(tracks.map(({ component }) => component))],
    series: tracks.length,
    calls: question.calls.length,
    abstained,
    components: components
      .filter(({ score }) => score > 0)
      .slice(0, COMPONENTS)
      .map((each) => describe(each, question.noticedAt)),
  }
  return [
    {
      kind: 'ranking',
      source: [...new Set(read.map(({ source }) => source))].join(', '),
      trust: 'metric',
      status: abstained ? 'empty' : 'ok',
      summary: summaryOf(content),
      query: `rank ${content.services.join(', ')} by ${content.series} series and ${content.calls} calls; noticed in ${content.service}`,
      from: scope.from,
      to: scope.to,
      link: null,
      content,
    },
  ]
}

/** Of several sources that measure the same, the one with the most samples is heard. */
function tracksOf(read: readonly NewEvidence[]): Track[] {
  const best = new Map<string, Track>()
  for (const { content } of read) {
    const parsed = metricsContentSchema.safeParse(content)
    for (const { metric, points } of parsed.data?.series ?? []) {
      const measure = measureOf(metric)
      if (!measure || points.length === 0 || !parsed.data) continue
      const track = { component: parsed.data.service, metric, points, ...measure }
      const key = JSON.stringify([track.component, metric])
      if (points.length > (best.get(key)?.points.length ?? 0)) best.set(key, track)
    }
  }
  return [...best.values()]
}

function questionOf(tracks: readonly Track[], { service, trigger, near, inventory, startedAt }: Scope): RankingQuestion {
  const isNear = new Set(near)
  const kind = trigger ? (measureOf(trigger.metric)?.kind ?? 'other') : 'other'
  return {
    tracks,
    calls: inventory.graph.edges.filter(({ from, to }) => isNear.has(from) && isNear.has(to)),
    noticedAt: startedAt.getTime() / 1_000,
    symptom: { component: trigger && isNear.has(trigger.service) ? trigger.service : service, kind },
    // Who is somebody else's is a component of its own here, although only its callers measure it.
    seenByCallersOnly: new Set(),
  }
}

function measureOf(metric: string): { kind: MeasureKind; floor: number } | null {
  return Object.hasOwn(MEASURES, metric) ? (MEASURES[metric as MetricName] ?? null) : null
}

function describe({ component, score, reasons }: RankedComponent, noticedAt: number): RankingContent['components'][number] {
  const figure = (value: number): number => rounded(value) ?? 0
  return {
    component,
    score: figure(score),
    reasons: reasons
      .filter((reason) => reason.score > 0)
      .slice(0, REASONS)
      .map((reason) => ({
        metric: reason.metric,
        score: figure(reason.score),
        times: figure(reason.surprise),
        usual: figure(reason.usual),
        risen: reason.isUp ? figure(reason.usual + reason.rise) : null,
        explained: figure(1 - reason.ownShare),
        since: reason.since === null ? null : new Date(reason.since * 1_000).toISOString(),
        lead: reason.since === null ? null : Math.round(noticedAt - reason.since),
      })),
  }
}

function summaryOf({ abstained, components, services }: RankingContent): string {
  const [first, second] = components
  const around = `${services.length} ${services.length === 1 ? 'service' : 'services'}`
  if (abstained || !first) return `by the numbers of ${around} nobody can tell where it began`
  const next = second ? `, then ${second.component} (${second.score.toFixed(1)})` : ''
  return `by the numbers of ${around} it began in ${first.component} (${first.score.toFixed(1)})${next}`
}
