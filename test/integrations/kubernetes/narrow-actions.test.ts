import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { buildPlan } from '../../../agent/actions/build-plan.ts'
import type { FaultClass } from '../../../agent/domain/fault-classes.ts'
import type { Hypothesis } from '../../../agent/domain/hypothesis.ts'
import { successContractSchema } from '../../../agent/domain/plan.ts'
import { IntegrationError } from '../../../integrations/errors.ts'
import { createKubernetes } from '../../../integrations/kubernetes/index.ts'
import type { Action, EffectResult, Parameters, Step } from '../../../integrations/ports/action.ts'
import {
  APP,
  actionIn,
  NODES,
  node,
  payments,
  resetNarrowShop,
  seedNarrowShop,
  startNarrowShop,
  uidAt,
} from '../../support/kubernetes/narrow-shop.ts'
import {
  AUTOSCALERS,
  BUDGETS,
  churn,
  DEPLOYMENTS,
  PODS,
  type ShopCluster,
  testDeps,
  VERIFICATION,
  writeKubeconfig,
} from '../../support/kubernetes/shop-cluster.ts'
import { until } from '../../support/live/until.ts'

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 })

const WITHIN_SECONDS = 90
const never = new AbortController().signal

let cluster: ShopCluster
beforeAll(async () => {
  cluster = await startNarrowShop()
})
afterAll(async () => await cluster.stop())

beforeEach(async () => await resetNarrowShop(cluster))

const actionOf = (verb: string): Action => actionIn(cluster, verb)

function specAt(path: string): Record<string, unknown> {
  return cluster.server.object(path)?.['spec'] as Record<string, unknown>
}

async function stepOf(action: Action, parameters: Parameters, where = payments) {
  const observation = await action.observe(where)
  if (!observation) throw new Error('nothing to see')
  const valid = action.definition.parameters.parse(parameters)
  const step: Step = { planId: 'plan', target: observation.target, parameters: valid, preconditions: observation.preconditions }
  return { step, observation }
}

function because(fault: FaultClass, component = 'service/payments'): Hypothesis {
  return { rank: 1, class: fault, component, confidence: 90, parts: [], claims: [], against: [], unknown: [], since: null }
}
const context = { service: 'payments', environment: 'production' }
const words = (result: EffectResult): string => (result.result === 'refused' ? `${result.reason}: ${result.words}` : result.result)

/** What each of them is asked to do, where, and what somebody else may do so that it no longer means what its card said. */
const CASES: Readonly<
  Record<string, { parameters: Parameters; where: typeof payments; path: string; other: (spec: Record<string, unknown>) => void }>
> = {
  autoscaler: {
    ...{ parameters: { minReplicas: 2, maxReplicas: 8 }, where: payments, path: `${AUTOSCALERS}/payments` },
    other: (spec) => Object.assign(spec, { maxReplicas: 5 }),
  },
  'set-resources': {
    ...{ parameters: { container: 'app', memoryLimit: '384Mi' }, where: payments, path: `${DEPLOYMENTS}/payments` },
    other: (spec) => Object.assign(spec, { template: { ...(spec['template'] as object), other: true } }),
  },
  pause: {
    ...{ parameters: { paused: true }, where: payments, path: `${DEPLOYMENTS}/payments` },
    other: (spec) => Object.assign(spec, { paused: true }),
  },
  cordon: {
    ...{ parameters: { cordoned: true }, where: node, path: `${NODES}/node-0` },
    other: (spec) => Object.assign(spec, { unschedulable: true }),
  },
}
const changing = Object.entries(CASES)

