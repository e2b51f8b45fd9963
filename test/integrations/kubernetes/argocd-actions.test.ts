import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { successContractSchema } from '../../../agent/domain/plan.ts'
import type { Action, EffectResult, Parameters, Step } from '../../../integrations/ports/action.ts'
import { aHypothesis } from '../../support/builders.ts'
import type { Manifest } from '../../support/kubernetes/api-server.ts'
import {
  APPLICATIONS,
  AUTOMATED,
  applicationOf,
  deployed,
  FIRST,
  PROJECTS,
  playOperation,
  resetArgoShop,
  SECOND,
  SHOP_APPLICATION,
  shop,
  startArgoShop,
  THIRD,
} from '../../support/kubernetes/argocd-shop.ts'
import { actionIn } from '../../support/kubernetes/narrow-shop.ts'
import type { ShopCluster } from '../../support/kubernetes/shop-cluster.ts'
import { until } from '../../support/live/until.ts'

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 })

const never = new AbortController().signal

let cluster: ShopCluster
beforeAll(async () => {
  cluster = await startArgoShop()
})
afterAll(async () => await cluster.stop())
beforeEach(async () => await resetArgoShop(cluster))

const actionOf = (verb: string): Action => actionIn(cluster, verb)
const words = (result: EffectResult): string => (result.result === 'refused' ? `${result.reason}: ${result.words}` : result.result)
const change = (edit: (object: Manifest) => void): unknown => cluster.server.change(SHOP_APPLICATION, edit)
const application = (): Manifest => cluster.server.object(SHOP_APPLICATION) as Manifest
const specOf = (object: Manifest): Record<string, unknown> => object['spec'] as Record<string, unknown>
const statusOf = (object: Manifest): Record<string, unknown> => object['status'] as Record<string, unknown>

async function stepOf(verb: string, parameters: Parameters) {
  const action = actionOf(verb)
  const observation = await action.observe(shop)
  if (!observation) throw new Error('nothing to see')
  const { target, preconditions } = observation
  const step: Step = { planId: 'plan', target, parameters: action.definition.parameters.parse(parameters), preconditions }
  return { action, step, observation }
}

/** What the action says when it is carried out now: the same as when it is tried. */
async function objection(verb: string, parameters: Parameters): Promise<string> {
  const { action, step } = await stepOf(verb, parameters)
  const said = words(await action.effect(step, 'execution-1', never))
  await expect(action.dryRun(step)).rejects.toMatchObject({ code: 'refused', message: expect.stringContaining(said.replace(/^\w+: /, '')) })
  expect(cluster.server.effects).toEqual([])
  return said
}

function autoSync(automated: object = AUTOMATED): void {
  change((object) => Object.assign(specOf(object), { syncPolicy: { automated, syncOptions: ['CreateNamespace=true'] } }))
}

const CASES: Readonly<Record<string, { parameters: Parameters; prepare?: () => void }>> = {
  'argo-pause': { parameters: { autoSync: 'off' }, prepare: autoSync },
  'argo-sync': { parameters: { revision: THIRD } },
  'argo-rollback': { parameters: { id: 3 } },
}
const all = Object.entries(CASES)

test.each(all)(
  '%s: a dry run that changes nothing, one effect with a mark, a probe that finds it',
  async (verb, { parameters, prepare }) => {
    prepare?.()
    const before = JSON.stringify(application())
    const { action, step, observation } = await stepOf(verb, parameters)
    const { changes, downtime } = await action.dryRun(step)
    expect(changes.length).toBeGreaterThan(0)
    expect(downtime).toMatch(/^none/)
    expect(JSON.stringify(application())).toBe(before)
    expect(successContractSchema.safeParse(action.success(step, observation)).success).toBe(true)
    expect(await action.probe(step, 'execution-1', never)).toBe('not-applied')
    expect(await action.effect(step, 'execution-1', never)).toEqual({ result: 'applied' })
    expect(await action.effect(step, 'execution-1', never)).toEqual({ result: 'applied' })
    expect(cluster.server.effects).toHaveLength(1)
    expect(cluster.server.effects[0]).toMatchObject({ path: SHOP_APPLICATION, query: { fieldManager: 'steadyhand' } })
    expect(await action.probe(step, 'execution-1', never)).toBe('applied')
    expect(await action.probe(step, 'execution-2', never)).toBe('not-applied')
  },
)

