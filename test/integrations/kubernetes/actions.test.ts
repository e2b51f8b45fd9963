import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { successContractSchema } from '../../../agent/domain/plan.ts'
import type { Integration } from '../../../integrations/contract.ts'
import { IntegrationError } from '../../../integrations/errors.ts'
import type { Action, Parameters, Step } from '../../../integrations/ports/action.ts'
import { aHypothesis } from '../../support/builders.ts'
import {
  AUTOSCALERS,
  BUDGETS,
  churn,
  DEPLOYMENTS,
  REPLICA_SETS,
  type ShopCluster,
  seedDeployment,
  startCluster,
} from '../../support/kubernetes/shop-cluster.ts'
import { until } from '../../support/live/until.ts'

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 })

let cluster: ShopCluster
beforeAll(async () => {
  cluster = await startCluster((server) => seed(server))
})
afterAll(async () => await cluster.stop())

const V41 = { image: 'shop/payments:v41', env: [{ name: 'RATE', value: '10' }], args: ['--listen', '--key', 'an-old-one'] }
const V42 = { image: 'shop/payments:v42', env: [{ name: 'RATE', value: 'hush-hush' }], args: ['--listen', '--key', 'hush-hush'] }
const where = { environment: 'production', name: 'payments' }
const never = new AbortController().signal

function seed(server: ShopCluster['server']): void {
  seedDeployment(server, 'payments', [V41, V42])
}

beforeEach(async () => {
  cluster.server.interfere = () => null
  cluster.server.refused.clear()
  cluster.server.delete(`${AUTOSCALERS}/payments`)
  cluster.server.delete(`${BUDGETS}/payments`)
  cluster.server.delete(`${DEPLOYMENTS}/payments`)
  for (const number of [1, 2]) cluster.server.delete(`${REPLICA_SETS}/payments-hash${number}`)
  seed(cluster.server)
  cluster.server.effects.length = 0
  const { uid } = deployment().metadata
  await until('the cache shows the new deployment', async () => (await actionOf('restart').observe(where))?.target.uid === uid, 90)
})

function actionOf(verb: string, integrations: readonly Integration[] = cluster.integrations): Action {
  const found = integrations.flatMap(({ actions = [] }) => actions).find(({ definition }) => definition.kind === `kubernetes.${verb}`)
  if (!found) throw new Error(`there is no ${verb}`)
  return found
}

function deployment() {
  const found = cluster.server.object(`${DEPLOYMENTS}/payments`)
  if (!found) throw new Error('the deployment is gone')
  return found as typeof found & { spec: { replicas: number; template: { spec: { containers: { image: string }[] } } } }
}

async function stepOf(action: Action, parameters: Parameters): Promise<Step> {
  const observation = await action.observe(where)
  if (!observation) throw new Error('nothing to see')
  return { planId: 'plan', target: observation.target, parameters, preconditions: observation.preconditions }
}

async function previousOf(action: Action): Promise<Parameters> {
  const parameters = await action.byHand?.defaults(where)
  if (!parameters) throw new Error('there is no revision before')
  return parameters
}

const imageNow = (): string | undefined => deployment().spec.template.spec.containers[0]?.image

test('rolls back to the template of the revision before, once, and shows what differs without values of the environment', async () => {
  const rollback = actionOf('rollback')
  const suggestion = await rollback.suggest(aHypothesis(), { service: 'payments', environment: 'production' })
  expect(suggestion).toMatchObject({ parameters: { revision: 1 }, why: expect.stringContaining('v42') })
  const step = await stepOf(rollback, suggestion?.parameters ?? {})
  const { changes, downtime } = await rollback.dryRun(step)
  expect(changes).toContainEqual({ field: 'spec.containers[app].image', from: 'shop/payments:v42', to: 'shop/payments:v41' })
  expect(changes).toContainEqual({
    field: 'spec.containers[app].args[2]',
    from: 'a value that is not shown',
    to: 'a value that is not shown',
  })
  expect(JSON.stringify({ changes, downtime, step })).not.toMatch(/hush-hush|an-old-one/)
  expect(cluster.server.effects).toEqual([])
  const request = cluster.server.seen.findLast(({ method }) => method === 'PATCH')
  expect(request?.query).toMatchObject({ dryRun: 'All', fieldManager: 'steadyhand' })
  expect(await rollback.probe(step, 'execution-1', never)).toBe('not-applied')

  expect(await rollback.effect(step, 'execution-1', never)).toEqual({ result: 'applied' })
  expect(imageNow()).toBe('shop/payments:v41')
  expect(await rollback.probe(step, 'execution-1', never)).toBe('applied')
  expect(await rollback.effect(step, 'execution-1', never)).toEqual({ result: 'applied' })
  expect(cluster.server.effects).toHaveLength(1)
})