test.each(changing)(
  '%s: a dry run that changes nothing, one effect with a mark, an undo that puts all back',
  async (verb, { parameters, where, path }) => {
    const action = actionOf(verb)
    const before = JSON.stringify(specAt(path))
    const { step, observation } = await stepOf(action, parameters, where)
    const { changes, downtime } = await action.dryRun(step)
    expect(changes).toHaveLength(1)
    expect(downtime).toMatch(/^none/)
    expect(JSON.stringify(specAt(path))).toBe(before)
    expect(await action.probe(step, 'execution-1', never)).toBe('not-applied')

    const contract = action.success(step, observation)
    expect(successContractSchema.safeParse(contract).success).toBe(true)
    expect(await action.effect(step, 'execution-1', never)).toEqual({ result: 'applied' })
    expect(await action.effect(step, 'execution-1', never)).toEqual({ result: 'applied' })
    expect(cluster.server.effects).toHaveLength(1)
    expect(cluster.server.effects[0]?.query).toEqual({ fieldManager: 'steadyhand' })
    expect(await action.probe(step, 'execution-1', never)).toBe('applied')
    const own = contract.state.filter(({ field }) => field !== 'rollout')
    expect(own.length).toBeGreaterThan(0)
    expect(
      await action.readState(
        step.target,
        own.map(({ field }) => field),
      ),
    ).toEqual(Object.fromEntries(own.map(({ field, equals }) => [field, equals])))

    const undo = action.undo(step, observation)
    if (!undo) throw new Error('there is no way back')
    const back: Step = { ...step, parameters: undo.parameters, preconditions: undo.preconditions }
    const { changes: returned } = await action.dryRun(back)
    expect(returned).toEqual(changes.map(({ field, from, to }) => ({ field, from: to, to: from })))
    expect(successContractSchema.safeParse(undo.success).success).toBe(true)
    expect(await action.effect(back, 'execution-2', never)).toEqual({ result: 'applied' })
    const after = specAt(path)
    for (const field of ['paused', 'unschedulable']) if (after[field] === false) delete after[field]
    expect(JSON.stringify(after)).toBe(before)
  },
)

test.each(changing)('%s: status that moves aborts nothing, another meaning does', async (verb, { parameters, where, path, other }) => {
  const action = actionOf(verb)
  const { step } = await stepOf(action, parameters, where)
  let moves = 0
  cluster.server.interfere = ({ method }) => {
    if (method === 'PATCH' && moves++ < 3)
      cluster.server.change(path, (object) => Object.assign(object, { status: { ...(object['status'] as object), churn: moves } }))
    return null
  }
  expect(await action.effect(step, 'execution-1', never)).toEqual({ result: 'applied' })
  expect(cluster.server.effects).toHaveLength(1)
  cluster.server.interfere = () => null
  seedNarrowShop(cluster.server)
  cluster.server.effects.length = 0
  const { step: next } = await stepOf(action, parameters, where)
  cluster.server.interfere = ({ method }) => {
    if (method === 'PATCH') cluster.server.change(path, (object) => other(object['spec'] as Record<string, unknown>))
    return null
  }
  expect(words(await action.effect(next, 'execution-2', never))).toContain('stale-target')
  expect(cluster.server.effects).toEqual([])
})

test.each(changing)('%s: a missing right is told with its name', async (verb, { parameters, where, path }) => {
  const action = actionOf(verb)
  const { step } = await stepOf(action, parameters, where)
  const resource = path.split('/').at(-2) ?? ''
  cluster.server.refused.add(`patch ${resource}`)
  expect(words(await action.effect(step, 'execution-1', never))).toMatch(/permission-missing.*cannot patch resource/)
})

test('an autoscaler goes to at most twice and at least half, its upper bound not below a budget', async () => {
  const action = actionOf('autoscaler')
  const said = async (minReplicas: number, maxReplicas: number): Promise<string> =>
    words(await action.effect((await stepOf(action, { minReplicas, maxReplicas })).step, 'execution-1', never))
  expect(await said(2, 9)).toContain('maxReplicas goes from 4 to 2 to 8 in one step, not to 9')
  expect(await said(5, 8)).toContain('minReplicas goes from 2 to 1 to 4')
  expect(await said(4, 3)).toContain('the least (4) is more than the most (3)')
  cluster.server.apply(BUDGETS, {
    metadata: { name: 'payments', namespace: 'shop' },
    spec: { selector: { matchLabels: { app: 'payments' } }, minAvailable: 3 },
  })
  expect(await said(1, 2)).toContain('needs 3 healthy pods')
  expect(await said(1, 8)).toContain('needs 3 healthy pods')
  expect(cluster.server.effects).toEqual([])
  const [found] = await Promise.all([action.suggest(because('insufficient_replicas'), context)])
  expect(found).toMatchObject({ parameters: { minReplicas: 2, maxReplicas: 6 }, why: expect.stringContaining('at its end') })
  expect(await action.suggest(because('bad_release'), context)).toBeNull()
})