test('pauses automated sync and leaves the rest as it is; the undo puts it back byte for byte', async () => {
  autoSync()
  const before = JSON.stringify(application()['spec'])
  const { action, step, observation } = await stepOf('argo-pause', { autoSync: 'off' })
  expect((await action.dryRun(step)).changes).toEqual([{ field: 'autoSync', from: JSON.stringify(AUTOMATED), to: 'off' }])
  expect(action.success(step, observation)).toMatchObject({ heals: false, state: [{ field: 'autoSync', equals: 'off' }] })
  await action.effect(step, 'execution-1', never)
  expect(specOf(application())['syncPolicy']).toEqual({ syncOptions: ['CreateNamespace=true'] })
  const undo = action.undo(step, observation)
  if (!undo) throw new Error('there is no way back')
  const back = { ...step, ...undo }
  expect((await action.dryRun(back)).changes).toEqual([{ field: 'autoSync', from: 'off', to: JSON.stringify(AUTOMATED) }])
  expect(await action.effect(back, 'execution-2', never)).toEqual({ result: 'applied' })
  const { syncPolicy, ...rest } = specOf(application()) as { syncPolicy: Record<string, unknown> }
  const { automated, ...others } = syncPolicy
  expect(JSON.stringify(automated)).toBe(JSON.stringify(AUTOMATED))
  expect({ ...rest, syncPolicy: { ...others, automated } }).toEqual(JSON.parse(before))
  expect(await action.readState(step.target, ['autoSync'])).toEqual({ autoSync: JSON.stringify(AUTOMATED) })
  // Only what was captured is put back: nobody may ask for it by name.
  expect(action.definition.parameters.safeParse(undo.parameters).success).toBe(false)
})

test('a pause is undone where the policy is gone altogether, and not where somebody set it meanwhile', async () => {
  autoSync()
  const { action, step, observation } = await stepOf('argo-pause', { autoSync: 'off' })
  await action.effect(step, 'execution-1', never)
  const back = { ...step, ...action.undo(step, observation) } as Step
  autoSync({ enabled: false })
  expect(words(await action.effect(back, 'execution-2', never))).toContain('somebody set its automated sync meanwhile')
  change((object) => Reflect.deleteProperty(specOf(object), 'syncPolicy'))
  expect(await action.effect(back, 'execution-2', never)).toEqual({ result: 'applied' })
  expect(specOf(application())['syncPolicy']).toEqual({ automated: AUTOMATED })
})

test.each([
  ['nothing syncs it', {}],
  ['its automated sync is disabled', { syncPolicy: { automated: { enabled: false, prune: true } } }],
])('nothing is paused where %s', async (_, spec) => {
  change((object) => Object.assign(specOf(object), spec))
  expect(await objection('argo-pause', { autoSync: 'off' })).toBe('invalid: it does not sync by itself as it is')
})

test('a rollback shows both deployments without their secrets, and asks for the source that the history kept', async () => {
  const { action, step, observation } = await stepOf('argo-rollback', { id: 3 })
  const { changes, cautions } = await action.dryRun(step)
  expect(changes).toEqual([
    { field: 'revision', from: SECOND, to: FIRST },
    { field: 'kustomize.images[0]', from: 'shop/payments:v42', to: 'shop/payments:v41' },
  ])
  expect(cautions).toEqual(['The repository still says 33333333: the next sync, or automated sync turned on, brings that back.'])
  await action.effect(step, 'execution-1', never)
  expect(application()['operation']).toEqual({
    initiatedBy: { username: 'steadyhand' },
    info: [{ name: 'steadyhand.dev/execution', value: 'execution-1' }],
    sync: {
      revision: FIRST,
      syncStrategy: { apply: {} },
      source: (statusOf(applicationOf())['history'] as { source: object }[])[0]?.source,
    },
  })
  const { state } = action.success(step, observation)
  expect(state).toEqual([
    { field: 'operation', equals: 'Succeeded' },
    { field: 'deployment', equals: 5 },
    { field: 'health', equals: 'Healthy' },
  ])
  const read = async () =>
    await action.readState(
      step.target,
      state.map(({ field }) => field),
    )
  expect(await read()).toEqual({ operation: 'running', deployment: 4, health: 'Degraded' })
  playOperation(cluster.server)
  expect(await read()).toEqual(Object.fromEntries(state.map(({ field, equals }) => [field, equals])))
  expect(await action.probe(step, 'execution-1', never)).toBe('applied')

  const undo = action.undo(step, observation)
  if (!undo) throw new Error('there is no way back')
  const back = { ...step, ...undo }
  expect((await action.dryRun(back)).changes).toEqual(changes.map(({ field, from, to }) => ({ field, from: to, to: from })))
  expect(await action.effect(back, 'execution-2', never)).toEqual({ result: 'applied' })
  playOperation(cluster.server)
  expect(await action.readState(step.target, ['deployment', 'deployed', 'operation'])).toEqual({
    ...{ deployment: 6, deployed: SECOND, operation: 'Succeeded' },
  })
})