test('puts the captured template back, byte for byte', async () => {
  const rollback = actionOf('rollback')
  const before = JSON.stringify(deployment().spec.template)
  const observation = await rollback.observe(where)
  const step = await stepOf(rollback, await previousOf(rollback))
  if (!observation) throw new Error('nothing to see')
  const undo = rollback.undo(step, observation)
  const there = await rollback.dryRun(step)
  expect(await rollback.effect(step, 'execution-1', never)).toEqual({ result: 'applied' })
  expect(JSON.stringify(deployment().spec.template)).not.toBe(before)
  // As its controller does: the revision that is used again gets a new number.
  cluster.server.change(`${DEPLOYMENTS}/payments`, ({ metadata }) => {
    metadata['annotations'] = { ...(metadata['annotations'] as object), 'deployment.kubernetes.io/revision': '3' }
  })
  const back = { ...step, ...undo, parameters: undo?.parameters ?? {}, preconditions: undo?.preconditions ?? [] }
  const { changes } = await rollback.dryRun(back)
  expect(changes).toEqual(there.changes.map(({ field, from, to }) => ({ field, from: to, to: from })))
  expect(await rollback.effect(back, 'execution-2', never)).toEqual({ result: 'applied' })
  expect(JSON.stringify(deployment().spec.template)).toBe(before)
})

test.each(['restart', 'rollback', 'scale'])('%s: status that moves all the time aborts nothing', async (verb) => {
  const action = actionOf(verb)
  const step = await stepOf(action, verb === 'rollback' ? await previousOf(action) : verb === 'scale' ? { replicas: 4 } : {})
  let moves = 0
  cluster.server.interfere = ({ method }) => {
    if (method === 'PATCH' && moves++ < 5) churn(cluster.server, 'payments')
    return null
  }
  expect(await action.effect(step, 'execution-1', never)).toEqual({ result: 'applied' })
  expect(cluster.server.effects).toHaveLength(1)
  expect(moves).toBe(6)
})

test.each(['restart', 'rollback', 'scale'])('%s: a target that changes between the last look and the call is left alone', async (verb) => {
  const action = actionOf(verb)
  const step = await stepOf(action, verb === 'rollback' ? await previousOf(action) : verb === 'scale' ? { replicas: 4 } : {})
  cluster.server.interfere = ({ method }) => {
    if (method !== 'PATCH') return null
    cluster.server.change(`${DEPLOYMENTS}/payments`, (object) => {
      const spec = object['spec'] as ReturnType<typeof deployment>['spec']
      if (verb === 'scale') spec.replicas = 7
      else for (const container of spec.template.spec.containers) container.image = 'shop/payments:v43'
    })
    return null
  }
  expect(await action.effect(step, 'execution-1', never)).toMatchObject({ result: 'refused', reason: 'stale-target' })
  expect(cluster.server.effects).toEqual([])
})

test('another object of the same name is left alone, and one that is gone is told as such', async () => {
  const restart = actionOf('restart')
  const step = await stepOf(restart, {})
  cluster.server.delete(`${DEPLOYMENTS}/payments`)
  expect(await restart.effect(step, 'execution-1', never)).toMatchObject({ result: 'refused', reason: 'stale-target' })
  expect(await restart.probe(step, 'execution-1', never)).toBe('unknown')
  seedDeployment(cluster.server, 'payments', [V41, V42])
  const { uid } = deployment().metadata
  await until('the cache shows the other one', async () => (await restart.observe(where))?.target.uid === uid, 90)
  expect(await restart.effect(step, 'execution-1', never)).toMatchObject({ result: 'refused', words: expect.stringContaining('uid') })
  await expect(restart.dryRun(step)).rejects.toMatchObject({ code: 'not_found' })
  expect(cluster.server.effects).toEqual([])
})

