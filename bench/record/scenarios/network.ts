import { type Fault, type GivenAnswer, type Scenarios, type Target, vector } from '../scenario.ts'
import { callTree, firing } from '../told.ts'
import { query } from './runtime.ts'
import { victims } from './start.ts'

const CPU = 'sum by (app) (rate(container_cpu_usage_seconds_total[5m])) / sum by (app) (kube_pod_container_resource_limits{resource="cpu"})'
const LATENCY = 'histogram_quantile(0.99, sum by (le, app) (rate(request_duration_seconds_bucket[5m])))'
const ROUND_TRIP = 'probe_icmp_duration_seconds{phase="rtt"}'
const LOST = 'rate(node_network_transmit_drop_total[5m]) / rate(node_network_transmit_packets_total[5m])'

export const networkScenarios: Scenarios = {
  pod_network_delay: (target) =>
    overNetwork(target, `app/${target.app.name}`, [
      firing(
        target,
        target.pick(['HighLatency', 'SlowRequests', 'LatencyP99High']),
        `p99 latency of ${target.app.name} is ${target.pick(['1.4s', '2300ms', '0.9s'])}`,
      ),
      latencies(target),
      query(target, CPU, 0.11, 0.12),
      query(target, 'max by (app) (network_round_trip_seconds)', 0.4, 0.0008),
    ]),
  pod_network_loss: (target) =>
    overNetwork(target, `app/${target.app.name}`, [
      firing(
        target,
        target.pick(['TcpRetransmissions', 'PacketLoss', 'NetworkRetransmitsHigh']),
        `${target.pick(['22%', '31%', '17%'])} of packets of ${target.app.name} are lost or sent again`,
      ),
      query(target, CPU, 0.1, 0.13),
      query(target, 'max by (app) (tcp_retransmit_ratio)', 0.22, 0.0004),
    ]),
  node_network_delay: (target) =>
    overNetwork(target, `node/${nodeOf(target)}`, ofNode(target, 'NodeLatencyHigh', 'round trip to', ROUND_TRIP, 0.31, 0.0004)),
  node_network_packet_loss: (target) =>
    overNetwork(target, `node/${nodeOf(target)}`, ofNode(target, 'NodePacketLoss', 'packet loss at', LOST, 0.24, 0)),
  network_policy_block: (target) => {
    const { app, system } = target
    const policy = (name: string, spec: object): object => ({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name },
      spec,
    })
    const object = target.pick([
      policy('default-deny', { podSelector: {}, policyTypes: ['Ingress'] }),
      policy('lock-down', { podSelector: { matchLabels: { app: app.name } }, policyTypes: ['Ingress'], ingress: [] }),
      policy('tighten', {
        podSelector: { matchLabels: { app: app.name } },
        policyTypes: ['Ingress'],
        ingress: [{ from: [{ podSelector: { matchLabels: { role: 'admin' } } }] }],
      }),
    ])
    return {
      ...overNetwork(target, target.variant === 0 ? `namespace/${system.namespace}` : `app/${app.name}`, [
        {
          tool: 'connectivity',
          args: { from: target.callers[0]?.name ?? '', to: app.name, port: app.port },
          text: `connect to ${app.name}:${app.port}: connection timed out`,
        },
      ]),
      logs: victims(target, 'connect: connection timed out'),
      objects: [object],
      ask: ['networkpolicy'],
    }
  },
}

function nodeOf({ system }: Target): string {
  return system.nodes[0] ?? ''
}

function overNetwork(target: Target, component: string, answers: readonly GivenAnswer[]): Fault {
  return {
    component,
    question: target.pick([
      `${target.callers[0]?.name ?? ''} is slow.`,
      'Calls take long or fail.',
      `Latency in ${target.system.id} is up. Why?`,
    ]),
    logs: victims(target, target.pick(['deadline exceeded after 2s', 'i/o timeout', 'read timed out'])),
    answers: [...answers, callTree(target)],
  }
}

/** The app is slow, and so is everybody who waits for it. */
function latencies({ system, app, callers }: Target): GivenAnswer {
  const of = (name: string): number => (name === app.name ? 1.4 : callers.some((each) => each.name === name) ? 1.5 : 0.02)
  return { tool: 'metrics', args: { query: LATENCY }, text: vector(system.apps.map(({ name }) => [{ app: name }, of(name)] as const)) }
}

function ofNode(target: Target, alert: string, words: string, text: string, high: number, low: number): GivenAnswer[] {
  const node = nodeOf(target)
  const samples = target.system.nodes.map((name) => [{ node: name }, name === node ? high : low] as const)
  const summary = `${words} ${node}: ${high < 0.3 ? `${Math.round(high * 100)}%` : `${Math.round(high * 1000)} ms`}`
  return [
    firing(target, alert, summary, { node }),
    { tool: 'metrics', args: { query: text }, text: vector(samples) },
    query(target, CPU, 0.1, 0.1),
  ]
}
