import type { ClusterState, MeasureState } from '../../../../integrations/ports/cluster-state.ts'
import type { FaultClass } from '../../../domain/fault-classes.ts'
import { type ClusterRule, type Finding, isWell, livingPods, quotesOf, withoutHash } from '../finding.ts'

/** What numbers and alerts say of work, of the network and of memory. Who waits for somebody slow is slow too: the one called is named. */
export const measured: ClusterRule = (state) => {
  const seen = signalsOf(state)
  return [...SIGNALS.flatMap((signal) => ofSignal(signal, seen.get(signal.kind) ?? [], state)), ...leaks(state)]
}

type Kind = 'throttled' | 'cpu' | 'loss' | 'delay'

interface Signal {
  kind: Kind
  pattern: RegExp
  /** From this value on, where a measure is a share or seconds. */
  high: number
  pod: FaultClass
  node: FaultClass | null
  score: number
  words: string
}

/** From the most particular to the most general: an alert on packet loss may speak of latency too. */
const SIGNALS: readonly Signal[] = [
  {
    kind: 'throttled',
    pattern: /throttl/i,
    high: 0.2,
    pod: 'cpu_throttled',
    node: null,
    score: 86,
    words: 'is held back at its CPU limit',
  },
  {
    kind: 'loss',
    pattern: /packet.?loss|packets? .*(lost|dropped|again)|retransmi|transmit_drop|receive_drop|drop(ped)?.?packets/i,
    high: 0.02,
    pod: 'pod_network_loss',
    node: 'node_network_packet_loss',
    score: 86,
    words: 'loses packets',
  },
  {
    kind: 'cpu',
    pattern: /cpu/i,
    high: 0.85,
    pod: 'pod_cpu_overload',
    node: null,
    score: 84,
    words: 'uses all the CPU it may, while its peers are calm',
  },
  {
    kind: 'delay',
    pattern: /laten|delay|\brtt\b|round.?trip|duration|slow|response.?time|\bp9\d/i,
    high: 0.1,
    pod: 'pod_network_delay',
    node: 'node_network_delay',
    score: 80,
    words: 'answers late although its own work is as usual: its network is slow',
  },
]

/** One thing that stands out: a workload or a node, with what was told of it. */
interface Seen {
  name: string
  quote: string
  since: Date | null
}

function signalsOf(state: ClusterState): Map<Kind, Seen[]> {
  const kindOf = (text: string): Kind | undefined => SIGNALS.find(({ pattern }) => pattern.test(text))?.kind
  const alerts = (state.alerts ?? []).flatMap(({ firing, name, summary, about, since }) => {
    const kind = kindOf(`${name} ${summary}`)
    const whom = about ?? mentionedIn(summary, state)
    return firing && kind && whom ? [{ kind, seen: { name: whom, quote: summary, since } }] : []
  })
  const measures = [...Map.groupBy(state.measures ?? [], ({ name }) => name)].flatMap(([name, series]) => {
    const signal = SIGNALS.find(({ pattern }) => pattern.test(name))
    return signal ? outliers(series, signal.high).map((seen) => ({ kind: signal.kind, seen })) : []
  })
  const all = Map.groupBy([...alerts, ...measures], ({ kind }) => kind)
  return new Map([...all].map(([kind, told]) => [kind, told.map(({ seen }) => seen)]))
}

/** The longest name of something here: `cart-store` is not `cart`. */
function mentionedIn(text: string, { workloads, services, pods, nodes }: ClusterState): string | null {
  const named = [...(workloads ?? []), ...(services ?? []), ...(nodes ?? [])].map(({ name }) => name)
  const names = [...named, ...(pods ?? []).map(({ workload }) => workload ?? '')].filter((name) => name !== '' && text.includes(name))
  return names.toSorted((a, b) => b.length - a.length)[0] ?? null
}

/** Below what a program or the platform says of pods that do not run. */
const UNDER_DOUBT = 60
/** A calm peer has at most this share of what stands out. */
const CALM = 0.5

/** Series that are high now where the middle one of their peers is not; one alone counts by its height. */
function outliers(series: readonly MeasureState[], high: number): Seen[] {
  const now = series.map((each) => ({ name: aboutOf(each), value: each.samples.at(-1)?.value ?? 0 }))
  const values = now.map(({ value }) => value).sort((a, b) => a - b)
  const middle = values[Math.floor((values.length - 1) / 2)] ?? 0
  return now.flatMap(({ name, value }) => {
    const isHigh = value >= high && (values.length === 1 || middle <= CALM * value)
    return isHigh && name !== null ? [{ name, quote: `${series[0]?.name.slice(0, 120)}: ${value} at ${name}`, since: null }] : []
  })
}

const ABOUT = ['app', 'service', 'deployment', 'workload', 'pod', 'container', 'node', 'instance', 'name'] as const

function aboutOf({ labels }: MeasureState): string | null {
  return ABOUT.map((key) => labels[key]).find((name) => name !== undefined) ?? null
}

