import { describe, expect, test } from 'vitest'
import { diagnoseCluster } from '../../../../agent/diagnosis/cluster/diagnose-cluster.ts'
import type { ClusterState, MeasureState, ServiceState } from '../../../../integrations/ports/cluster-state.ts'
import {
  clusterState,
  containerState,
  podSpec,
  podState,
  RECORDED_AT,
  warning,
  workloadState as workload,
} from '../../../support/cluster-states.ts'

const causeOf = (known: Partial<ClusterState>): [string, string] => {
  const [first] = diagnoseCluster(clusterState(known))
  return [first?.class ?? '', first?.component ?? '']
}
const logOf = (workload: string, text: string) => ({
  workload,
  pod: null,
  container: null,
  level: 'all' as const,
  lines: [{ at: null, text }],
})
const service = (name: string, port: number, changed: Partial<ServiceState> = {}): ServiceState => ({
  name,
  type: 'ClusterIP',
  selector: { app: name },
  ports: [{ name: null, port, target: null, protocol: 'TCP', appProtocol: null }],
  endpoints: null,
  externalName: null,
  ...changed,
})
const settings = (values: Record<string, string>) =>
  podSpec({}, { env: Object.entries(values).map(([name, value]) => ({ name, value, from: null })) })
const measure = (name: string, of: string, ...values: number[]): MeasureState => ({
  name,
  labels: { app: of },
  samples: values.map((value) => ({ at: null, value })),
})

describe('addresses that lead nowhere', () => {
  const services = [service('pay', 8080), service('stock', 7070), service('mysql', 3306)]
  const caller = (values: Record<string, string>, text: string): Partial<ClusterState> => ({
    pods: [podState('pay')],
    services,
    workloads: [workload('pay', { template: settings(values) })],
    logs: [logOf('pay', text)],
  })

  test.each([
    [{ STOCK_ADDR: 'stok:7070' }, 'ERROR dial tcp: lookup stok: no such host', 'service_env_var_address_mismatch'],
    [{ STOCK_URL: 'http://stock:7071/v1' }, 'ERROR stock:7071: connection refused', 'service_env_var_address_mismatch'],
    [{ MYSQL_HOST: 'mysql', MYSQL_PORT: '3307' }, 'ERROR mysql:3307: connection refused', 'mysql_invalid_port'],
    [{ DATABASE_URL: 'postgres://pg-main:5432/pay' }, 'ERROR pg-main: no such host', 'db_invalid_address'],
  ])('%j', (values, text, cause) => {
    expect(causeOf(caller(values, text))).toEqual([cause, 'app/pay'])
  })

  test.each([
    { STOCK_ADDR: 'stock:7070' },
    { BANK_URL: 'https://api.bank.example/v1' },
    { STOCK_ADDR: 'stock.shop.svc.cluster.local:7070' },
    { STOCK_ADDR: 'stock.shop:7070' },
  ])('%j leads somewhere, or out of here', (values) => {
    expect(causeOf({ ...caller(values, 'INFO ready') })[0]).toBe('false_alarm')
  })

  test('the name of a namespace is text, whatever stands in it', () => {
    const told = { ...caller({ STOCK_ADDR: 'stok.shop:7070' }, 'ERROR lookup stok: no such host'), namespace: 'shop' }
    expect(causeOf(told)).toEqual(['service_env_var_address_mismatch', 'app/pay'])
    expect(() => causeOf({ ...told, namespace: '(' })).not.toThrow()
  })

  test('a route from outside to a service that does not exist', () => {
    const routes = [{ name: 'public', rules: [{ host: 'shop.example', path: '/pay', service: 'pays', port: 8080 }] }]
    expect(causeOf({ pods: [podState('pay')], services, routes })).toEqual(['gateway_misroute', 'app/public'])
  })
})

describe('what was not read is no sign', () => {
  test('a pod whose labels nobody asked for is not one without labels', () => {
    const known = { pods: [podState('pay', { labels: {} })], services: [service('pay', 8080)] }
    expect(causeOf(known)[0]).toBe('false_alarm')
    const empty = { ...known, services: [service('pay', 8080, { endpoints: [] })] }
    expect(causeOf(empty)).toEqual(['service_selector_mismatch', 'app/pay'])
  })

  test('a port whose target nobody told may lead anywhere; the addresses behind it tell', () => {
    const spec = podSpec({}, { ports: [{ name: null, port: 8080, protocol: 'TCP' }] })
    const pods = [podState('pay', { spec })]
    expect(causeOf({ pods, services: [service('pay', 80)] })[0]).toBe('false_alarm')
    expect(causeOf({ pods, services: [service('pay', 80, { endpoints: ['10.0.0.4:9999'] })] })[0]).toBe('service_port_mapping_mismatch')
  })
})

