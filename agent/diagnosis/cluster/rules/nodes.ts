import type { ClusterState, NodeState } from '../../../../integrations/ports/cluster-state.ts'
import type { FaultClass } from '../../../domain/fault-classes.ts'
import { type ClusterRule, eventsOf, type Finding, isRecent, livingPods, quotesOf } from '../finding.ts'

const PRESSURES: Readonly<Record<string, FaultClass>> = {
  MemoryPressure: 'node_memory_pressure',
  DiskPressure: 'node_disk_pressure',
  PIDPressure: 'node_pid_pressure',
}

const PARTS: readonly (readonly [RegExp, FaultClass])[] = [
  [/kubelet/i, 'kubelet_unavailable'],
  [/containerd|cri-o|docker|container runtime/i, 'containerd_unavailable'],
  [/kube-proxy/i, 'kube_proxy_unavailable'],
  [/scheduler/i, 'kube_scheduler_unavailable'],
]

/** A node that is not ready or under pressure, and parts of the platform that are down. Pods on it are victims. */
export const nodes: ClusterRule = (state) => {
  const parts = (state.parts ?? [])
    .filter(({ healthy }) => !healthy)
    .flatMap(({ name, node, words }): Finding[] => {
      const found = PARTS.find(([pattern]) => pattern.test(name))
      if (!found) return []
      const component = node === null ? `app/${name}` : `node/${node}`
      return [
        {
          class: found[1],
          component,
          score: 95,
          words: `${name} is down${node === null ? '' : ` on node ${node}`}.`,
          quotes: quotesOf(words),
          since: null,
        },
      ]
    })
  const conditions = (state.nodes ?? []).flatMap((node): Finding[] => {
    const ready = node.conditions.find(({ type }) => type === 'Ready')
    const pods = livingPods(state).filter((pod) => pod.node === node.name)
    const told = eventsOf(state, node.name).map(({ message }) => message)
    const pressures = node.conditions.flatMap((condition): Finding[] => {
      const pressure = condition.status === 'True' ? PRESSURES[condition.type] : undefined
      if (!pressure) return []
      const words = `Node ${node.name} is short of ${condition.type.replace('Pressure', '').toLowerCase()} (${condition.type}).`
      return [
        {
          class: pressure,
          component: `node/${node.name}`,
          score: 84,
          words,
          quotes: quotesOf(condition.message, ...told),
          since: condition.since,
        },
      ]
    })
    return ready && ready.status !== 'True' ? [...pressures, notReady(node, told, pods.length)] : pressures
  })
  return [...parts, ...conditions, ...toldOfNodes(state)]
}

const TOLD: readonly (readonly [RegExp, FaultClass, string])[] = [
  [/MemoryPressure|InsufficientMemory|reclaim memory/i, 'node_memory_pressure', 'memory'],
  [/DiskPressure|reclaim (ephemeral-storage|nodefs|imagefs|inodes)|FreeDiskSpaceFailed/i, 'node_disk_pressure', 'disk'],
  [/PIDPressure|InsufficientPID|reclaim pids/i, 'node_pid_pressure', 'process ids'],
]

/** What is told of a node lately, where nobody asked for its conditions. */
function toldOfNodes(state: ClusterState): Finding[] {
  return (state.events ?? [])
    .filter((event) => event.object.kind === 'Node' && event.type === 'Warning' && isRecent(event, state))
    .flatMap(({ object, reason, message, firstAt }): Finding[] => {
      const found = TOLD.find(([pattern]) => pattern.test(`${reason} ${message}`))
      const isAsked = state.nodes?.some((node) => node.name === object.name && node.conditions.some(({ type }) => type in PRESSURES))
      if (!found || isAsked) return []
      const [, cause, resource] = found
      const words = `Node ${object.name} is short of ${resource}.`
      return [{ class: cause, component: `node/${object.name}`, score: 80, words, quotes: quotesOf(message), since: firstAt }]
    })
}

function notReady(node: NodeState, told: readonly string[], pods: number): Finding {
  const ready = node.conditions.find(({ type }) => type === 'Ready')
  const said = [ready?.reason, ready?.message, ...told].join('\n')
  const isRuntime = /container runtime (is )?(down|not ready)|containerd.*(down|not|unavailable)|PLEG/i.test(said)
  const status =
    ready?.status === 'Unknown'
      ? 'Ready is Unknown, so its kubelet does not answer'
      : `it is NotReady${ready?.reason ? ` (${ready.reason})` : ''}`
  return {
    class: isRuntime ? 'containerd_unavailable' : 'kubelet_unavailable',
    component: `node/${node.name}`,
    score: 90,
    words: `Node ${node.name}: ${status}. ${pods} pods of it are victims.`,
    quotes: quotesOf(ready?.message, ...told),
    since: ready?.since ?? null,
  }
}
