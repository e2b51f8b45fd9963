import { describe, expect, test } from 'vitest'
import { diagnoseCluster } from '../../../../agent/diagnosis/cluster/diagnose-cluster.ts'
import { withoutHash } from '../../../../agent/diagnosis/cluster/finding.ts'
import type { ClusterState, ProbeSpec } from '../../../../integrations/ports/cluster-state.ts'
import { clusterState, containerState, podSpec, podState, RECORDED_AT, warning } from '../../../support/cluster-states.ts'

const causeOf = (known: Partial<ClusterState>): [string, string] => {
  const [first] = diagnoseCluster(clusterState(known))
  return [first?.class ?? '', first?.component ?? '']
}
const waiting = (reason: string, message: string | null = null) => podState('pay', { containers: [containerState(reason, message)] })
const pending = podState('pay', { phase: 'Pending', node: null, containers: [] })
const lines = (...texts: string[]) => [
  { workload: 'pay', pod: null, container: null, level: 'all' as const, lines: texts.map((text) => ({ at: null, text })) },
]

test.each([
  ['Failed to pull image "pay:v9": manifest unknown', 'incorrect_image_reference'],
  ['Failed to pull image "x/pay": pull access denied, may require authorization', 'missing_image_pull_secret'],
  ['Failed to pull image "x/pay": dial tcp: lookup reg.example: no such host', 'image_registry_dns_failure'],
])('an image that cannot be pulled: %s', (message, cause) => {
  expect(causeOf({ pods: [waiting('ImagePullBackOff')], events: [warning('Failed', message)] })).toEqual([cause, 'app/pay'])
})

test.each([
  ['CreateContainerConfigError', 'secret "pay-key" not found', 'missing_secret_binding'],
  ['CreateContainerConfigError', 'configmap "pay-settings" not found', 'missing_config_map'],
  ['CrashLoopBackOff', 'listen tcp :8080: bind: address already in use', 'service_sidecar_port_conflict'],
  ['CrashLoopBackOff', 'open /data/lock: permission denied', 'volume_mount_permission_denied'],
  ['CrashLoopBackOff', 'back-off 5m0s restarting failed container', 'crash_on_start'],
])('a container that does not start: %s, %s', (reason, message, cause) => {
  expect(causeOf({ pods: [waiting(reason, message)], events: [] })).toEqual([cause, 'app/pay'])
})

test('killed for memory is not a crash of its own', () => {
  const container = {
    ...containerState('CrashLoopBackOff'),
    last: { ...containerState('OOMKilled').state, kind: 'terminated' as const, exitCode: 137 },
  }
  expect(causeOf({ pods: [podState('pay', { containers: [container] })], events: [] })).toEqual(['oom_killed', 'app/pay'])
})

describe('a pod that no node takes', () => {
  test.each([
    ['0/2 nodes are available: 2 Insufficient cpu.', 'cpu_capacity_mismatch'],
    [
      '0/3 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 2 Insufficient memory.',
      'memory_capacity_mismatch',
    ],
    ['0/2 nodes are available: 2 node(s) had untolerated taint {team: blue}.', 'taint_toleration_mismatch'],
    ['0/2 nodes are available: 2 node(s) were unschedulable.', 'node_cordon_mismatch'],
    ["0/2 nodes are available: 2 node(s) didn't match pod anti-affinity rules.", 'pod_anti_affinity_conflict'],
    ["0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector.", 'node_selector_mismatch'],
  ])('%s', (message, cause) => {
    expect(causeOf({ pods: [pending], events: [warning('FailedScheduling', message)] })).toEqual([cause, 'app/pay'])
  })

  test('what the pod carries tells affinity from selector', () => {
    const spec = podSpec({ nodeAffinity: [{ key: 'zone', operator: 'In', values: ['c'] }] })
    const events = [warning('FailedScheduling', "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector.")]
    expect(causeOf({ pods: [{ ...pending, spec }], events })[0]).toBe('node_affinity_mismatch')
  })

  test('nobody schedules where nobody says a word', () => {
    expect(causeOf({ pods: [pending], events: [] })).toEqual(['kube_scheduler_unavailable', 'app/kube-scheduler'])
  })
})

describe('probes', () => {
  const probe: ProbeSpec = {
    kind: 'http',
    port: 9090,
    path: '/',
    scheme: null,
    initialDelaySeconds: 0,
    periodSeconds: 10,
    timeoutSeconds: 1,
    failureThreshold: 3,
  }
  const restarted = { ...containerState(), restarts: 4 }

  test('it asks where nothing listens', () => {
    const spec = podSpec({}, { liveness: probe, ports: [{ name: null, port: 8080, protocol: 'TCP' }] })
    const found = diagnoseCluster(
      clusterState({
        pods: [podState('pay', { containers: [restarted], spec })],
        events: [warning('Unhealthy', 'Liveness probe failed: Get "http://10.0.0.1:9090/": connect: connection refused')],
      }),
    )
    expect(found[0]).toMatchObject({ class: 'liveness_probe_incorrect_port', component: 'app/pay' })
    expect(found[0]?.words).toContain('asks at port 9090')
  })

  test('it does not take the answer for health', () => {
    const events = [warning('Unhealthy', 'Readiness probe failed: HTTP probe failed with statuscode: 404')]
    expect(causeOf({ pods: [podState('pay', { containers: [{ ...restarted, ready: false }] })], events })[0]).toBe(
      'readiness_probe_incorrect_protocol',
    )
  })
})