test('the operation names the execution too, so that it is found where somebody took the mark off', async () => {
  const { action, step } = await stepOf('argo-rollback', { id: 3 })
  await action.effect(step, 'execution-1', never)
  change(({ metadata }) => Reflect.deleteProperty(metadata, 'annotations'))
  expect(await action.probe(step, 'execution-1', never)).toBe('applied')
  playOperation(cluster.server)
  expect(await action.probe(step, 'execution-1', never)).toBe('applied')
  cluster.server.delete(SHOP_APPLICATION)
  expect(await action.probe(step, 'execution-1', never)).toBe('unknown')
})

test('values of charts, plugins and patches are not shown, only that they differ', async () => {
  change((object) => {
    const [first] = statusOf(object)['history'] as { source: Record<string, unknown> }[]
    Object.assign(first?.source ?? {}, {
      repoURL: 'https://bot:correct-horse@git.example.com/shop.git',
      helm: { parameters: [{ name: 'password', value: 'battery-staple' }], values: 'token: battery-staple' },
    })
  })
  const { action, step } = await stepOf('argo-rollback', { id: 3 })
  const { changes } = await action.dryRun(step)
  expect(changes.map(({ field }) => field)).toContain('helm.parameters[password].value')
  expect(JSON.stringify(changes)).not.toMatch(/correct-horse|battery-staple/)
})

test('a rollback is refused while automated sync is on, and names the pause as the first step', async () => {
  autoSync()
  expect(await objection('argo-rollback', { id: 3 })).toBe(
    'invalid: its auto-sync is on, and would put it forward again: pause that first (do argo-pause shop)',
  )
})

test('a rollback to what the history does not keep is refused', async () => {
  expect(await objection('argo-rollback', { id: 9 })).toBe('invalid: its history does not keep deployment 9 any more')
  expect(await objection('argo-rollback', { id: 0 })).toContain('does not keep deployment 0')
})

test('a sync shows what is out of step, goes to the revision that is compared with, and leaves what would be pruned', async () => {
  change((object) => Object.assign(specOf(object), { syncPolicy: { syncOptions: ['ServerSideApply=true'] } }))
  const { action, step, observation } = await stepOf('argo-sync', { revision: THIRD })
  const { changes, downtime, cautions } = await action.dryRun(step)
  expect(changes).toEqual([
    { field: 'revision', from: SECOND, to: THIRD },
    { field: 'Deployment shop/payments', from: 'out of step', to: 'as the repository says' },
  ])
  expect(downtime).toContain('nothing is pruned; 1 that the repository does not have any more stays')
  expect(cautions).toEqual([])
  await action.effect(step, 'execution-1', never)
  expect(application()['operation']).toMatchObject({
    initiatedBy: { username: 'steadyhand' },
    sync: { revision: THIRD, syncStrategy: { hook: {} }, syncOptions: ['ServerSideApply=true'] },
  })
  expect(JSON.stringify(cluster.server.effects[0]?.body)).not.toMatch(/prune|force/i)
  playOperation(cluster.server)
  const { state } = action.success(step, observation)
  expect(
    await action.readState(
      step.target,
      state.map(({ field }) => field),
    ),
  ).toEqual({ operation: 'Succeeded', deployment: 5, deployed: THIRD, health: 'Healthy' })
  const undo = action.undo(step, observation)
  expect(undo?.parameters).toMatchObject({ id: 4 })
  expect(await action.effect({ ...step, ...undo } as Step, 'execution-2', never)).toEqual({ result: 'applied' })
  expect(application()['operation']).toMatchObject({ sync: { revision: SECOND, syncStrategy: { apply: {} } } })
  expect(action.title(step.target, undo?.parameters ?? {})).toBe('Put application shop back to deployment 4')
})

test('a sync where automated sync is on has no way back, and says so', async () => {
  autoSync()
  const { action, step, observation } = await stepOf('argo-sync', { revision: THIRD })
  expect((await action.dryRun(step)).cautions).toEqual(['Its automated sync is on: there is no way back but in the repository.'])
  expect(action.undo(step, observation)).toBeNull()
})

test('a sync to another revision, or of what is in sync, is refused', async () => {
  expect(await objection('argo-sync', { revision: FIRST })).toBe('invalid: its repository is at 33333333, not at 11111111')
  change((object) => Object.assign(statusOf(object), { sync: { status: 'Synced', revision: SECOND }, resources: [] }))
  expect(await objection('argo-sync', { revision: SECOND })).toContain('it is in sync already')
  for (const revision of ['', '--prune', '$(rm)', 'a b', 'x'.repeat(201)])
    expect(actionOf('argo-sync').definition.parameters.safeParse({ revision }).success).toBe(false)
})

