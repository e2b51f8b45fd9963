import type { ClusterState, Labels, PodState, ServiceState } from '../../../../integrations/ports/cluster-state.ts'
import { type ClusterRule, type Finding, isWell, livingPods } from '../finding.ts'

/** Services that lead nowhere or to the wrong port although pods are there, and what was scaled to nothing. */
export const services: ClusterRule = (state) => [
  ...(state.services ?? []).flatMap((service) => ofService(service, state)),
  ...scaledToZero(state),
]

function ofService(service: ServiceState, state: ClusterState): Finding[] {
  if (Object.keys(service.selector).length === 0 || state.pods === null) return []
  const pods = livingPods(state)
  const selected = pods.filter(({ labels }) => matches(service.selector, labels))
  const component = `app/${service.name}`
  if (selected.length > 0) return [...wrongPort(service, selected, component), ...wrongProtocol(service, selected, component)]
  if (service.endpoints !== null && service.endpoints.length > 0) return []
  const meant = pods.find((pod) => isWell(pod) && isMeant(service, pod))
  // Labels that nobody asked for are no labels: then only an empty list of endpoints is a sign.
  const areLabelsKnown = meant !== undefined && Object.keys(meant.labels).length > 0
  if (!meant || (!areLabelsKnown && service.endpoints === null)) return []
  const carries = areLabelsKnown ? `${meant.name} is healthy and carries ${inWords(meant.labels)}` : `${meant.name} is healthy`
  const words = `Service ${service.name} selects ${inWords(service.selector)}, and no pod has these labels; ${carries}.`
  return [{ class: 'service_selector_mismatch', component, score: areLabelsKnown ? 92 : 86, words, quotes: [], since: null }]
}

export function matches(selector: Labels, labels: Labels): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === value)
}

/** By its name, or by all but one of the labels that the service selects. */
function isMeant(service: ServiceState, pod: PodState): boolean {
  const wanted = Object.entries(service.selector)
  const kept = wanted.filter(([key, value]) => pod.labels[key] === value).length
  return (
    pod.workload === service.name || Object.values(pod.labels).includes(service.name) || (wanted.length > 1 && kept === wanted.length - 1)
  )
}

function wrongPort(service: ServiceState, selected: readonly PodState[], component: string): Finding[] {
  return service.ports.flatMap(({ port, target }): Finding[] => {
    const wanted = target ?? endpointPortOf(service)
    const offered = selected.flatMap(({ spec }) => spec?.containers.flatMap(({ ports }) => ports) ?? [])
    if (wanted === null || offered.length === 0 || offered.some((each) => each.port === wanted || each.name === wanted)) return []
    const listens = [...new Set(offered.map((each) => each.port))].join(', ')
    const words = `Service ${service.name} sends port ${port} to ${wanted}, where its pods do not listen; they listen at ${listens}.`
    return [{ class: 'service_port_mapping_mismatch', component, score: 90, words, quotes: [], since: null }]
  })
}

/** A table of services does not tell where a port leads; where there is one, the addresses behind it do. */
function endpointPortOf({ ports, endpoints }: ServiceState): number | null {
  const led = new Set((endpoints ?? []).map((each) => Number(each.split(':').at(-1))))
  const [only] = led
  return ports.length === 1 && led.size === 1 && only !== undefined ? only : null
}

function wrongProtocol(service: ServiceState, selected: readonly PodState[], component: string): Finding[] {
  return service.ports.flatMap(({ port, target, protocol }): Finding[] => {
    const offered = selected.flatMap(({ spec }) => spec?.containers.flatMap(({ ports }) => ports) ?? [])
    const same = offered.filter((each) => each.port === (target ?? port) || each.name === target)
    if (same.length === 0 || same.some((each) => each.protocol === protocol)) return []
    const words = `Service ${service.name} speaks ${protocol} at port ${port}; its pods listen there for ${same[0]?.protocol}.`
    return [{ class: 'service_protocol_mismatch', component, score: 88, words, quotes: [], since: null }]
  })
}

function scaledToZero({ workloads }: ClusterState): Finding[] {
  return (workloads ?? [])
    .filter(({ kind, desired }) => desired === 0 && (kind === 'Deployment' || kind === 'StatefulSet'))
    .map(({ name }) => ({
      class: 'deployment_zero_replicas' as const,
      component: `app/${name}`,
      score: 88,
      words: `${name} is scaled to 0 replicas: nothing of it runs.`,
      quotes: [],
      since: null,
    }))
}

function inWords(labels: Labels): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}=${value}`)
  return pairs.join(', ') || 'no labels'
}