test('resources go to at most twice and at least half of what is there, and a pod killed for memory gets half as much again', async () => {
  const action = actionOf('set-resources')
  const said = async (parameters: Parameters): Promise<string> =>
    words(await action.effect((await stepOf(action, { container: 'app', ...parameters })).step, 'execution-1', never))
  expect(await said({ memoryLimit: '1Gi' })).toContain('memory limit goes from 256Mi to 128Mi to 512Mi in one step, not to 1024Mi')
  expect(await said({ cpuLimit: '500m' })).toContain('has no cpu limit now')
  expect(await said({ memoryRequest: '256Mi', memoryLimit: '128Mi' })).toContain('a request may not be more than its limit')
  expect(await said({ memoryLimit: '256Mi' })).toContain('app has these requests and limits already')
  expect(await said({ container: 'other', memoryLimit: '300Mi' })).toContain('it has no container other')
  expect(action.definition.parameters.safeParse({ container: 'app', memoryLimit: '1; rm' }).success).toBe(false)
  expect(cluster.server.effects).toEqual([])
  const suggestion = await until('the pod is seen', async () => await action.suggest(because('oom_killed'), context), WITHIN_SECONDS)
  expect(suggestion).toMatchObject({
    parameters: { container: 'app', memoryLimit: '384Mi', cpuLimit: null },
    why: 'app was killed at its memory limit of 256Mi; 384Mi gives it half as much again.',
  })
  expect((await action.dryRun((await stepOf(action, suggestion.parameters)).step)).changes).toEqual([
    { field: 'spec.containers[app].resources.limits.memory', from: '256Mi', to: '384Mi' },
  ])
  const later = { ...because('oom_killed'), since: new Date(Date.now() + 3_600_000) }
  expect(await action.suggest(later, context)).toBeNull()
  cluster.server.change(`${PODS}/payments-a`, (pod) =>
    Object.assign(pod['spec'] as object, { containers: [{ ...APP, image: 'shop/payments:v40' }] }),
  )
  await until(
    'only a pod of an earlier template was killed',
    async () => (await action.suggest(because('oom_killed'), context)) === null,
    WITHIN_SECONDS,
  )
})

test('evicts one pod of a workload on the condition of its uid, and knows that it is gone', async () => {
  const action = actionOf('delete-pod')
  const parameters = await until(
    'the pod that is not ready is seen',
    async () => (await action.byHand?.defaults(payments)) ?? null,
    WITHIN_SECONDS,
  )
  expect(parameters).toEqual({ pod: 'payments-a', uid: cluster.server.object(`${PODS}/payments-a`)?.metadata.uid })
  const { step, observation } = await stepOf(action, parameters)
  const { changes, downtime } = await action.dryRun(step)
  expect(changes).toEqual([{ field: 'pod', from: 'payments-a', to: 'ended; another is made in its place' }])
  expect(downtime).toContain('emptyDir')
  expect(downtime).toContain('1 other pod that is ready')
  expect(cluster.server.effects).toEqual([])
  const tried = cluster.server.seen.findLast(({ method }) => method === 'POST')
  expect(tried).toMatchObject({ path: `${PODS}/payments-a/eviction`, query: { dryRun: 'All' } })
  expect(await action.probe(step, 'execution-1', never)).toBe('not-applied')
  const { state } = action.success(step, observation)
  expect(successContractSchema.safeParse(action.success(step, observation)).success).toBe(true)
  const [field = ''] = state.map((each) => each.field)
  expect(await action.readState(step.target, [field, 'replicas'])).toEqual({ [field]: 'there', replicas: 3 })
  cluster.server.interfere = ({ method }) => (method === 'POST' ? 'drop-reply' : null)
  expect(await action.effect(step, 'execution-1', never)).toMatchObject({ result: 'unknown' })
  cluster.server.interfere = () => null
  expect(await action.probe(step, 'execution-1', never)).toBe('applied')
  expect(await action.readState(step.target, [field])).toEqual({ [field]: 'gone' })
  expect(cluster.server.effects).toMatchObject([{ query: {}, body: { deleteOptions: { preconditions: { uid: parameters['uid'] } } } }])
  expect(cluster.server.seen.filter(({ method }) => method === 'DELETE')).toEqual([])
  expect(words(await action.effect(step, 'execution-2', never))).toBe('stale-target: pod payments-a is gone')
  expect(action.undo(step, observation)).toBeNull()
})

