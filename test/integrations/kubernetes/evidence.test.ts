import { afterEach, expect, test, vi } from 'vitest'
import type { Integration } from '../../../integrations/contract.ts'
import { createKubernetes } from '../../../integrations/kubernetes/index.ts'
import {
  DEPLOYMENTS,
  EVENTS,
  NAMESPACE,
  PODS,
  type ShopCluster,
  seedDeployment,
  startCluster,
  template,
  testDeps,
  VERIFICATION,
  writeKubeconfig,
} from '../../support/kubernetes/shop-cluster.ts'
import { until } from '../../support/live/until.ts'

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 })

let cluster: ShopCluster | null = null
afterEach(async () => {
  await cluster?.stop()
  cluster = null
})

const SECRET = 'correct-horse-battery-staple'

function portsOf({ integrations }: ShopCluster): Required<Pick<Integration, 'workloads' | 'changes' | 'clusterState' | 'logs'>> {
  const [first] = integrations
  if (!first?.workloads || !first.changes || !first.clusterState || !first.logs) throw new Error('a port is missing')
  return { workloads: first.workloads, changes: first.changes, clusterState: first.clusterState, logs: first.logs }
}

function seedPod(server: ShopCluster['server'], name: string, app: string, status: object, owner = `${app}-hash2`): void {
  const spec = (
    template(app, {
      image: `shop/${app}:v42`,
      env: [
        { name: 'DB_PASSWORD', value: SECRET },
        { name: 'DB_HOST', value: 'db.shop' },
        { name: 'DB_URL', value: `postgres://a:${SECRET}@db` },
      ],
    }) as { spec: object }
  ).spec
  server.apply(PODS, {
    metadata: {
      name,
      namespace: NAMESPACE,
      labels: { app, 'pod-template-hash': 'hash2' },
      ownerReferences: [{ kind: 'ReplicaSet', name: owner, uid: 'x', controller: true }],
    },
    spec,
    status,
  })
}

function shop(server: ShopCluster['server']): void {
  seedDeployment(server, 'payments', [
    { image: 'shop/payments:v41' },
    { image: 'shop/payments:v42', env: [{ name: 'RATE', value: SECRET }] },
  ])
  seedPod(server, 'payments-hash2-abcde', 'payments', {
    phase: 'Running',
    startTime: '2026-01-01T10:00:00Z',
    containerStatuses: [
      {
        name: 'app',
        image: 'shop/payments:v42',
        ready: false,
        restartCount: 4,
        state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 40s' } },
        lastState: { terminated: { reason: 'OOMKilled', exitCode: 137, finishedAt: '2026-01-01T10:05:00Z' } },
      },
    ],
  })
  server.apply(EVENTS, {
    metadata: { name: 'event-1', namespace: NAMESPACE },
    type: 'Warning',
    reason: 'FailedScheduling',
    message: '0/3 nodes are available: 3 Insufficient cpu.',
    involvedObject: { kind: 'Pod', name: 'payments-hash2-abcde' },
    lastTimestamp: '2026-01-01T10:06:00Z',
    count: 3,
  })
}

test('tells a service by its deployment: versions, replicas, restarts, and why its pods do not run', async () => {
  cluster = await startCluster(shop)
  const found = await portsOf(cluster).workloads.find('payments')
  expect(found?.workload).toMatchObject({
    service: 'payments',
    environment: 'production',
    version: 'v42',
    previousVersion: 'v41',
    desiredReplicas: 3,
    restarts: 4,
  })
  const texts = found?.workload.events.map(({ text }) => text).join('\n') ?? ''
  expect(texts).toContain('FailedScheduling: 0/3 nodes are available')
  expect(texts).toContain('CrashLoopBackOff')
  expect(texts).toContain('OOMKilled, exit code 137')
  expect(await portsOf(cluster).workloads.find('nobody')).toBeNull()
})

