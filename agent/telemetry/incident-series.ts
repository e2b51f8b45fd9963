import { METRICS, type MetricName, type Point } from '../../integrations/ports/metrics.ts'
import { changesContentSchema, metricsContentSchema, symptomContentSchema } from '../diagnosis/evidence-content.ts'
import type { Alert } from '../domain/alert.ts'
import type { Approval, Execution } from '../domain/approval.ts'
import type { EvidenceItem } from '../domain/evidence.ts'
import type { Incident } from '../domain/incident.ts'
import { startOf } from '../domain/incident-start.ts'
import { Refusal } from '../domain/refusal.ts'
import { triggerOf } from '../investigation/scope.ts'
import type { ApprovalKernel, IncidentStore } from '../ports.ts'
import type { Telemetry } from './telemetry.ts'

/** The metric an incident is about, over its time, with what happened meanwhile. */
export interface IncidentSeries {
  service: string
  metric: MetricName
  unit: string
  from: Date
  to: Date
  points: Point[]
  threshold: { value: number; above: boolean } | null
  marks: { at: Date; kind: 'alert' | 'change' | 'action' | 'end'; label: string }[]
}

export interface IncidentSeriesDeps {
  incidents: Pick<IncidentStore, 'get' | 'alerts' | 'evidence'>
  approvals: Pick<ApprovalKernel, 'approvals'>
  telemetry: Telemetry
  now: () => Date
}

const BEFORE_MS = 5 * 60_000
const AFTER_MS = 60_000
const LONGEST_MS = 24 * 3_600_000
const APPROVALS_READ = 50
const CHANGES_SHOWN = 3
/** Where no alert says what it measures. */
const USUAL: MetricName = 'error_ratio'

/** From the source as long as it remembers, and from the stored evidence after that. Null when there is no such incident. */
export async function readIncidentSeries(deps: IncidentSeriesDeps, id: string): Promise<IncidentSeries | null> {
  const incident = await deps.incidents.get(id)
  if (!incident) return null
  const [alerts, evidence, requests] = await Promise.all([
    deps.incidents.alerts(id),
    deps.incidents.evidence(id),
    deps.approvals.approvals({ incidentId: id, limit: APPROVALS_READ }),
  ])
  const window = windowOf(incident, alerts, deps.now())
  const { service, metric, threshold } = subjectOf(incident, alerts)
  const live = await readLive(deps.telemetry, { service, metric, ...window })
  const marks = [...alertMark(incident, alerts), ...changeMarks(evidence, service), ...actionMarks(requests.items), ...endMark(incident)]
  const points = withStored(live, storedPoints(evidence, service, metric), window)
  return { service, metric, unit: METRICS[metric].unit, ...window, points, threshold, marks }
}

function windowOf(incident: Incident, alerts: readonly Alert[], now: Date): { from: Date; to: Date } {
  const end = incident.endedAt ? Math.min(now.getTime(), incident.endedAt.getTime() + AFTER_MS) : now.getTime()
  const begin = Math.max(startOf(incident, alerts).getTime() - BEFORE_MS, end - LONGEST_MS)
  return { from: new Date(begin), to: new Date(end) }
}

function subjectOf(incident: Incident, alerts: readonly Alert[]): Pick<IncidentSeries, 'service' | 'metric' | 'threshold'> {
  const trigger = triggerOf(alerts)
  if (!trigger || !Object.hasOwn(METRICS, trigger.metric)) return { service: incident.service, metric: USUAL, threshold: null }
  const threshold = Number.isFinite(trigger.threshold) ? { value: trigger.threshold, above: trigger.comparator === '>' } : null
  return { service: trigger.service, metric: trigger.metric as MetricName, threshold }
}

/** A service that the inventory no longer knows has only what was stored of it. */
async function readLive(telemetry: Telemetry, query: Parameters<Telemetry['metric']>[0]): Promise<Point[]> {
  try {
    return (await telemetry.metric(query)).points
  } catch (error) {
    if (error instanceof Refusal) return []
    throw error
  }
}

/** What the source no longer has, or never told for this window, is taken from what was stored while it went on. */
function withStored(live: readonly Point[], stored: readonly Point[], { from, to }: { from: Date; to: Date }): Point[] {
  const [first] = live
  const before = stored.filter(({ at }) => at >= from && at <= to && (!first || at < first.at))
  return [...before, ...live]
}

function storedPoints(evidence: readonly EvidenceItem[], service: string, metric: MetricName): Point[] {
  const pairs = evidence.flatMap(({ kind, content }) => {
    if (kind === 'metrics') {
      const parsed = metricsContentSchema.safeParse(content)
      const own = parsed.success && parsed.data.service === service ? parsed.data.series : []
      return own.filter((series) => series.metric === metric).flatMap((series) => series.points)
    }
    const parsed = symptomContentSchema.safeParse(content)
    return parsed.success && parsed.data.service === service && parsed.data.metric === metric ? parsed.data.points : []
  })
  const byMoment = new Map(pairs.map(([seconds, value]) => [Math.round(seconds), value]))
  return [...byMoment].toSorted(([a], [b]) => a - b).map(([seconds, value]) => ({ at: new Date(seconds * 1_000), value }))
}

function alertMark(incident: Incident, alerts: readonly Alert[]): IncidentSeries['marks'] {
  const [first] = alerts
  return [{ at: startOf(incident, alerts), kind: 'alert', label: first?.name ?? incident.title }]
}

/** Of the newest look at changes: those of the service first, the latest of them. */
function changeMarks(evidence: readonly EvidenceItem[], service: string): IncidentSeries['marks'] {
  const newest = evidence.findLast(({ kind, status }) => kind === 'changes' && status === 'ok')
  const parsed = changesContentSchema.safeParse(newest?.content)
  if (!parsed.success) return []
  const byWeight = parsed.data.changes.toSorted(
    (a, b) => Number(b.service === service) - Number(a.service === service) || Date.parse(b.at) - Date.parse(a.at),
  )
  return byWeight.slice(0, CHANGES_SHOWN).map(({ at, summary }) => ({ at: new Date(at), kind: 'change', label: summary }))
}

function actionMarks(approvals: readonly Approval[]): IncidentSeries['marks'] {
  const sent = (execution: Execution | null, label: string): IncidentSeries['marks'] =>
    (execution?.events ?? []).filter(({ state }) => state === 'sent').map(({ at }) => ({ at, kind: 'action', label }))
  return approvals.flatMap(({ plan, execution, undoExecution }) => [
    ...sent(execution, plan.action.title),
    ...sent(undoExecution, plan.undo ? `Undo: ${plan.undo.title}` : 'Undo'),
  ])
}

function endMark({ endedAt, state }: Incident): IncidentSeries['marks'] {
  return endedAt ? [{ at: endedAt, kind: 'end', label: state === 'healed' ? 'the symptom is gone' : 'resolved' }] : []
}