describe('numbers', () => {
  const cpu = (pay: number) => [measure('cpu', 'pay', pay), measure('cpu', 'cart', 0.1), measure('cpu', 'web', 0.2)]
  const pods = ['pay', 'cart', 'web'].map((name) => podState(name, { name: `${name}-7f9dd8b6c4-x7gr9`, node: `node-of-${name}` }))

  test('one is busy while its peers are calm; where it may not grow, it is too few', () => {
    expect(causeOf({ pods, measures: cpu(0.98) })).toEqual(['pod_cpu_overload', 'app/pay'])
    const workloads = [workload('pay', { desired: 3, ready: 3, autoscaling: { min: 1, max: 3, current: 3 } })]
    expect(causeOf({ pods, workloads, measures: cpu(0.98) })).toEqual(['insufficient_replicas', 'app/pay'])
    expect(causeOf({ pods, measures: cpu(0.3) })[0]).toBe('false_alarm')
  })

  test('who waits for somebody slow is slow too: the one called is named', () => {
    const alerts = ['web', 'pay'].map((about) => ({ name: 'HighLatency', about, summary: `p99 of ${about}`, firing: true, since: null }))
    const calls = [{ from: 'web', to: 'pay' }]
    expect(causeOf({ pods, alerts, calls })).toEqual(['pod_network_delay', 'app/pay'])
  })

  test('an alert about a node is about the node, and so are alerts about all that runs there', () => {
    const nodes = ['node-1', 'node-2'].map((name) => ({
      name,
      labels: {},
      unschedulable: false,
      taints: [],
      conditions: [{ type: 'Ready', status: 'True' as const, reason: null, message: null, since: null }],
      allocatable: { cpu: null, memory: null },
      requested: { cpu: null, memory: null },
      createdAt: null,
    }))
    const alert = (about: string) => ({ name: 'PacketLoss', about, summary: '12% of packets are lost', firing: true, since: null })
    expect(causeOf({ pods, nodes, alerts: [alert('node-1')] })).toEqual(['node_network_packet_loss', 'node/node-1'])
    const placed = pods.map((pod) => ({ ...pod, node: pod.workload === 'web' ? 'node-1' : 'node-2' }))
    expect(causeOf({ pods: placed, nodes, alerts: [alert('pay'), alert('cart')] })).toEqual(['node_network_packet_loss', 'node/node-2'])
  })

  test('memory that only grows before it is killed is a leak', () => {
    const killed = { ...containerState('CrashLoopBackOff'), last: { ...containerState('OOMKilled').state, kind: 'terminated' as const } }
    const known = { pods: [podState('pay', { containers: [killed] })], events: [] }
    expect(causeOf({ ...known, measures: [measure('memory', 'pay', 10, 20, 30, 40, 50)] })[0]).toBe('memory_leak')
    expect(causeOf({ ...known, measures: [measure('memory', 'pay', 40, 20, 45, 10, 50)] })[0]).toBe('oom_killed')
  })
})

test('a quota with nothing left, where the service it would have counted is missed', () => {
  const quotas = [{ name: 'objects', limits: [{ resource: 'services', used: 5, hard: 5 }] }]
  const known = {
    pods: [podState('pay'), podState('web')],
    services: [service('web', 80)],
    workloads: [workload('pay'), workload('web')],
    quotas,
  }
  const logs = [logOf('web', 'ERROR lookup pay: no such host')]
  expect(causeOf({ ...known, logs })).toEqual(['namespace_service_quota_exceeded', 'namespace/shop'])
  expect(causeOf(known)[0]).toBe('false_alarm')
})

test('a quota with nothing left explains pods that are not there, not pods that are not ready', () => {
  const quotas = [{ name: 'objects', limits: [{ resource: 'pods', used: 1, hard: 1 }] }]
  const known = { quotas, events: [], pods: [podState('pay', { containers: [{ ...containerState(), ready: false }] })] }
  expect(causeOf({ ...known, workloads: [workload('pay', { desired: 2, ready: 0 })] })[0]).toBe('namespace_pod_quota_exceeded')
  expect(causeOf({ ...known, workloads: [workload('pay', { desired: 1, ready: 0 })] })[0]).toBe('unknown')
})

test('a policy that lets in only what nobody carries', () => {
  const policy = {
    name: 'tighten',
    selector: { app: 'pay' },
    directions: ['ingress' as const],
    allows: [{ direction: 'ingress' as const, peers: [{ role: 'admin' }], ports: [] }],
    createdAt: null,
  }
  const known = {
    pods: [podState('pay'), podState('web')],
    networkPolicies: [policy],
    logs: [logOf('web', 'ERROR pay: connection timed out')],
  }
  expect(causeOf(known)).toEqual(['network_policy_block', 'app/pay'])
  expect(causeOf({ ...known, pods: [podState('pay'), podState('web', { labels: { role: 'admin' } })] })[0]).not.toBe('network_policy_block')
})

