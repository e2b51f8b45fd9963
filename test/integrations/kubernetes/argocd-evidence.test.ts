import { afterEach, expect, test, vi } from 'vitest'
import {
  APPLICATIONS,
  ARGOCD,
  applicationOf,
  deployed,
  FIRST,
  SHOP_APPLICATION,
  seedArgoShop,
  THIRD,
} from '../../support/kubernetes/argocd-shop.ts'
import { type ShopCluster, startCluster } from '../../support/kubernetes/shop-cluster.ts'
import { until } from '../../support/live/until.ts'

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 })

const WITHIN_SECONDS = 90
const EVER = { from: new Date(0), to: new Date('2100-01-01') }

let cluster: ShopCluster | null = null
afterEach(async () => {
  await cluster?.stop()
  cluster = null
})

async function start(seed: (server: ShopCluster['server']) => void = () => {}): Promise<ShopCluster> {
  cluster = await startCluster(
    (server) => {
      seedArgoShop(server)
      seed(server)
    },
    { argocdNamespace: ARGOCD },
  )
  return cluster
}

async function keepersOf({ integrations }: ShopCluster, service: string): Promise<readonly string[]> {
  const found = await integrations[0]?.workloads?.find(service)
  // How a service ends is told by its events: a commit, or a message of whoever syncs, is no part of that.
  expect(JSON.stringify(found?.workload.events)).not.toContain('Argo CD')
  return found?.workload.keepers ?? []
}

async function deploymentsOf({ integrations }: ShopCluster, services: readonly string[] | 'all') {
  const told = await integrations[0]?.changes?.list({ services, ...EVER })
  return told?.changes.filter(({ summary }) => summary.startsWith('Argo CD')) ?? []
}

test('a service is told with the application that manages it, and no other service is', async () => {
  const started = await start()
  expect(await keepersOf(started, 'payments')).toEqual(['Argo CD application shop: OutOfSync at 33333333, Degraded; auto-sync is off'])
  expect(await keepersOf(started, 'orders')).toEqual([])
})

test('a sync that runs is told with who began it and when, one that is asked for too, and one that failed with its words', async () => {
  const operation = { sync: { revision: THIRD }, initiatedBy: { username: 'anna' } }
  const state = { phase: 'Running', message: 'waiting for healthy state', startedAt: '2026-03-01T10:41:00Z', operation }
  const started = await start((server) => server.apply(APPLICATIONS, applicationOf({}, { operationState: state })))
  expect((await keepersOf(started, 'payments'))[0]).toBe(
    'Argo CD application shop: syncs to 33333333 since 10:41 UTC (anna): waiting for healthy state',
  )
  const failed = { ...state, phase: 'Failed', message: 'one or more objects failed to apply', finishedAt: '2026-03-01T10:42:00Z' }
  started.server.apply(APPLICATIONS, { ...applicationOf({}, { operationState: failed }), operation })
  const told = await until(
    'the failure is seen',
    async () => {
      const lines = await keepersOf(started, 'payments')
      return lines.some((text) => text.includes('Failed')) ? lines : null
    },
    WITHIN_SECONDS,
  )
  expect(told).toContain('Argo CD application shop: the last sync ended as Failed: one or more objects failed to apply')
  expect(told).toContain('Argo CD application shop: syncs to 33333333 (anna)')
})

test('what Argo CD deployed is among the changes, by whom and after what', async () => {
  const started = await start((server) =>
    server.apply(
      APPLICATIONS,
      applicationOf(
        { source: { repoURL: 'https://bot:correct-horse@git.example.com/shop.git', targetRevision: 'main' } },
        { history: [...(applicationOf()['status'] as { history: object[] }).history, deployed(5, FIRST, 'v41', '2026-03-01T10:35:00Z')] },
      ),
    ),
  )
  const changes = await deploymentsOf(started, ['payments'])
  expect(changes.map(({ at, kind, service, by, from, to }) => [at.toISOString(), kind, service, by, from, to])).toEqual([
    ['2026-03-01T10:35:00.000Z', 'other', 'payments', 'anna', '22222222', '11111111'],
    ['2026-03-01T10:30:00.000Z', 'other', 'payments', 'anna', '11111111', '22222222'],
    ['2026-03-01T09:00:00.000Z', 'other', 'payments', 'anna', null, '11111111'],
  ])
  expect(changes[0]?.summary).toBe(
    'Argo CD went back to 11111111 of application shop from https://git.example.com/shop.git, after 22222222',
  )
  expect(new Set(changes.map(({ id }) => id)).size).toBe(changes.length)
  expect(await deploymentsOf(started, 'all')).toHaveLength(changes.length)
  expect(await deploymentsOf(started, ['orders'])).toEqual([])
})

test('an application that deploys into another cluster manages nothing here', async () => {
  const started = await start((server) =>
    server.apply(APPLICATIONS, applicationOf({ destination: { server: 'https://other.example.com', namespace: 'shop' } })),
  )
  expect(await keepersOf(started, 'payments')).toEqual([])
  expect(await deploymentsOf(started, 'all')).toEqual([])
})

test.each([
  ['is not there', (server: ShopCluster['server']) => server.unheardOf.add('applications'), /knows no applications of Argo CD/],
  ['may not be read', (server: ShopCluster['server']) => server.refused.add('list applications'), /may not be read/],
])('where Argo CD %s all else is told as before, and doctor says so', async (_, spoil, words) => {
  const started = await start((server) => {
    if (spoil(server).has('applications')) server.delete(SHOP_APPLICATION)
  })
  const [reading] = started.integrations
  expect((await reading?.workloads?.find('payments'))?.workload).toMatchObject({ version: 'v42', desiredReplicas: 3 })
  expect(await reading?.changes?.list({ services: ['payments'], ...EVER })).toMatchObject({ query: expect.not.stringContaining('Argo CD') })
  expect(await keepersOf(started, 'payments')).toEqual([])
  const checks = (await reading?.check()) ?? []
  expect(checks.find(({ name }) => name === 'kubernetes/production/argocd')).toMatchObject({
    status: 'warning',
    words: expect.stringMatching(words),
    fix: expect.stringContaining('argocdNamespace'),
  })
})

test('without a namespace of Argo CD nothing is asked about it', async () => {
  cluster = await startCluster(seedArgoShop)
  expect(await keepersOf(cluster, 'payments')).toEqual([])
  expect(await cluster.integrations[0]?.check()).toHaveLength(1)
  expect(cluster.server.seen.filter(({ path }) => path.includes('argoproj'))).toEqual([])
})
