import { expect, it } from 'vitest'
import { clusterContentSchema } from '../../../agent/diagnosis/evidence-content.ts'
import { collectClusters } from '../../../agent/investigation/evidence/cluster.ts'
import { seenState } from '../../../agent/investigation/evidence/seen-state.ts'
import { type Scope, scopeOf } from '../../../agent/investigation/scope.ts'
import { IntegrationError } from '../../../integrations/errors.ts'
import type { ClusterState, Surroundings, WorkloadState } from '../../../integrations/ports/cluster-state.ts'
import { alert } from '../../support/alerts.ts'
import { clusterState, containerState, podState, RECORDED_AT, warning } from '../../support/cluster-states.ts'
import { inventoryOf } from '../../support/shop-inventory.ts'

const incident = {
  ...{ id: 'inc-1', title: '', service: 'payments', environment: 'shop', severity: 1 as const, severityReason: '' },
  ...{ state: 'open' as const, openedAt: RECORDED_AT, endedAt: null, drillRun: null },
}
const scope: Scope = scopeOf(incident, [alert({})], inventoryOf(), RECORDED_AT)
const SERVICES: ReadonlyMap<string, string> = new Map(['payments', 'checkout'].map((name) => [name, name]))

const workload = (name: string, said: Partial<WorkloadState> = {}): WorkloadState => ({
  ...{ kind: 'Deployment', name, labels: {}, selector: {}, desired: 3, ready: 3, available: 3, updated: 3, autoscaling: null },
  ...{ conditions: [], template: null, templateLabels: {}, createdAt: null, rolledOutAt: null },
  ...said,
})
const killed = {
  ...containerState('CrashLoopBackOff', 'back-off "5m0s"\nrestarting'),
  last: { ...containerState('OOMKilled').state, kind: 'terminated' as const, exitCode: 137 },
}

async function collected(known: Partial<ClusterState>, services = SERVICES) {
  const around = async (): Promise<Surroundings> => ({ query: 'the namespace shop', state: clusterState(known), services })
  const warnings: object[] = []
  const source = { id: 'kubernetes', clusterState: { around, read: async () => clusterState(known) } }
  const items = await collectClusters([source], scope, new AbortController().signal, { warn: (object) => warnings.push(object) })
  const parsed = clusterContentSchema.safeParse(items[0]?.content)
  return { items, content: parsed.success ? parsed.data : null, warnings }
}

it('stores what the rules find around a service with what they read it off, by the names that people know', async () => {
  const { items, content } = await collected(
    {
      pods: [podState('pay-v2', { workload: 'pay', containers: [killed] }), podState('checkout')],
      workloads: [workload('pay', { ready: 2 }), workload('checkout')],
      events: [],
    },
    new Map([
      ['pay', 'payments'],
      ['checkout', 'checkout'],
    ]),
  )
  expect(items).toMatchObject([{ kind: 'cluster', source: 'kubernetes', trust: 'platform', status: 'ok', query: 'the namespace shop' }])
  expect(items[0]?.summary).toMatch(/^1 of 2 pods of namespace shop are ready; pay-v2-\S+ is killed for using more memory/)
  expect(content).toMatchObject({
    pods: { living: 2, ready: 1 },
    unwell: [{ phase: 'Running', restarts: 5, states: ["CrashLoopBackOff: back-off '5m0s' restarting", 'OOMKilled, exit code 137'] }],
    findings: [{ class: 'oom_killed', component: 'service/payments', services: ['payments'] }],
    unread: ['services', 'nodes', 'claims', 'quotas'],
  })
  expect(content?.workloads[0]).toEqual({ service: 'payments', desired: 3, ready: 2 })
})

it('of a full quota those suffer that are short of pods', async () => {
  const { content } = await collected({
    workloads: [workload('payments', { ready: 1 }), workload('checkout')],
    events: [warning('FailedCreate', 'exceeded quota: cpu, requested: requests.cpu=1, used: requests.cpu=4, limited: requests.cpu=4')],
  })
  expect(content?.findings).toMatchObject([{ class: 'namespace_cpu_quota_exceeded', component: 'namespace/shop', services: ['payments'] }])
})

it('a cluster that refuses is an answer in words; one that does not run the service is none', async () => {
  const log = { warn: () => {} }
  const signal = new AbortController().signal
  const read = async () => clusterState()
  const refuse = async () => Promise.reject(new IntegrationError('kubernetes', 'permission', 'pods may not be listed'))
  const denied = await collectClusters([{ id: 'kubernetes', clusterState: { read, around: refuse } }], scope, signal, log)
  expect(denied).toMatchObject([{ kind: 'cluster', status: 'denied', summary: expect.stringContaining('pods may not be listed') }])
  expect(await collectClusters([{ id: 'kubernetes', clusterState: { read, around: async () => null } }], scope, signal, log)).toEqual([])
})

it('of a namespace shared with others only the own is read', () => {
  const state = clusterState({
    pods: [podState('payments'), podState('theirs', { containers: [killed] }), podState('nightly', { workload: 'nightly-job' })],
    workloads: [workload('payments'), workload('theirs')],
    events: [
      warning('BackOff', 'theirs', { object: { kind: 'Pod', name: podState('theirs').name } }),
      warning('FailedCreate', 'theirs', { object: { kind: 'ReplicaSet', name: 'theirs-7f9dd8b6c4' } }),
      warning('BackOff', 'own', { object: { kind: 'Pod', name: podState('payments').name } }),
      warning('FailedCreate', 'own', { object: { kind: 'ReplicaSet', name: 'payments-7f9dd8b6c4' } }),
      warning('NotReady', 'everybody', { object: { kind: 'Node', name: 'node-1' } }),
    ],
    services: [],
    claims: [],
  })
  const services = new Map([
    ['payments', 'payments'],
    ['theirs', 'theirs'],
  ])
  expect(seenState({ query: '', state, services }, new Set(['payments', 'theirs']))).toBe(state)
  const seen = seenState({ query: '', state, services }, new Set(['payments']))
  expect(seen.events?.map(({ message }) => message)).toEqual(['own', 'own', 'everybody'])
  expect([seen.services, seen.claims]).toEqual([null, null])
  expect(JSON.stringify(seen)).not.toMatch(/theirs|nightly/)
})