test('a reply that is lost is unknown, and the mark tells what happened', async () => {
  const restart = actionOf('restart')
  const step = await stepOf(restart, {})
  cluster.server.interfere = ({ method }) => (method === 'PATCH' ? 'drop-reply' : null)
  expect(await restart.effect(step, 'execution-1', never)).toMatchObject({ result: 'unknown' })
  cluster.server.interfere = () => null
  expect(await restart.probe(step, 'execution-1', never)).toBe('applied')
  expect(await restart.probe(step, 'execution-2', never)).toBe('not-applied')
})

test('a request that arrives twice has one effect', async () => {
  const scale = actionOf('scale')
  const step = await stepOf(scale, { replicas: 5 })
  cluster.server.interfere = ({ method }) => (method === 'PATCH' ? 'twice' : null)
  expect(await scale.effect(step, 'execution-1', never)).toEqual({ result: 'applied' })
  expect(cluster.server.effects).toHaveLength(1)
  expect(deployment().spec.replicas).toBe(5)
})

test('a refusal of the API server comes back with its words', async () => {
  const restart = actionOf('restart')
  const step = await stepOf(restart, {})
  cluster.server.refused.add('patch deployments')
  expect(await restart.effect(step, 'execution-1', never)).toEqual({
    result: 'refused',
    reason: 'permission-missing',
    words:
      'kubernetes: the API server answered 403: payments is forbidden: User "sre" cannot patch resource "payments" in the namespace "shop"',
  })
  await expect(restart.dryRun(step)).rejects.toThrow(IntegrationError)
})

test('what an admission webhook refuses is told, and not tried again', async () => {
  const restart = actionOf('restart')
  const step = await stepOf(restart, {})
  cluster.server.interfere = ({ method }) =>
    method === 'PATCH' ? { status: 422, message: 'admission webhook "policy" denied the request' } : null
  expect(await restart.effect(step, 'execution-1', never)).toMatchObject({
    result: 'refused',
    reason: 'invalid',
    words: expect.stringContaining('admission'),
  })
  expect(cluster.server.seen.filter(({ method, query }) => method === 'PATCH' && query['dryRun'] === undefined).length).toBeGreaterThan(0)
})

test('scales to at most twice and at least half, never under a disruption budget, and not against an autoscaler', async () => {
  const scale = actionOf('scale')
  const words = async (replicas: number): Promise<string> => {
    const result = await scale.effect(await stepOf(scale, { replicas }), 'execution-1', never)
    return result.result === 'refused' ? result.words : result.result
  }
  expect(await words(7)).toContain('to 6 in one step, not to 7')
  expect(await words(1)).toContain('to 6 in one step, not to 1')
  cluster.server.apply(BUDGETS, {
    metadata: { name: 'payments', namespace: 'shop' },
    spec: { selector: { matchLabels: { app: 'payments' } }, minAvailable: 3 },
    status: { currentHealthy: 3, desiredHealthy: 3, disruptionsAllowed: 0, expectedPods: 3 },
  })
  await until('the budget is known', async () => (await words(2)).includes('needs 3 healthy'), 90)
  cluster.server.apply(AUTOSCALERS, {
    metadata: { name: 'payments', namespace: 'shop' },
    spec: { scaleTargetRef: { kind: 'Deployment', name: 'payments' }, minReplicas: 1, maxReplicas: 9 },
  })
  await until('the autoscaler is known', async () => (await words(4)).includes('autoscaler payments'), 90)
  expect(cluster.server.effects).toEqual([])
})

test('an autoscaler or a budget that cannot be read is not taken for none, and stands in the way of nothing else', async () => {
  const blind = await startCluster((server) => {
    seed(server)
    server.refused.add('list horizontalpodautoscalers')
  })
  const unbudgeted = await startCluster((server) => {
    seed(server)
    server.refused.add('list poddisruptionbudgets')
  })
  try {
    await expect(actionOf('scale', blind.integrations).observe(where)).rejects.toMatchObject({
      code: 'permission',
      message: expect.stringContaining('not known whether an autoscaler scales it'),
    })
    expect(await actionOf('restart', blind.integrations).observe(where)).not.toBeNull()
    const scale = actionOf('scale', unbudgeted.integrations)
    const observation = await scale.observe(where)
    if (!observation) throw new Error('nothing to see')
    const step = { planId: 'plan', target: observation.target, preconditions: observation.preconditions }
    const fewer = await scale.effect({ ...step, parameters: { replicas: 2 } }, 'execution-1', never)
    expect(fewer).toMatchObject({ result: 'refused', words: expect.stringContaining('not known whether a disruption budget') })
    expect(unbudgeted.server.effects).toEqual([])
    // More pods are against no budget.
    expect(await scale.effect({ ...step, parameters: { replicas: 4 } }, 'execution-2', never)).toEqual({ result: 'applied' })
  } finally {
    await blind.stop()
    await unbudgeted.stop()
  }
})