describe('what ended', () => {
  test('a pod that its node put out, and a job past its deadline', () => {
    expect(causeOf({ pods: [podState('pay', { phase: 'Failed', reason: 'Evicted' })], events: [] })).toEqual(['evicted', 'app/pay'])
    const late = warning('DeadlineExceeded', 'Job was active longer than specified deadline', { object: { kind: 'Job', name: 'nightly' } })
    expect(causeOf({ pods: [podState('pay')], events: [late] })).toEqual(['job_stuck', 'app/nightly'])
  })

  test('a pod that runs again since two minutes was killed all the same, and one killed days ago was not', () => {
    const killed = (minutes: number) => {
      const finishedAt = new Date(RECORDED_AT.getTime() - minutes * 60_000)
      const last = { ...containerState('OOMKilled').state, kind: 'terminated' as const, finishedAt }
      return podState('pay', { containers: [{ ...containerState(), restarts: 4, last }] })
    }
    expect(causeOf({ pods: [killed(2)], events: [] })).toEqual(['oom_killed', 'app/pay'])
    expect(causeOf({ pods: [killed(3_000)], events: [] })[0]).toBe('resolved_by_itself')
  })
})

test('nodes without the labels were no candidates: what the others lack is the reason', () => {
  const pod = podState('pay', { phase: 'Pending', node: null, containers: [], spec: podSpec({ nodeSelector: { tier: 'data' } }) })
  const message = "0/4 nodes are available: 1 node(s) were unschedulable, 3 node(s) didn't match Pod's node affinity/selector."
  expect(causeOf({ pods: [pod], events: [warning('FailedScheduling', message)] })[0]).toBe('node_cordon_mismatch')
})

test('a liveness probe that asks at the right port, before anything listens there', () => {
  const liveness = {
    kind: 'http' as const,
    port: 8080,
    path: '/',
    scheme: null,
    initialDelaySeconds: 1,
    periodSeconds: 2,
    timeoutSeconds: 1,
    failureThreshold: 1,
  }
  const spec = podSpec({}, { liveness, ports: [{ name: null, port: 8080, protocol: 'TCP' }] })
  const pods = [podState('pay', { spec, containers: [{ ...containerState(), ready: false, restarts: 5 }] })]
  const events = [warning('Unhealthy', 'Liveness probe failed: Get "http://10.0.0.1:8080/": connect: connection refused')]
  expect(causeOf({ pods, events })[0]).toBe('liveness_probe_incorrect_timing')
})

test('a taint of a node that is ill is no matter of what a pod tolerates', () => {
  const pod = podState('pay', { phase: 'Pending', node: null, containers: [] })
  const judged = (taint: string) =>
    diagnoseCluster(
      clusterState({
        pods: [pod],
        events: [warning('FailedScheduling', `0/2 nodes are available: 2 node(s) had untolerated taint {${taint}}.`)],
      }),
    )[0]?.score ?? 0
  expect(judged('node.kubernetes.io/not-ready: ')).toBeLessThan(judged('dedicated: reports'))
})

test('what a program says of its port counts more than what is declared', () => {
  const readiness = {
    kind: 'http' as const,
    port: 9090,
    path: '/',
    scheme: null,
    initialDelaySeconds: 5,
    periodSeconds: 10,
    timeoutSeconds: 1,
    failureThreshold: 3,
  }
  const spec = podSpec({}, { readiness, ports: [{ name: null, port: 9090, protocol: 'TCP' }] })
  const pods = [podState('pay', { spec, containers: [{ ...containerState(), ready: false }] })]
  const events = [warning('Unhealthy', 'Readiness probe failed: dial tcp 10.0.0.1:9090: connect: connection refused')]
  expect(causeOf({ pods, events, logs: [logOf('pay', 'listening on port 8080')] })).toEqual(['readiness_probe_incorrect_port', 'app/pay'])
  expect(causeOf({ pods, events, logs: [logOf('pay', 'listening on port 9090')] })[0]).toBe('unknown')
})

test('two containers of one pod that want the same port', () => {
  const [main] = podSpec({}, { ports: [{ name: null, port: 8080, protocol: 'TCP' }] }).containers
  const containers = main ? [main, { ...main, name: 'proxy' }] : []
  const pods = [podState('pay', { spec: podSpec({ containers }), containers: [containerState('CrashLoopBackOff')] })]
  expect(causeOf({ pods, events: [] })).toEqual(['service_sidecar_port_conflict', 'app/pay'])
})

test('a name that nothing here has is written down wrong; one that is here does not resolve', () => {
  const known = { pods: [podState('pay'), podState('web')], services: [service('pay', 80), service('web', 80)] }
  const of = (text: string) => causeOf({ ...known, logs: [logOf('web', text)] })
  expect(of('ERROR lookup pays: no such host')).toEqual(['service_env_var_address_mismatch', 'app/web'])
  expect(of('ERROR getaddrinfo ENOTFOUND pg-main')).toEqual(['db_invalid_address', 'app/web'])
  expect(of('ERROR lookup pay: no such host')).toEqual(['service_dns_resolution_failure', 'app/web'])
})

test('nothing is over while programs still complain', () => {
  const error = { at: new Date(RECORDED_AT.getTime() - 60_000), text: 'ERROR charge failed' }
  const log = { ...logOf('pay', ''), lines: [error, error] }
  expect(causeOf({ pods: [podState('pay')], events: [], logs: [log] })[0]).toBe('unknown')
})