test('leaves a pod alone that took the name of another, that nobody replaces, or that a budget needs', async () => {
  const action = actionOf('delete-pod')
  const uidOf = (name: string): string => String(cluster.server.object(`${PODS}/${name}`)?.metadata.uid)
  const said = async (pod: string, uid: string): Promise<string> =>
    words(await action.effect((await stepOf(action, { pod, uid })).step, 'execution-1', never))
  expect(await said('payments-b', 'another')).toBe('stale-target: pod payments-b is gone')
  cluster.server.apply(PODS, {
    metadata: { name: 'bare', namespace: 'shop', labels: { app: 'payments' } },
    spec: { containers: [] },
    status: {},
  })
  expect(await said('bare', uidOf('bare'))).toContain('not one that payments replaces')
  cluster.server.apply(BUDGETS, {
    ...{ metadata: { name: 'payments', namespace: 'shop' }, spec: { selector: { matchLabels: { app: 'payments' } }, minAvailable: 3 } },
    status: { disruptionsAllowed: 0 },
  })
  expect(await said('payments-b', uidOf('payments-b'))).toMatch(/^invalid: .*429.*disruption budget/)
  const held = await stepOf(action, { pod: 'payments-b', uid: uidOf('payments-b') })
  await expect(action.dryRun(held.step)).rejects.toMatchObject({ code: 'refused', message: expect.stringContaining('disruption budget') })
  cluster.server.delete(`${BUDGETS}/payments`)
  cluster.server.refused.add('create pods/eviction')
  expect(await said('payments-b', uidOf('payments-b'))).toMatch(/permission-missing.*cannot create resource "pods\/eviction"/)
  cluster.server.refused.clear()
  // Labels that fit, and a replica set of somebody else.
  cluster.server.change(`${PODS}/payments-b`, ({ metadata }) =>
    Object.assign(metadata, { ownerReferences: [{ kind: 'ReplicaSet', name: 'payments-hash1', uid: 'another', controller: true }] }),
  )
  expect(await said('payments-b', uidOf('payments-b'))).toContain('not one that payments replaces')
  expect(cluster.server.effects).toEqual([])
  // Between the last look and the call another pod took the name: the API server refuses.
  cluster.server.interfere = ({ method }) => {
    if (method === 'POST') cluster.server.change(`${PODS}/payments-a`, ({ metadata }) => Object.assign(metadata, { uid: 'next' }))
    return null
  }
  expect(await said('payments-a', uidOf('payments-a'))).toContain('stale-target')
  expect(cluster.server.effects).toEqual([])
  cluster.server.delete(`${PODS}/bare`)
})

test('a pod of another template is left alone, and so is one whose workload changed since the card', async () => {
  const action = actionOf('delete-pod')
  const uid = uidAt(cluster.server, `${PODS}/payments-b`)
  const { step } = await stepOf(action, { pod: 'payments-b', uid })
  setImage('shop/payments:v42')
  expect(words(await action.effect(step, 'execution-1', never))).toContain('stale-target: the template of payments')
  const { step: anew } = await stepOf(action, { pod: 'payments-b', uid })
  expect(words(await action.effect(anew, 'execution-2', never))).toContain('of another template than payments has now')
  expect(cluster.server.effects).toEqual([])
})

test('the only pod that is ready: the card says that nothing answers meanwhile', async () => {
  const action = actionOf('delete-pod')
  const { step } = await stepOf(action, { pod: 'payments-b', uid: uidAt(cluster.server, `${PODS}/payments-b`) })
  const said = async (): Promise<string> => (await action.dryRun(step)).downtime
  await until('the cache knows which pods are ready', async () => (await said()).startsWith('no other pod of it is ready'), WITHIN_SECONDS)
})

