import type { ClusterState, NetworkPolicyState } from '../../../../integrations/ports/cluster-state.ts'
import { type ClusterRule, type Finding, livingPods, quotesOf } from '../finding.ts'
import { matches } from './services.ts'

/** Names that do not resolve and calls that get no answer: what a closed network looks like from inside. */
const CUT_OFF = /timed? ?out|unreachable|no servers could be reached|fail(ed|ure)? (to resolve|in name resolution)|could not resolve/i

/** A policy that lets nothing through, or nobody who is there, where something does not get through. Of names that are looked up, too. */
export const networkPolicies: ClusterRule = (state) => {
  const cut = state.logs.flatMap(({ lines }) => lines).find(({ text }) => CUT_OFF.test(text))
  const refused = state.connections.find(({ ok }) => !ok)
  if (!cut && !refused) return []
  return (state.networkPolicies ?? []).flatMap((policy): Finding[] => {
    const { directions, allows, name } = policy
    const closed = directions.filter((direction) => !allows.some((allow) => allow.direction === direction))
    // Where only its name is known, a name that says it closes something is a sign, and a weaker one.
    const isNamedSo = directions.length === 0 && /deny|block|isolat/i.test(name)
    const isForNobody = closed.length === 0 && admitsNobody(policy, state)
    if (closed.length === 0 && !isNamedSo && !isForNobody) return []
    const words =
      closed.length > 0
        ? `The network policy ${name} lets no ${closed.join(' and no ')} traffic through.`
        : isForNobody
          ? `The network policy ${name} lets through only what carries labels that no pod here has.`
          : `The network policy ${name} holds here, and what is called does not answer; its rules were not seen.`
    const quotes = quotesOf(cut?.text, refused?.words)
    const score = closed.length > 0 ? 95 : isForNobody ? 90 : 88
    return [{ class: 'network_policy_block', component: componentOf(policy, state), score, words, quotes, since: policy.createdAt }]
  })
}

/** Every way in that it allows is for labels that nobody carries. */
function admitsNobody({ allows }: NetworkPolicyState, state: ClusterState): boolean {
  const pods = livingPods(state).filter(({ labels }) => Object.keys(labels).length > 0)
  const peers = allows.filter(({ direction }) => direction === 'ingress').flatMap((allow) => allow.peers)
  return pods.length > 0 && peers.length > 0 && !peers.some((peer) => pods.some(({ labels }) => matches(peer, labels)))
}

/** The workload that a policy is for; where it is for all of them, the namespace. */
function componentOf({ selector }: NetworkPolicyState, { namespace, workloads }: ClusterState): string {
  if (Object.keys(selector).length === 0) return `namespace/${namespace}`
  const meant = workloads?.filter(({ templateLabels }) => matches(selector, templateLabels)) ?? []
  const name = meant.length === 1 ? meant[0]?.name : onlyOf(Object.values(selector))
  return name === undefined ? `namespace/${namespace}` : `app/${name}`
}

function onlyOf(values: readonly string[]): string | undefined {
  return values.length === 1 ? values[0] : undefined
}
