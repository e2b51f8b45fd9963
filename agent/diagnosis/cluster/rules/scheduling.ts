import type { ClusterState, PodState } from '../../../../integrations/ports/cluster-state.ts'
import type { FaultClass } from '../../../domain/fault-classes.ts'
import { appOf, type ClusterRule, earliest, eventsOf, livingPods, quotesOf } from '../finding.ts'

/** Why no node takes a pod. The scheduler counts nodes for each reason; what the pod itself carries decides between neighbours. */
export const scheduling: ClusterRule = (state) =>
  livingPods(state)
    .filter(({ phase, node }) => phase === 'Pending' && node === null)
    .flatMap((pod) => {
      const failed = eventsOf(state, pod.name).filter(({ reason }) => reason === 'FailedScheduling')
      const condition = pod.conditions.find(({ type, status }) => type === 'PodScheduled' && status === 'False')
      const said = failed[0]?.message ?? condition?.message ?? ''
      const judged = said === '' ? unheard(pod, state) : judge(said, pod, state)
      if (judged === null) return []
      return [
        {
          class: judged.class,
          component: judged.component ?? appOf(pod),
          score: judged.score,
          words: judged.words,
          quotes: quotesOf(said, ...failed.map(({ message }) => message)),
          since: earliest(...failed.map(({ firstAt }) => firstAt), pod.createdAt, pod.startedAt),
        },
      ]
    })

/** A scheduler that works says something about a new pod long before. */
const SILENCE_MS = 30_000

interface Judged {
  class: FaultClass
  score: number
  words: string
  component?: string
}

/** From the most particular reason to the most general; how many nodes gave it breaks what is left. */
const REASONS: readonly { pattern: RegExp; count: RegExp; class: (pod: PodState) => FaultClass; words: string }[] = [
  {
    pattern: /didn't match pod anti-affinity|anti-affinity rules/i,
    count: /(\d+) node\(s\) didn't (?:match pod anti-affinity|satisfy existing pods anti-affinity)/i,
    class: () => 'pod_anti_affinity_conflict',
    words: 'its anti-affinity excludes every node',
  },
  {
    pattern: /untolerated taint|had taint/i,
    count: /(\d+) node\(s\) had (?:untolerated )?taint/i,
    class: () => 'taint_toleration_mismatch',
    words: 'it does not tolerate the taint of the nodes',
  },
  {
    pattern: /were unschedulable/i,
    count: /(\d+) node\(s\) were unschedulable/i,
    class: () => 'node_cordon_mismatch',
    words: 'the nodes that would fit are cordoned',
  },
  {
    pattern: /node affinity\/selector|node selector|node affinity/i,
    count: /(\d+) node\(s\) didn't match (?:Pod's )?node/i,
    // The scheduler names both in one breath: where the pod has no selector it is the affinity.
    class: ({ spec }) =>
      spec !== null && Object.keys(spec.nodeSelector).length === 0 ? 'node_affinity_mismatch' : 'node_selector_mismatch',
    words: 'no node has the labels that it asks for',
  },
  {
    pattern: /Insufficient cpu/i,
    count: /(\d+) Insufficient cpu/i,
    class: () => 'cpu_capacity_mismatch',
    words: 'no node has as much cpu left as it asks for',
  },
  {
    pattern: /Insufficient memory/i,
    count: /(\d+) Insufficient memory/i,
    class: () => 'memory_capacity_mismatch',
    words: 'no node has as much memory left as it asks for',
  },
]

function judge(said: string, pod: PodState, state: ClusterState): Judged | null {
  const given = REASONS.filter(({ pattern }) => pattern.test(said)).map((reason) => ({
    reason,
    nodes: Number(reason.count.exec(said)?.[1] ?? 1),
  }))
  // The control plane's taint is there in every healthy cluster and explains its own node only.
  const own = given.filter(
    ({ reason, nodes }) => !(reason.words.includes('taint') && nodes === 1 && /control-plane|master/.test(said) && given.length > 1),
  )
  // Nodes without the labels were no candidates: what the others lack is the reason.
  const candidates = own.filter(
    ({ reason }) => reason.class(pod) !== 'node_selector_mismatch' && reason.class(pod) !== 'node_affinity_mismatch',
  )
  const [most] = (candidates.length > 0 ? candidates : own).toSorted((a, b) => b.nodes - a.nodes)
  if (!most) return null
  const nodes = (state.nodes ?? []).filter(({ conditions }) => conditions.some(({ type, status }) => type === 'Ready' && status === 'True'))
  const ready = nodes.length > 0 ? ` ${nodes.length} nodes are Ready.` : ''
  return {
    class: most.reason.class(pod),
    score: isOfIllNode(most.reason, said) ? 60 : own.length === 1 ? 90 : 78,
    words: `${pod.name} is Pending (Unschedulable): ${most.reason.words}.${ready}`,
  }
}

const OF_CONDITION = /^node\.[\w.]+\/(not-ready|unreachable|network-unavailable|(disk|memory|pid)-pressure)$/

/** A node that is ill taints itself: then it is the cause, and not what the pod tolerates. */
function isOfIllNode({ words }: (typeof REASONS)[number], said: string): boolean {
  const taints = [...said.matchAll(/taint\(?s?\)? ?\{([^:}]+)/g)].map(([, key = '']) => key.trim())
  return words.includes('taint') && taints.length > 0 && taints.every((key) => OF_CONDITION.test(key))
}

/** Pending for long, and nobody said why: the scheduler itself is silent. */
function unheard(pod: PodState, state: ClusterState): Judged | null {
  const scheduler = state.parts?.find(({ name }) => name.includes('scheduler'))
  if (scheduler?.healthy === true || state.events === null) return null
  if (pod.createdAt !== null && state.at.getTime() - pod.createdAt.getTime() < SILENCE_MS) return null
  const told = eventsOf(state, pod.name)
  if (told.length > 0 || pod.conditions.some(({ type }) => type === 'PodScheduled')) return null
  const silent = livingPods(state).filter((each) => each.phase === 'Pending' && each.node === null).length
  return {
    class: 'kube_scheduler_unavailable',
    score: scheduler ? 92 : silent > 1 ? 86 : 74,
    words: `${pod.name} is Pending and no scheduler said a word about it.`,
    component: 'app/kube-scheduler',
  }
}