test('what pods are in now is not crowded out by what goes as usual, nor are warnings', async () => {
  cluster = await startCluster((server) => {
    shop(server)
    for (const number of Array.from({ length: 40 }, (_, index) => index))
      server.apply(EVENTS, {
        metadata: { name: `usual-${number}`, namespace: NAMESPACE },
        type: 'Normal',
        reason: 'ScalingReplicaSet',
        message: `Scaled up replica set payments-hash2 to ${number}`,
        involvedObject: { kind: 'Deployment', name: 'payments' },
        lastTimestamp: new Date().toISOString(),
      })
  })
  const { workload } = (await portsOf(cluster).workloads.find('payments')) ?? {}
  const texts = workload?.events.map(({ text }) => text) ?? []
  expect(texts).toHaveLength(20)
  expect(texts.join('\n')).toMatch(/ScalingReplicaSet[\s\S]*FailedScheduling[\s\S]*OOMKilled, exit code 137/)
})

test('tells what was rolled out, with what differs, and never a value', async () => {
  cluster = await startCluster(shop)
  const { changes } = await portsOf(cluster).changes.list({ services: ['payments'], from: new Date(0), to: new Date(Date.now() + 60_000) })
  expect(changes).toHaveLength(1)
  expect(changes[0]).toMatchObject({ kind: 'release', service: 'payments', from: 'v41', to: 'v42' })
  expect(changes[0]?.summary).toContain('shop/payments:v41 → shop/payments:v42')
  expect(changes[0]?.summary).toContain('environment of app: RATE')
  expect(JSON.stringify(changes)).not.toContain(SECRET)
})

test('fills the state of a namespace, with names in place of secret values', async () => {
  cluster = await startCluster((server) => {
    shop(server)
    server.apply('/api/v1/nodes', {
      metadata: { name: 'node-0' },
      spec: { unschedulable: true },
      status: { allocatable: { cpu: '1500m', memory: '4Gi' }, conditions: [{ type: 'Ready', status: 'True' }] },
    })
    server.apply(`/api/v1/namespaces/${NAMESPACE}/configmaps`, { metadata: { name: 'rates', namespace: NAMESPACE }, data: { key: SECRET } })
  })
  const { clusterState } = portsOf(cluster)
  const state = await until(
    'everything was read',
    async () => {
      const read = await clusterState.read({ namespace: NAMESPACE })
      return read.nodes && read.configMaps && read.events ? read : null
    },
    90,
  )
  expect(state.pods?.[0]).toMatchObject({
    workload: 'payments',
    containers: [{ restarts: 4, state: { kind: 'waiting', reason: 'CrashLoopBackOff' } }],
  })
  expect(state.pods?.[0]?.spec?.containers[0]?.env).toEqual([
    { name: 'DB_PASSWORD', value: null, from: null },
    { name: 'DB_HOST', value: 'db.shop', from: null },
    { name: 'DB_URL', value: null, from: null },
  ])
  expect(state.pods?.[0]?.spec?.containers[0]?.requests).toEqual({ cpu: 0.25, memory: 128 * 2 ** 20 })
  expect(state.nodes?.[0]).toMatchObject({ name: 'node-0', unschedulable: true, allocatable: { cpu: 1.5, memory: 4 * 2 ** 30 } })
  expect(state.configMaps).toEqual([{ name: 'rates', keys: null }])
  expect(state.secrets).toBeNull()
  const around = await clusterState.around({ service: 'payments' })
  expect(around).toMatchObject({ query: expect.stringContaining(`namespace ${NAMESPACE}`), state: { namespace: NAMESPACE } })
  expect([...(around?.services ?? [])]).toEqual([['payments', 'payments']])
  expect(await clusterState.around({ service: 'nobody' })).toBeNull()
  const sent = JSON.stringify(cluster.server.seen.map(({ path }) => path))
  expect(sent).not.toContain('/secrets')
  expect(JSON.stringify(state).split(SECRET)).toHaveLength(1)
})

test('a watch that expired begins anew, and one that broke goes on', async () => {
  cluster = await startCluster(shop)
  const { server } = cluster
  const { workloads } = portsOf(cluster)
  const imageSeen = (version: string) => until(version, async () => (await workloads.find('payments'))?.workload.version === version, 90)
  const release = (version: string) =>
    server.change(`${DEPLOYMENTS}/payments`, (object) => {
      const spec = object['spec'] as { template: unknown }
      spec.template = template('payments', { image: `shop/payments:${version}` })
    })
  await workloads.find('payments')
  server.expireWatches()
  release('v43')
  await imageSeen('v43')
  server.dropWatches()
  release('v44')
  await imageSeen('v44')
  server.delete(`${DEPLOYMENTS}/payments`)
  await until('the deployment is gone', async () => (await workloads.find('payments')) === null, 90)
})