test('keeps half of the nodes open that take any pod, and says whom a node concerns', async () => {
  const action = actionOf('cordon')
  expect(await action.byHand?.concerns?.('node-0')).toEqual({ environment: 'production', services: ['payments'] })
  expect(await action.byHand?.concerns?.('node-9')).toBeNull()
  for (const fault of ['node_network_delay', 'node_cordon_mismatch'] as const)
    expect(await action.suggest(because(fault, 'node/node-1'), context)).toBeNull()
  const spare = { metadata: { name: 'node-gpu' }, spec: { taints: [{ key: 'dedicated', value: 'gpu', effect: 'NoSchedule' }] } }
  cluster.server.apply(NODES, { ...spare, status: { conditions: [{ type: 'Ready', status: 'True' }] } })
  cluster.server.change(`${NODES}/node-1`, (object) => Object.assign(object['spec'] as object, { unschedulable: true }))
  const { step } = await stepOf(action, { cordoned: true }, node)
  expect(words(await action.effect(step, 'execution-1', never))).toContain('of 3 nodes that are ready 1 would stay open')
  await expect(action.dryRun(step)).rejects.toThrow(IntegrationError)
  cluster.server.change(`${NODES}/node-gpu`, (object) => Object.assign(object['spec'] as object, { unschedulable: true }))
  const gpu = await until(
    'the node is seen',
    async () => await stepOf(action, { cordoned: false }, { ...node, name: 'node-gpu' }).catch(() => null),
    WITHIN_SECONDS,
  )
  expect(words(await action.effect(gpu.step, 'execution-2', never))).toContain('it has the taint dedicated')
  expect(cluster.server.effects).toEqual([])
  cluster.server.delete(`${NODES}/node-gpu`)
})

test('what a watch told before it broke is not taken for what is there', async () => {
  const action = actionOf('autoscaler')
  const { step } = await stepOf(action, { minReplicas: 2, maxReplicas: 8 })
  cluster.server.interfere = ({ path }) => (path === AUTOSCALERS ? { status: 500, message: 'no quorum' } : null)
  cluster.server.dropWatches()
  await until(
    'the watch has a problem',
    async () =>
      await action
        .observe(payments)
        .catch((error: unknown) => error instanceof IntegrationError)
        .then((told) => told === true),
    WITHIN_SECONDS,
  )
  expect(words(await action.effect(step, 'execution-1', never))).toMatch(/not known whether an autoscaler scales it.*cannot be read/)
  expect(cluster.server.effects).toEqual([])
  cluster.server.interfere = () => null
  await until('the watch is back', async () => await action.observe(payments).catch(() => null), WITHIN_SECONDS)
})

test('a node that two environments have is left to people, and a cluster that cannot be reached keeps nobody from the others', async () => {
  const { path, remove } = writeKubeconfig(cluster.url, { far: 'http://127.0.0.1:9', again: cluster.url })
  const environment = (name: string, context: string, actions: readonly string[]) => ({
    ...{
      name,
      context,
      actions,
      namespaces: ['shop'],
      argocdNamespace: null,
      impersonateGroup: null,
      podLogs: false,
      verification: VERIFICATION,
    },
  })
  const concernsWith = async (environments: ReturnType<typeof environment>[]): Promise<string> => {
    const integrations = createKubernetes(testDeps(), { kubeconfig: path, environments })
    for (const each of integrations) await each.start()
    try {
      const cordon = integrations.flatMap(({ actions = [] }) => actions).find(({ definition }) => definition.kind === 'kubernetes.cordon')
      return await until(
        'the first answers',
        async () => {
          const told = await cordon?.byHand?.concerns?.('node-0').catch((error: unknown) => String(error))
          return typeof told === 'string' ? (told.includes('several') ? told : null) : (told?.environment ?? null)
        },
        WITHIN_SECONDS,
      )
    } finally {
      for (const each of integrations) await each.stop()
    }
  }
  const cordons = ['kubernetes.cordon']
  expect(await concernsWith([environment('far', 'far', cordons), environment('production', 'test', cordons)])).toBe('production')
  expect(await concernsWith([environment('production', 'test', cordons), environment('staging', 'again', [])])).toContain(
    'node node-0 belongs to several environments (production, staging)',
  )
  remove()
})

