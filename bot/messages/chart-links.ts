import type { IncidentView, MetricName } from '../../agent/agent.ts'

/** Where the pictures are drawn; they need the reader's own sign-in, so nobody else can fetch them. `consoleUrl` is the console's origin. */
export function metricChartUrl(consoleUrl: string, asked: { service: string; metric: MetricName; from: Date; to: Date }): string {
  const query = new URLSearchParams({
    metric: asked.metric,
    service: asked.service.toWellFormed(),
    from: asked.from.toISOString(),
    to: asked.to.toISOString(),
  })
  return `${origin(consoleUrl)}/api/v1/charts/metric.png?${query}`
}

/** Changes when something happened in the incident, so that what is shown is drawn again. */
export function incidentChartUrl(consoleUrl: string, { incident, timeline }: Pick<IncidentView, 'incident' | 'timeline'>): string {
  return `${origin(consoleUrl)}/api/v1/incidents/${encodeURIComponent(incident.id)}/chart.png?v=${timeline.length}`
}

function origin(consoleUrl: string): string {
  return consoleUrl.replace(/\/+$/, '')
}