test('what is forbidden is unknown, not absent; without deployments there is a refusal in words', async () => {
  cluster = await startCluster((server) => {
    shop(server)
    server.refused.add('list nodes')
    server.refused.add('list pods')
  })
  const { clusterState, workloads } = portsOf(cluster)
  const state = await clusterState.read({ namespace: NAMESPACE })
  expect(state.nodes).toBeNull()
  expect(state.pods).toBeNull()
  expect((await workloads.list()).map(({ service }) => service)).toEqual(['payments'])
  await cluster.stop()
  cluster = await startCluster((server) => server.refused.add('list deployments'))
  await expect(portsOf(cluster).workloads.list()).rejects.toMatchObject({
    code: 'permission',
    message: expect.stringContaining('cannot list'),
  })
})

test('two workloads of one name are told apart by namespace', async () => {
  cluster = await startCluster(
    (server) => {
      seedDeployment(server, 'payments', [{ image: 'a:v1' }])
      seedDeployment(server, 'payments', [{ image: 'a:v2' }], { namespace: 'billing' })
      seedDeployment(server, 'checkout', [{ image: 'a:v3' }])
    },
    { namespaces: [NAMESPACE, 'billing'] },
  )
  const { workloads } = portsOf(cluster)
  expect((await workloads.list()).map(({ service }) => service).sort()).toEqual(['checkout', 'payments.billing', 'payments.shop'])
  expect(await workloads.find('payments')).toBeNull()
})

test('a list gives every workload its own pods and revisions, as asking for each alone does', async () => {
  const running = (restartCount: number) => ({ phase: 'Running', containerStatuses: [{ name: 'app', image: 'a:v1', restartCount }] })
  cluster = await startCluster(
    (server) => {
      shop(server)
      seedDeployment(server, 'checkout', [{ image: 'a:v1' }, { image: 'a:v2' }, { image: 'a:v3' }])
      seedDeployment(server, 'quiet', [{ image: 'a:v1' }])
      seedDeployment(server, 'checkout', [{ image: 'a:v8' }, { image: 'a:v9' }], { namespace: 'billing' })
      for (const number of [1, 2, 3]) seedPod(server, `checkout-hash3-${number}`, 'checkout', running(number))
    },
    { namespaces: [NAMESPACE, 'billing'] },
  )
  const { workloads } = portsOf(cluster)
  const listed = await workloads.list()
  expect(listed.map(({ service, restarts, previousVersion }) => [service, restarts, previousVersion]).sort()).toEqual([
    ['checkout.billing', 0, 'v8'],
    ['checkout.shop', 6, 'v2'],
    ['payments', 4, 'v41'],
    ['quiet', 0, null],
  ])
  for (const each of listed) expect({ ...(await workloads.find(each.service))?.workload, events: [] }).toEqual(each)
})

test('reads a list in pages, and hostile names as data', async () => {
  const hostile = '<!channel> `rm -rf /`\u202e'
  cluster = await startCluster((server) => {
    server.pageSize = 2
    for (const number of [1, 2, 3, 4, 5]) seedDeployment(server, `service-${number}`, [{ image: 'a:v1' }])
    server.apply(DEPLOYMENTS, { metadata: { name: 'broken', namespace: NAMESPACE, labels: { hostile } }, spec: 'nothing of the kind' })
  })
  const { workloads } = portsOf(cluster)
  expect((await workloads.list()).map(({ service }) => service).sort()).toEqual([1, 2, 3, 4, 5].map((number) => `service-${number}`))
})