function ofSignal(signal: Signal, seen: readonly Seen[], state: ClusterState): Finding[] {
  const nodes = new Set([...(state.nodes ?? []).map(({ name }) => name), ...(state.pods ?? []).map(({ node }) => node ?? '')])
  const apps = seen.filter(({ name }) => !nodes.has(name)).map((one) => ({ ...one, name: appNameOf(one.name, state) }))
  const ofNodes = signal.node === null ? [] : seen.filter(({ name }) => nodes.has(name))
  const places = placesOf(new Set(apps.map(({ name }) => name)), state)
  const isWholeNode = signal.node !== null && places.apps > 1 && places.node !== null
  const sufferers = signal.kind === 'delay' ? withoutWaiting(apps, state) : apps
  const found = [
    ...ofNodes.map(({ name, ...told }) => ({
      ...told,
      class: signal.node ?? signal.pod,
      component: `node/${name}`,
      name: `Node ${name}`,
      more: 4,
    })),
    ...(isWholeNode ? [] : sufferers).map((told) => ({ ...told, class: signal.pod, component: `app/${told.name}`, more: 0 })),
    ...(isWholeNode && places.node !== null
      ? apps.slice(0, 1).map((told) => ({
          ...told,
          class: signal.node ?? signal.pod,
          component: `node/${places.node}`,
          name: `Node ${places.node}`,
          more: 2,
        }))
      : []),
  ]
  // Who waits for pods that do not run is slow, and busy trying again.
  const isElsewhere = !livingPods(state).every(isWell)
  return found.map((told) => ({
    class: atMaximum(told.component, told.class, state) ? 'insufficient_replicas' : told.class,
    component: told.component,
    score: isElsewhere ? UNDER_DOUBT : signal.score + told.more,
    words: `${told.name} ${signal.words}.`,
    quotes: quotesOf(...seen.map(({ quote }) => quote)),
    since: told.since,
  }))
}

function appNameOf(name: string, { pods, workloads }: ClusterState): string {
  return pods?.find((pod) => pod.name === name)?.workload ?? (workloads?.some((each) => each.name === name) ? name : withoutHash(name))
}

/** Whether all pods of several workloads that suffer stand on one node, and nobody who is well does. */
function placesOf(names: ReadonlySet<string>, state: ClusterState): { node: string | null; apps: number } {
  const pods = livingPods(state)
  const own = pods.filter(({ workload }) => names.has(workload ?? ''))
  const places = new Set(own.map(({ node }) => node))
  const [node = null] = places
  const isAlone = places.size === 1 && pods.every((pod) => pod.node !== node || names.has(pod.workload ?? ''))
  return { node: isAlone ? node : null, apps: new Set(own.map(({ workload }) => workload)).size }
}

/** Who calls somebody that is slow waits for it. */
function withoutWaiting(seen: readonly Seen[], { calls }: ClusterState): Seen[] {
  const names = new Set(seen.map(({ name }) => name))
  const kept = seen.filter(({ name }) => !(calls ?? []).some(({ from, to }) => from === name && names.has(to)))
  return kept.length > 0 ? kept : [...seen]
}

/** As many replicas as it may have, and still at its limit. */
function atMaximum(component: string, cause: FaultClass, { workloads }: ClusterState): boolean {
  if (cause !== 'pod_cpu_overload') return false
  const scaled = workloads?.find(({ name }) => component === `app/${name}`)
  const { autoscaling = null, desired = null } = scaled ?? {}
  return autoscaling !== null && Math.max(autoscaling.current ?? 0, desired ?? 0) >= autoscaling.max
}

const ENOUGH_SAMPLES = 5
const GROWTH = 1.5
const RISING = 0.75

/** Memory that only grows, of what was killed for it. */
function leaks(state: ClusterState): Finding[] {
  return (state.measures ?? [])
    .filter(({ name }) => /memory|heap|rss|working_set/i.test(name))
    .flatMap((series): Finding[] => {
      const name = aboutOf(series)
      const values = series.samples.map(({ value }) => value)
      const steps = values.slice(1).filter((value, i) => value >= (values[i] ?? 0)).length
      const [first = 0, last = 0] = [values[0], values.at(-1)]
      const isGrowing = values.length >= ENOUGH_SAMPLES && last >= GROWTH * first && steps >= RISING * (values.length - 1)
      if (name === null || !isGrowing) return []
      const app = appNameOf(name, state)
      const wasKilled = livingPods(state).some(
        (pod) =>
          pod.workload === app &&
          pod.containers.some(({ state: now, last: before }) => [now, before].some((phase) => phase?.reason === 'OOMKilled')),
      )
      const words = `The memory of ${app} grows without end: ${(last / first).toFixed(1)} times what it was.`
      return [
        {
          class: 'memory_leak',
          component: `app/${app}`,
          score: wasKilled ? 96 : 68,
          words,
          quotes: quotesOf(series.name),
          since: series.samples[0]?.at ?? null,
        },
      ]
    })
}
