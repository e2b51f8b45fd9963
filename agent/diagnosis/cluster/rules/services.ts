import type { ClusterState, Labels, PodState, ServiceState } from '../../../../integrations/ports/cluster-state.ts'
import { type ClusterRule, type Finding, isWell, livingPods, quotesOf } from '../finding.ts'

/** Names that do not resolve and calls that get no answer: what a closed network looks like from inside. */
const CUT_OFF = /timed? ?out|unreachable|no servers could be reached|fail(ed|ure)? (to resolve|in name resolution)|could not resolve/i

/** Services that lead nowhere or to the wrong port although pods are there, policies that let nothing through, and what was scaled to nothing. */
export const services: ClusterRule = (state) => [
  ...(state.services ?? []).flatMap((service) => ofService(service, state)),
  ...ofPolicies(state),
  ...scaledToZero(state),
]

function ofService(service: ServiceState, state: ClusterState): Finding[] {
  if (Object.keys(service.selector).length === 0 || state.pods === null) return []
  const pods = livingPods(state)
  const selected = pods.filter((pod) => matches(service.selector, pod.labels))
  const component = `app/${service.name}`
  if (selected.length === 0) {
    const meant = pods.filter((pod) => isWell(pod) && isMeant(service, pod))
    if (meant.length === 0) return []
    const words = `Service ${service.name} selects ${inWords(service.selector)}, and no pod has these labels; ${meant[0]?.name} is healthy and carries ${inWords(meant[0]?.labels ?? {})}.`
    return [{ class: 'service_selector_mismatch', component, score: 92, words, quotes: [], since: null }]
  }
  return service.ports.flatMap(({ port, target }): Finding[] => {
    const wanted = target ?? port
    const offered = selected.flatMap(({ spec }) => spec?.containers.flatMap(({ ports }) => ports) ?? [])
    if (offered.length === 0 || offered.some((each) => each.port === wanted || each.name === wanted)) return []
    const listens = [...new Set(offered.map((each) => each.port))].join(', ')
    const words = `Service ${service.name} sends port ${port} to ${wanted}, where its pods do not listen; they listen at ${listens}.`
    return [{ class: 'service_port_mapping_mismatch', component, score: 90, words, quotes: [], since: null }]
  })
}

function matches(selector: Labels, labels: Labels): boolean {
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

/** A policy that names a direction and allows nothing in it, where something does not get through. Of names that are looked up, too. */
function ofPolicies({ networkPolicies, logs, connections, namespace }: ClusterState): Finding[] {
  const cut = logs.flatMap(({ lines }) => lines).find(({ text }) => CUT_OFF.test(text))
  const refused = connections.find(({ ok }) => !ok)
  if (!cut && !refused) return []
  return (networkPolicies ?? []).flatMap((policy): Finding[] => {
    const { directions, allows, selector, name } = policy
    const closed = directions.filter((direction) => !allows.some((allow) => allow.direction === direction))
    // Where only its name is known, a name that says it closes something is a sign, and a weaker one.
    const isNamedSo = directions.length === 0 && /deny|block|isolat/i.test(name)
    if (closed.length === 0 && !isNamedSo) return []
    const words =
      closed.length > 0
        ? `The network policy ${name} lets no ${closed.join(' and no ')} traffic through.`
        : `The network policy ${name} holds here, and what is called does not answer; its rules were not seen.`
    const component = selector['app'] === undefined ? `namespace/${namespace}` : `app/${selector['app']}`
    const quotes = quotesOf(cut?.text, refused?.words)
    return [{ class: 'network_policy_block', component, score: closed.length > 0 ? 95 : 88, words, quotes, since: policy.createdAt }]
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