const deploying = [
  ['argo-sync', { revision: THIRD }],
  ['argo-rollback', { id: 3 }],
] as const

test.each(deploying)('%s is refused while somebody is on it, and says who', async (verb, parameters) => {
  const operation = { sync: { revision: SECOND }, initiatedBy: { username: 'anna' } }
  for (const phase of ['Running', 'Terminating']) {
    change((object) => Object.assign(statusOf(object), { operationState: { phase, startedAt: '2026-03-01T10:41:00Z', operation } }))
    expect(await objection(verb, parameters)).toBe('invalid: somebody is already on it: Argo CD syncs to 22222222 since 10:41 UTC (anna)')
  }
  change((object) => {
    Object.assign(statusOf(object), { operationState: null })
    Object.assign(object, { operation })
  })
  expect(await objection(verb, parameters)).toContain('somebody is already on it')
})

test.each(deploying)('%s is refused while a sync window denies it, or where nobody can tell', async (verb, parameters) => {
  const windows = [{ kind: 'deny', schedule: '* * * * *', duration: '1h', applications: ['*'] }]
  cluster.server.change(`${PROJECTS}/default`, (project) => Object.assign(project, { spec: { syncWindows: windows } }))
  expect(await objection(verb, parameters)).toContain('of its project denies syncs now')
  cluster.server.refused.add('get appprojects')
  expect(await objection(verb, parameters)).toMatch(/not known whether a sync window denies it.*cannot get resource "default"|appprojects/)
  cluster.server.refused.clear()
  cluster.server.delete(`${PROJECTS}/default`)
  expect(await objection(verb, parameters)).toContain('it is not known whether a sync window denies it')
  change((object) => Object.assign(specOf(object), { project: '../../../secrets' }))
  expect(await objection(verb, parameters)).toContain('it is not known whether a sync window denies it')
  expect(cluster.server.seen.filter(({ path }) => path.includes('secrets'))).toEqual([])
})

test.each([
  ['several sources', (object: Manifest) => Object.assign(specOf(object), { sources: [{}, {}], source: undefined }), 'has not one source'],
  [
    'a way of syncing that replaces',
    (object: Manifest) => Object.assign(specOf(object), { syncPolicy: { syncOptions: ['Replace=true'] } }),
    'Replace=true',
  ],
  [
    'objects of others',
    (object: Manifest) => (statusOf(object)['resources'] as object[]).push({ kind: 'Deployment', namespace: 'bank', name: 'x' }),
    'deploys into bank as well',
  ],
  [
    'another cluster',
    (object: Manifest) => Object.assign(specOf(object), { destination: { server: 'https://far', namespace: 'shop' } }),
    'another cluster',
  ],
  ['an end', ({ metadata }: Manifest) => Object.assign(metadata, { deletionTimestamp: '2026-03-01T10:41:00Z' }), 'being deleted'],
])('an application with %s is left to people', async (_, edit, why) => {
  change(edit)
  for (const [verb, parameters] of deploying) expect(await objection(verb, parameters)).toContain(why)
})

test.each(all)('%s: what changed between click and call refuses it, status that moves does not', async (verb, { parameters, prepare }) => {
  prepare?.()
  const { action, step } = await stepOf(verb, parameters)
  const others: Readonly<Record<string, ((object: Manifest) => void)[]>> = {
    'argo-pause': [(object) => Object.assign(specOf(object), { syncPolicy: { automated: { prune: false } } })],
    'argo-sync': [
      (object) => Object.assign(statusOf(object), { sync: { status: 'OutOfSync', revision: FIRST } }),
      (object) => Object.assign(specOf(object), { project: 'other' }),
    ],
    'argo-rollback': [
      (object) => (statusOf(object)['history'] as object[]).push(deployed(5, THIRD, 'v43', '2026-03-01T10:41:00Z')),
      (object) => Object.assign((statusOf(object)['history'] as object[])[0] ?? {}, { revision: THIRD }),
      (object) => Object.assign(specOf(object), { syncPolicy: { automated: {} } }),
    ],
  }
  for (const other of others[verb] ?? []) {
    const kept = structuredClone(application())
    change(other)
    expect(words(await action.effect(step, 'execution-1', never))).toMatch(/^stale-target/)
    cluster.server.apply(APPLICATIONS, kept)
  }
  expect(cluster.server.effects).toEqual([])
  let moves = 0
  cluster.server.interfere = ({ method }) => {
    if (method === 'PATCH' && moves++ < 3)
      change((object) => Object.assign(statusOf(object), { reconciledAt: new Date(moves).toISOString() }))
    return null
  }
  expect(await action.effect(step, 'execution-1', never)).toEqual({ result: 'applied' })
  expect(cluster.server.effects).toHaveLength(1)
})