test('a pause is undone only while its template is the one that was seen, and only the undo resumes', async () => {
  const action = actionOf('pause')
  expect(action.definition.parameters.safeParse({ paused: false }).success).toBe(false)
  const { step, observation } = await stepOf(action, { paused: true })
  expect(await action.effect(step, 'execution-1', never)).toEqual({ result: 'applied' })
  setImage('shop/payments:v99')
  const undo = action.undo(step, observation)
  const back = { ...step, parameters: undo?.parameters ?? {}, preconditions: undo?.preconditions ?? [] }
  expect(words(await action.effect(back, 'execution-2', never))).toMatch(/^stale-target: template of payments/)
  expect(specAt(`${DEPLOYMENTS}/payments`)['paused']).toBe(true)
})

function setImage(image: string): void {
  cluster.server.change(`${DEPLOYMENTS}/payments`, (object) => {
    const { template } = object['spec'] as { template: { spec: { containers: { image: string }[] } } }
    for (const container of template.spec.containers) container.image = image
  })
}

test('the symptom judges the bounds of an autoscaler in the time of the place, and neither a cordon nor a pause', async () => {
  const symptom = { service: 'payments', metric: 'error_ratio', comparator: '<=', threshold: '0.05', unit: 'ratio' } as const
  const judged = async (verb: string) => {
    const { parameters, where } = CASES[verb] ?? { parameters: {}, where: payments }
    const action = actionOf(verb)
    const { observation } = await stepOf(action, parameters, where)
    const provider = { id: 'kubernetes', environments: ['production'], actions: [action], metrics: null }
    const asking = {
      rule: 'r',
      role: 'approver',
      needed: 1,
      requesterMayApprove: true,
      ttlSeconds: 600,
      cooldownSeconds: 60,
      typed: false,
    } as const
    const { parent } = buildPlan({
      ...{ ids: { plan: randomUUID(), undo: randomUUID() }, incident: { id: 'INC-1', severity: 2 }, entry: { action, provider } },
      ...{
        observation,
        parameters,
        dryRun: { changes: [], downtime: 'none' },
        symptom,
        dependents: [],
        cautions: [],
        requester: null,
        asking,
      },
      ...{ cause: { class: 'traffic_surge', component: 'service/payments' }, build: 'a'.repeat(64), now: new Date() },
    })
    return parent.plan.success
  }
  expect(await judged('autoscaler')).toMatchObject({ metrics: [symptom], ...VERIFICATION, minSamples: 3 })
  expect((await judged('autoscaler')).heals).toBeUndefined()
  for (const verb of ['cordon', 'pause']) expect(await judged(verb)).toMatchObject({ metrics: [], heals: false })
})

test('a paused rollout gets no other resources, and one that is paused is not paused again', async () => {
  cluster.server.change(`${DEPLOYMENTS}/payments`, (object) => Object.assign(object['spec'] as object, { paused: true }))
  churn(cluster.server, 'payments')
  const said = async (verb: string, parameters: Parameters): Promise<string> =>
    words(await actionOf(verb).effect((await stepOf(actionOf(verb), parameters)).step, 'execution-1', never))
  expect(await said('set-resources', { container: 'app', memoryLimit: '384Mi' })).toContain('its rollout is paused')
  expect(await said('pause', { paused: true })).toContain('paused already')
  expect(await actionOf('pause').suggest(because('bad_release'), context)).toBeNull()
})

test.each([
  [
    'autoscaler',
    { minReplicas: 2, maxReplicas: 8 },
    /^kubectl --context test -n shop patch horizontalpodautoscaler\/payments -p '\{"spec":.*\}'$/,
  ],
  ['set-resources', { container: 'app', memoryLimit: '384Mi' }, /-n shop set resources deployment\/payments -c app --limits=memory=384Mi$/],
  ['pause', { paused: true }, /-n shop rollout pause deployment\/payments$/],
  ['delete-pod', { pod: 'payments-a', uid: 'x' }, /-n shop delete pod payments-a$/],
  ['cordon', { cordoned: true }, /^kubectl --context test cordon node-0$/],
])('%s by hand', async (verb, parameters, command) => {
  const { step } = await stepOf(actionOf(verb), parameters, verb === 'cordon' ? node : payments)
  expect(actionOf(verb).byHand?.command({ ...step, incident: 'INC-1' })).toMatch(command)
})