test('logs come from running and ended containers, the ended ones where there were restarts', async () => {
  cluster = await startCluster((server) => {
    shop(server)
    server.logs.set('payments-hash2-abcde/app', '2026-01-01T10:05:30.000000001Z level=info msg=hello\n')
    server.logs.set('payments-hash2-abcde/app/previous', '2026-01-01T10:04:59Z ERROR out of memory\nnot a line of a log\n')
  })
  const window = { from: new Date('2026-01-01T10:00:00Z'), to: new Date('2026-01-01T11:00:00Z'), limit: 100 }
  const { logs } = portsOf(cluster)
  const read = await logs.read({ service: 'payments', ...window })
  expect(read.lines.map(({ text, level, instance }) => ({ text, level, instance }))).toEqual([
    { text: 'ERROR out of memory', level: 'error', instance: 'payments-hash2-abcde' },
    { text: 'level=info msg=hello', level: 'info', instance: 'payments-hash2-abcde' },
  ])
  expect((await logs.read({ service: 'payments', ...window, level: 'error' })).lines).toHaveLength(1)
})

test('of long logs the newest lines are read and told of as the end alone, however long each line is', async () => {
  const line = (second: number): string =>
    `2026-01-01T10:${String(Math.floor(second / 60)).padStart(2, '0')}:${String(second % 60).padStart(2, '0')}Z n=${second} ${'x'.repeat(2_000)}`
  cluster = await startCluster((server) => {
    shop(server)
    server.logs.set('payments-hash2-abcde/app', `${Array.from({ length: 1_000 }, (_, second) => line(second)).join('\n')}\n`)
  })
  const { logs } = portsOf(cluster)
  const window = { from: new Date('2026-01-01T10:00:00Z'), to: new Date('2026-01-01T11:00:00Z') }
  const { lines, unread } = await logs.read({ service: 'payments', ...window, limit: 500, keep: 'newest' })
  expect(lines.at(-1)?.text).toContain('n=999 ')
  expect(unread?.before).toEqual(lines[0]?.at)
  const few = await logs.read({ service: 'payments', ...window, limit: 2, keep: 'newest' })
  expect(few.lines.map(({ text }) => text.slice(0, 5))).toEqual(['n=998', 'n=999'])
})

test('doctor names the rule that is missing', async () => {
  cluster = await startCluster((server) => {
    shop(server)
    server.refused.add('patch deployments')
    server.refused.add('list nodes')
    server.refused.add('watch nodes')
  })
  const [result] = await (cluster.integrations[0]?.check() ?? [])
  expect(result).toMatchObject({ status: 'warning' })
  expect(result?.fix).toContain('Role in shop: {"apiGroups":["apps"],"resources":["deployments"],"verbs":["patch"')
  expect(result?.fix).toContain('ClusterRole: {"apiGroups":[""],"resources":["nodes"],"verbs":["list","watch"]}')
})

test('doctor asks for rights to change in the name of the group, and for rights to read in its own', async () => {
  cluster = await startCluster(shop, { impersonateGroup: 'oncall-approvers' })
  expect(await (cluster.integrations[0]?.check() ?? [])).toMatchObject([{ status: 'ok' }])
  const reviews = cluster.server.seen.filter(({ path }) => path.endsWith('/selfsubjectaccessreviews'))
  const asked = reviews.map(({ body, headers }) => {
    const { spec } = body as { spec: { resourceAttributes: { verb: string } } }
    return `${spec.resourceAttributes.verb} as ${String(headers['impersonate-group'] ?? 'itself')}`
  })
  expect([...new Set(asked)].sort()).toEqual(['get as itself', 'list as itself', 'patch as oncall-approvers', 'watch as itself'])
})

test.each([
  ['a file that is not there', '/nowhere/config', null, 'cannot be read'],
  ['a context that is not in it', null, 'elsewhere', 'no context elsewhere; it has test'],
])('%s is said by whatever is asked, and by doctor', async (_, path, context, words) => {
  const written = writeKubeconfig('http://127.0.0.1:9')
  const environment = {
    name: 'production',
    context,
    namespaces: [NAMESPACE],
    actions: [],
    argocdNamespace: null,
    impersonateGroup: null,
    podLogs: false,
    verification: VERIFICATION,
  }
  const [reading] = createKubernetes(testDeps(), { kubeconfig: path ?? written.path, environments: [environment] })
  written.remove()
  if (!reading?.workloads) throw new Error('nothing to ask')
  await reading.start()
  await expect(reading.workloads.list()).rejects.toMatchObject({ code: 'auth', message: expect.stringContaining(words) })
  expect(await reading.check()).toMatchObject([{ status: 'failed', words: expect.stringContaining(words) }])
  await reading.stop()
})