test.each(all)('%s: an application that is gone, or another of its name, is not touched', async (verb, { parameters, prepare }) => {
  prepare?.()
  const { action, step } = await stepOf(verb, parameters)
  const { metadata, ...rest } = application()
  cluster.server.delete(SHOP_APPLICATION)
  expect(words(await action.effect(step, 'execution-1', never))).toBe('stale-target: there is no Application shop any more')
  cluster.server.apply(APPLICATIONS, { ...rest, metadata: { name: 'shop', namespace: metadata.namespace ?? '' } })
  expect(words(await action.effect(step, 'execution-1', never))).toMatch(/^stale-target: uid of shop/)
  expect(await action.probe(step, 'execution-1', never)).toBe('unknown')
  expect(cluster.server.effects).toEqual([])
})

test.each(all)(
  '%s: a missing right is told with its name, and a lost reply is found by the probe',
  async (verb, { parameters, prepare }) => {
    prepare?.()
    const { action, step } = await stepOf(verb, parameters)
    cluster.server.refused.add('patch applications')
    expect(words(await action.effect(step, 'execution-1', never))).toMatch(/permission-missing.*cannot patch resource/)
    cluster.server.refused.clear()
    cluster.server.interfere = ({ method }) => (method === 'PATCH' ? 'drop-reply' : null)
    expect(await action.effect(step, 'execution-1', never)).toMatchObject({ result: 'unknown' })
    cluster.server.interfere = () => null
    expect(await action.probe(step, 'execution-1', never)).toBe('applied')
    expect(cluster.server.effects).toHaveLength(1)
  },
)

test.each(['../../../../api/v1/namespaces/shop/secrets', '..', 'shop?x=1', 'Shop', 'shop/../other', '', 'a'.repeat(300)])(
  'a name that no application can have is asked of nobody: %s',
  async (name) => {
    const before = cluster.server.seen.length
    for (const [verb] of all) expect(await actionOf(verb).observe({ ...shop, name })).toBeNull()
    expect(cluster.server.seen.length).toBe(before)
  },
)

test('an application is known by the services that it deploys, and by its name in one environment', async () => {
  for (const [verb] of all) {
    expect(await actionOf(verb).byHand?.concerns?.('shop')).toEqual({ environment: 'production', services: ['payments'] })
    expect(await actionOf(verb).byHand?.concerns?.('nobody')).toBeNull()
    expect(await actionOf(verb).suggest(aHypothesis(), { service: 'payments', environment: 'production' })).toBeNull()
  }
  change((object) => (statusOf(object)['resources'] as object[]).push({ kind: 'Deployment', namespace: 'bank', name: 'x' }))
  await until('it is of two places', async () => (await actionOf('argo-sync').byHand?.concerns?.('shop')) === null, 90)
})

test('by hand: what is meant where only the application is named, and the command', async () => {
  const said = async (verb: string): Promise<unknown> => await actionOf(verb).byHand?.defaults(shop)
  expect(await said('argo-pause')).toEqual({ autoSync: 'off' })
  expect(await said('argo-sync')).toEqual({ revision: THIRD })
  expect(await said('argo-rollback')).toEqual({ id: 3 })
  const command = async (verb: string, parameters: Parameters): Promise<string | undefined> => {
    const observation = await actionOf(verb).observe(shop)
    return observation ? actionOf(verb).byHand?.command({ target: observation.target, parameters, incident: 'INC-1' }) : undefined
  }
  expect(await command('argo-pause', { autoSync: 'off' })).toBe('argocd app set shop --sync-policy none')
  expect(await command('argo-pause', { autoSync: JSON.stringify(AUTOMATED) })).toBe(
    'argocd app set shop --sync-policy automated --auto-prune --self-heal',
  )
  expect(await command('argo-sync', { revision: THIRD })).toBe(`argocd app sync shop --revision ${THIRD}`)
  expect(await command('argo-rollback', { id: 3 })).toBe('argocd app rollback shop 3')
  change((object) => Object.assign(statusOf(object), { history: [deployed(4, SECOND, 'v42', '2026-03-01T10:30:00Z')] }))
  expect(await said('argo-rollback')).toBeNull()
})
