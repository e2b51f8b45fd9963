import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import type { DryRun, Parameters } from '../../../integrations/ports/action.ts'
import type { Manifest } from '../../support/kubernetes/api-server.ts'
import { AUTOMATED, resetArgoShop, SHOP_APPLICATION, shop, sourceOf, startArgoShop, THIRD } from '../../support/kubernetes/argocd-shop.ts'
import { actionIn, payments } from '../../support/kubernetes/narrow-shop.ts'
import { DEPLOYMENTS, type ShopCluster } from '../../support/kubernetes/shop-cluster.ts'
import { until } from '../../support/live/until.ts'

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 })

const WITHIN_SECONDS = 90

let cluster: ShopCluster
beforeAll(async () => {
  cluster = await startArgoShop(['scale', 'restart', 'rollback', 'pause', 'set-resources'])
})
afterAll(async () => await cluster.stop())
beforeEach(async () => await resetArgoShop(cluster))

async function tried(verb: string, parameters: Parameters, where = payments): Promise<DryRun> {
  const action = actionIn(cluster, verb)
  const observation = await action.observe(where)
  if (!observation) throw new Error('nothing to see')
  const { target, preconditions } = observation
  return await action.dryRun({ planId: 'plan', target, preconditions, parameters })
}

/** What the card of another number of pods says once the application is as `edit` leaves it. */
async function mind(edit: (object: Manifest) => void, wanted: RegExp): Promise<readonly string[]> {
  cluster.server.change(SHOP_APPLICATION, edit)
  return await until(
    String(wanted),
    async () => {
      const { cautions = [] } = await tried('scale', { replicas: 4 })
      return cautions.some((words) => wanted.test(words)) ? cautions : null
    },
    WITHIN_SECONDS,
  )
}

const sync = (automated: object | undefined) => (object: Manifest) => Object.assign(object['spec'] as object, { syncPolicy: { automated } })

test('a change past the repository is told what becomes of it, and what to ask for in its place', async () => {
  const { downtime } = await tried('scale', { replicas: 4 })
  expect(downtime).toContain('Argo CD (application shop) owns it and puts it back to what its repository says')
  expect(await mind(sync(undefined), /does not sync/)).toEqual([
    'Application shop does not sync by itself: this stays until somebody syncs it. Its own way back: do argo-rollback shop.',
  ])
  expect(await mind(sync(AUTOMATED), /within seconds/)).toEqual([
    'Application shop syncs by itself and puts this back within seconds. Pause that first: do argo-pause shop. Its own way back is then: do argo-rollback shop.',
  ])
  expect(await mind(sync({ prune: true }), /next commit/)).toHaveLength(1)
})

test('where its repository can be changed from here, that is named as what stays', async () => {
  const source = { ...sourceOf('v43'), repoURL: 'git@git.example.com:values.git' }
  const said = await mind((object) => Object.assign(object['spec'] as object, { source }), /What stays/)
  expect(said.at(-1)).toBe('What stays is a change of its repository, as a pull request: do change-value payments file=FILE.')
})

test('a sync that runs is somebody who is already on it', async () => {
  const operation = { sync: { revision: THIRD }, initiatedBy: { username: 'anna' } }
  const state = { phase: 'Running', startedAt: '2026-03-01T10:41:00Z', operation }
  const said = await mind((object) => Object.assign(object['status'] as object, { operationState: state }), /already on it/)
  expect(said).toHaveLength(2)
  expect(said[0]).toBe('Somebody is already on it: Argo CD syncs to 33333333 since 10:41 UTC (anna), application shop.')
  for (const [verb, parameters] of [
    ['restart', {}],
    ['pause', { paused: true }],
    ['set-resources', { container: 'app', memoryRequest: null, memoryLimit: '300Mi', cpuRequest: null, cpuLimit: null }],
  ] as const)
    expect((await tried(verb, parameters)).cautions).toContain(said[0])
})

test('what it leaves as it is needs no other way', async () => {
  cluster.server.change(`${DEPLOYMENTS}/payments`, ({ metadata }) => {
    metadata['managedFields'] = [
      { manager: 'argocd-controller', operation: 'Apply', fieldsV1: { 'f:spec': { 'f:template': { 'f:spec': {} } } } },
    ]
  })
  const { downtime, cautions } = await tried('scale', { replicas: 4 })
  expect(downtime).toContain('Argo CD (application shop) owns it and leaves this as it is')
  expect(cautions).toEqual([])
})

test('what belongs to no application is told of none', async () => {
  const { downtime, cautions } = await tried('scale', { replicas: 4 }, { environment: 'production', name: 'orders' })
  expect(downtime).toBe('none')
  expect(cautions).toEqual([])
})

test('an application that others keep is told of them: an application of applications, and a set', async () => {
  cluster.server.change(SHOP_APPLICATION, (object) => {
    sync(AUTOMATED)(object)
    Object.assign(object.metadata, {
      annotations: { 'argocd.argoproj.io/tracking-id': 'root:argoproj.io/Application:argocd/shop' },
      ownerReferences: [{ kind: 'ApplicationSet', name: 'teams', uid: 'x', controller: true }],
    })
  })
  const { downtime } = await tried('argo-pause', { autoSync: 'off' }, shop)
  expect(downtime).toContain('Argo CD (application root) owns it and puts it back')
  expect(downtime).toContain('ApplicationSet teams made it and may put this back')
})
