import type { IncidentSeries, MetricReading } from '../../agent/agent.ts'
import { metricTitle } from '../messages/metric-words.ts'
import { plainOf } from '../messages/span.ts'
import type { Chart } from './chart.ts'

export function metricChart(reading: MetricReading): Chart {
  const { metric, service, unit, from, to, points } = reading
  return { title: titleOf(metric, service), unit, from, to, points, threshold: null, marks: [] }
}

export function incidentChart({ metric, service, ...series }: IncidentSeries): Chart {
  return { title: titleOf(metric, service), ...series }
}

function titleOf(metric: string, service: string): string {
  return `${plainOf(metricTitle(metric))} of ${service}`
}
