import type { MetricName } from '../ports/metrics.ts'
import { fillTemplate, literal, matches, type PromQl, podsOf, promql, selector } from './promql.ts'

/** What series are called at this server. Names and templates are the operator's; they are checked when the settings are read. */
export interface SeriesNames {
  /** The label that names the service on its own series. */
  serviceLabel: string
  /** Exact matchers on every series, such as { cluster: 'eu' }. */
  match: Readonly<Record<string, string>>
  /** A counter of requests, with a status that is an HTTP code in `statusLabel`. */
  requests: string
  statusLabel: string
  /** A histogram of seconds, without `_bucket`. */
  duration: string
  /** Queries of the operator's own, in place of those below. */
  queries: Partial<Readonly<Record<MetricName, string>>>
}

export interface Asked {
  metric: MetricName
  service: string
  /** Where its pods run, when a platform says so. */
  namespaces: readonly string[]
  version: string | undefined
  /** The window of rates, in seconds. */
  rateSeconds: number
}

/** The product's metrics as PromQL; null for what this server is not asked about. */
export function queryFor(names: SeriesNames, asked: Asked): PromQl | null {
  const template = names.queries[asked.metric]
  if (template !== undefined) {
    const values = { service: literal(asked.service), workload_pods: podsOf(asked.service), window: promql`${asked.rateSeconds}s` }
    return fillTemplate(template, values)
  }
  return BUILT[asked.metric]?.(names, asked) ?? null
}

type Build = (names: SeriesNames, asked: Asked) => PromQl

/** HTTP by the usual client libraries; the rest by cAdvisor and kube-state-metrics. */
const BUILT: Partial<Record<MetricName, Build>> = {
  request_rate: (names, asked) => promql`sum(rate(${own(names, asked, names.requests)}[${asked.rateSeconds}s]))`,
  error_ratio: (names, asked) => {
    const failed = own(names, asked, names.requests, matches(names.statusLabel, literal('5..')))
    const all = own(names, asked, names.requests)
    // Without a single failure the upper series does not exist: that is zero errors, as long as there are requests.
    return promql`(sum(rate(${failed}[${asked.rateSeconds}s])) or 0 * sum(rate(${all}[${asked.rateSeconds}s]))) / (sum(rate(${all}[${asked.rateSeconds}s])) > 0)`
  },
  latency_p99: (names, asked) => quantile(names, asked, 0.99),
  latency_p50: (names, asked) => quantile(names, asked, 0.5),
  memory_used_bytes: (names, asked) => promql`max(${ofPods(names, asked, 'container_memory_working_set_bytes', CONTAINERS)})`,
  memory_used_ratio: (names, asked) => {
    const used = ofPods(names, asked, 'container_memory_working_set_bytes', CONTAINERS)
    const limit = ofPods(names, asked, 'kube_pod_container_resource_limits', MEMORY)
    return promql`max(max by (pod, container) (${used}) / max by (pod, container) (${limit}))`
  },
  cpu_used_ratio: (names, asked) => {
    const used = ofPods(names, asked, 'container_cpu_usage_seconds_total', CONTAINERS)
    const limit = ofPods(names, asked, 'kube_pod_container_resource_limits', CPU)
    return promql`max(sum by (pod, container) (rate(${used}[${asked.rateSeconds}s])) / max by (pod, container) (${limit}))`
  },
  replicas_ready: (names, asked) =>
    promql`sum(${selector('kube_deployment_status_replicas_ready', { ...matchersOf(names), deployment: literal(asked.service) }, ...inNamespaces(asked))})`,
  restarts: (names, asked) => promql`sum(${ofPods(names, asked, 'kube_pod_container_status_restarts_total')})`,
  recent_restarts: (names, asked) =>
    promql`sum(increase(${ofPods(names, asked, 'kube_pod_container_status_restarts_total')}[${Math.max(300, asked.rateSeconds)}s]))`,
}

/** Sums over whole pods are left out: they would count every container twice. */
const CONTAINERS = 'container!=""' as PromQl
const MEMORY = 'resource="memory"' as PromQl
const CPU = 'resource="cpu"' as PromQl

function quantile(names: SeriesNames, asked: Asked, share: number): PromQl {
  const buckets = own(names, asked, `${names.duration}_bucket`)
  return promql`histogram_quantile(${share}, sum by (le) (rate(${buckets}[${asked.rateSeconds}s])))`
}

function own(names: SeriesNames, { service, version }: Asked, metric: string, ...more: readonly PromQl[]): PromQl {
  const versions = version === undefined ? {} : { version: literal(version) }
  return selector(metric, { ...matchersOf(names), [names.serviceLabel]: literal(service), ...versions }, ...more)
}

function ofPods(names: SeriesNames, asked: Asked, metric: string, ...more: readonly PromQl[]): PromQl {
  return selector(metric, matchersOf(names), matches('pod', podsOf(asked.service)), ...inNamespaces(asked), ...more)
}

function inNamespaces({ namespaces }: Asked): PromQl[] {
  if (namespaces.length === 0) return []
  return [matches('namespace', literal(namespaces.map((name) => name.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('|')))]
}

function matchersOf({ match }: SeriesNames): Record<string, PromQl> {
  return Object.fromEntries(Object.entries(match).map(([label, value]) => [label, literal(value)]))
}