test('an undo of a scaling puts the number back', async () => {
  const scale = actionOf('scale')
  const step = await stepOf(scale, { replicas: 6 })
  const observation = await scale.observe(where)
  if (!observation) throw new Error('nothing to see')
  const undo = scale.undo(step, observation)
  expect(await scale.effect(step, 'execution-1', never)).toEqual({ result: 'applied' })
  expect(
    await scale.effect({ ...step, parameters: undo?.parameters ?? {}, preconditions: undo?.preconditions ?? [] }, 'execution-2', never),
  ).toEqual({
    result: 'applied',
  })
  expect(deployment().spec.replicas).toBe(3)
})

test.each([
  [{ maxUnavailable: 1 }, 'possible'],
  [{ maxUnavailable: '20%' }, 'possible'],
  [{ minAvailable: '80%' }, 'possible'],
  [{ minAvailable: 3 }, 'possible'],
  [{ minAvailable: 4 }, 'its disruption budget needs 4 healthy pods'],
])('from six back to three pods with a budget of %j: %s', async (budget, outcome) => {
  const scale = actionOf('scale')
  expect(await scale.effect(await stepOf(scale, { replicas: 6 }), 'execution-1', never)).toEqual({ result: 'applied' })
  // As its controller does: what is asked for grows with the pods there are.
  cluster.server.apply(BUDGETS, {
    metadata: { name: 'payments', namespace: 'shop' },
    spec: { selector: { matchLabels: { app: 'payments' } }, ...budget },
    status: { currentHealthy: 6, desiredHealthy: 5, disruptionsAllowed: 1, expectedPods: 6 },
  })
  // What was written before on the same watch is known as well.
  cluster.server.apply(BUDGETS, {
    metadata: { name: 'fence', namespace: 'shop' },
    spec: { selector: { matchLabels: { app: 'payments' } }, minAvailable: 6 },
    status: { currentHealthy: 6, desiredHealthy: 6, disruptionsAllowed: 0, expectedPods: 6 },
  })
  const back = async (): Promise<string> => {
    try {
      await scale.dryRun(await stepOf(scale, { replicas: 3 }))
      return 'possible'
    } catch (error) {
      if (!(error instanceof IntegrationError)) throw error
      return error.message
    }
  }
  await until('the budgets are known', async () => (await back()).includes('needs 6 healthy'), 90)
  cluster.server.delete(`${BUDGETS}/fence`)
  const words = await until(
    'the fence is gone',
    async () => {
      const said = await back()
      return said.includes('needs 6 healthy') ? null : said
    },
    90,
  )
  expect(words).toContain(outcome)
})

test('contracts, commands and marks of owners are fit for a card', async () => {
  cluster.server.change(`${DEPLOYMENTS}/payments`, ({ metadata }) => {
    metadata['labels'] = { app: 'payments', 'argocd.argoproj.io/instance': 'shop' }
  })
  for (const verb of ['restart', 'rollback', 'scale']) {
    const action = actionOf(verb)
    const step = await stepOf(action, verb === 'rollback' ? await previousOf(action) : verb === 'scale' ? { replicas: 4 } : {})
    const observation = await action.observe(where)
    if (!observation) throw new Error('nothing to see')
    expect(successContractSchema.safeParse(action.success(step, observation)).success).toBe(true)
    expect((await action.dryRun(step)).downtime).toContain('Argo CD (application shop) owns it and puts it back')
    expect(action.byHand?.command({ ...step, incident: 'INC-1' })).toMatch(
      /^kubectl --context test -n shop (rollout restart|rollout undo|scale) deployment\/payments( --\S+)?$/,
    )
    expect(await action.readState(step.target, ['rollout', 'replicas', 'nothing'])).toEqual({
      rollout: 'complete',
      replicas: 3,
      nothing: null,
    })
    expect(action.definition.maxTtlSeconds).toBeLessThanOrEqual(3_600)
  }
})