test('a quota refuses before there is a pod', () => {
  const message =
    'Error creating: pods "pay-7f9dd8b6c4-x7gr9" is forbidden: exceeded quota: default, requested: limits.cpu=2, used: limits.cpu=8, limited: limits.cpu=10'
  const events = [warning('FailedCreate', message, { object: { kind: 'ReplicaSet', name: 'pay-7f9dd8b6c4' } })]
  expect(causeOf({ pods: [podState('pay')], events })).toEqual(['namespace_cpu_quota_exceeded', 'namespace/shop'])
})

test('a node whose kubelet is silent is the cause, and its pods are victims', () => {
  const node = {
    name: 'node-1',
    labels: {},
    unschedulable: false,
    taints: [],
    conditions: [
      {
        type: 'Ready',
        status: 'Unknown' as const,
        reason: 'NodeStatusUnknown',
        message: 'Kubelet stopped posting node status.',
        since: null,
      },
    ],
    allocatable: { cpu: null, memory: null },
    requested: { cpu: null, memory: null },
    createdAt: null,
  }
  const victim = podState('pay', { containers: [{ ...containerState(), ready: false }] })
  expect(causeOf({ pods: [victim], nodes: [node], events: [] })).toEqual(['kubelet_unavailable', 'node/node-1'])
})

test('a service that selects nobody while the pods it means are healthy', () => {
  const service = { name: 'pay', type: 'ClusterIP', selector: { app: 'pays' }, ports: [], endpoints: [], externalName: null }
  expect(causeOf({ pods: [podState('pay')], services: [service], events: [] })).toEqual(['service_selector_mismatch', 'app/pay'])
})

test('a claim of a storage class that does not exist', () => {
  const claim = { name: 'data', phase: 'Pending', storageClass: 'fast', accessModes: [], requested: null, volume: null, selector: {} }
  const spec = podSpec({ volumes: [{ name: 'data', kind: 'claim', source: 'data' }] })
  const known = { pods: [{ ...pending, spec }], claims: [claim], storageClasses: [], events: [] }
  expect(causeOf(known)).toEqual(['pvc_storage_class_mismatch', 'app/pay'])
})

test('names do not resolve: a closed network policy explains it, without one it is the names', () => {
  const logs = lines('Error: could not resolve host stock.shop')
  const policy = { name: 'deny-egress', selector: {}, directions: ['egress' as const], allows: [], createdAt: null }
  expect(causeOf({ pods: [podState('pay')], logs })).toEqual(['service_dns_resolution_failure', 'app/pay'])
  expect(causeOf({ pods: [podState('pay')], logs, networkPolicies: [policy] })).toEqual(['network_policy_block', 'namespace/shop'])
})

test('where the time of a trace goes', () => {
  const spans = [
    { service: 'web', operation: 'GET /', ms: 5_000, ownMs: 100 },
    { service: 'pay', operation: 'postgres.query', ms: 4_900, ownMs: 4_900 },
  ]
  expect(causeOf({ pods: [podState('pay')], spans })).toEqual(['db_slow_query', 'app/pay'])
})

describe('what is over', () => {
  const old = new Date(RECORDED_AT.getTime() - 3_600_000)

  test('old warnings of what runs well are history', () => {
    const events = [warning('BackOff', 'Back-off restarting failed container', { firstAt: old, lastAt: old, count: 1 })]
    expect(causeOf({ pods: [podState('pay')], events })[0]).toBe('resolved_by_itself')
  })

  test('a pod that is being taken down shows its farewell', () => {
    const leaving = podState('pay', {
      name: 'pay-6c4ab5d9c-old11',
      deletedAt: RECORDED_AT,
      containers: [containerState('CrashLoopBackOff')],
    })
    expect(causeOf({ pods: [leaving, podState('pay')], events: [] })[0]).toBe('false_alarm')
  })

  test('it does not know where nothing was read', () => {
    const [first] = diagnoseCluster(clusterState())
    expect(first).toMatchObject({ class: 'unknown', words: expect.stringContaining('Not seen: pods') })
  })
})

test.each([
  ['pay-7f9dd8b6c4-x7gr9', 'pay'],
  ['payments-api-7f9dd8b6c4-2hk8w', 'payments-api'],
  ['mysql-0', 'mysql-0'],
])('%s is of %s', (pod, app) => {
  expect(withoutHash(pod)).toBe(app)
})
