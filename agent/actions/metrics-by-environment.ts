import type { MetricsPort } from '../../integrations/ports/metrics.ts'

export interface MetricsSource {
  environments: readonly string[]
  metrics?: MetricsPort
}

/**
 * The metrics by which what a provider does is judged, where it has none of its own: for each environment the first source that reaches it. Null
 * when none reaches any of them; a question about an environment that nobody reaches has no points.
 */
export function metricsByEnvironment(sources: readonly MetricsSource[], environments: readonly string[]): MetricsPort | null {
  const byEnvironment = new Map(
    environments.flatMap((name) => {
      const found = sources.find((each) => each.metrics !== undefined && each.environments.includes(name))?.metrics
      return found ? [[name, found] as const] : []
    }),
  )
  if (byEnvironment.size === 0) return null
  return {
    // What is read has to have room for the rarest samples.
    resolutionSeconds: Math.max(...[...byEnvironment.values()].map(({ resolutionSeconds = 1 }) => resolutionSeconds)),
    async read(query) {
      const port = byEnvironment.get(query.environment ?? '')
      if (port) return await port.read(query)
      return { query: query.metric, link: null, labels: { service: query.service }, points: [] }
    },
  }
}
