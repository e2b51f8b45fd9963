import type { IncidentSeries, MetricReading } from '../../agent/agent.ts'
import { metricTitle } from '../messages/metric-words.ts'
import { plainOf } from '../messages/span.ts'
import type { Chart } from './chart.ts'

export function metricChart(reading: MetricReading): Chart {
  const { metric, service, unit, from, to, points } = reading
  return { title: titleOf(metric, service), unit, from, to, points, threshold: null, marks: [] }
}

export function incidentChart({ metric, service, ...series }: IncidentSeries): Chart {
  return withoutEmptyLead({ title: titleOf(metric, service), ...series })
}

/** A tenth of what is shown stays free before the first sample or mark. */
const LEAD = 0.1

/** Where nothing was measured before the trouble, the time before it is not drawn: it would push the story to the edge. */
function withoutEmptyLead(chart: Chart): Chart {
  const moments = [...chart.points, ...chart.marks].map(({ at }) => at.getTime()).filter((at) => at >= chart.from.getTime())
  const first = moments.reduce((least, at) => Math.min(least, at), chart.to.getTime())
  const from = Math.max(chart.from.getTime(), first - (chart.to.getTime() - first) * LEAD)
  return { ...chart, from: new Date(Math.min(from, chart.to.getTime() - 1_000)) }
}

function titleOf(metric: string, service: string): string {
  return `${plainOf(metricTitle(metric))} of ${service}`
}
