import { expect, it } from 'vitest'
import type { Parameters, Step } from '../../integrations/ports/action.ts'
import { faultOptions } from '../support/fault-options.ts'
import { FATES, underFate } from '../support/kubernetes/fates.ts'
import { actionIn, NODES, node, payments, resetNarrowShop, startNarrowShop, uidAt } from '../support/kubernetes/narrow-shop.ts'
import { AUTOSCALERS, DEPLOYMENTS, PODS, type ShopCluster } from '../support/kubernetes/shop-cluster.ts'
import { print } from './crash/lane-report.ts'
import { createRandom } from './crash/random.ts'

const { seed } = faultOptions()
const ROUNDS = 250
const TIMEOUT_MS = 900_000
const never = new AbortController().signal

/** What each of them is asked to do, and the object that it changes. */
const CASES: readonly { verb: string; where: typeof payments; path: string; parameters(cluster: ShopCluster): Parameters }[] = [
  {
    ...{ verb: 'autoscaler', where: payments, path: `${AUTOSCALERS}/payments` },
    parameters: () => ({ minReplicas: 2, maxReplicas: 8 }),
  },
  {
    ...{ verb: 'set-resources', where: payments, path: `${DEPLOYMENTS}/payments` },
    parameters: () => ({ container: 'app', memoryLimit: '384Mi' }),
  },
  { verb: 'pause', where: payments, path: `${DEPLOYMENTS}/payments`, parameters: () => ({ paused: true }) },
  { verb: 'cordon', where: node, path: `${NODES}/node-0`, parameters: () => ({ cordoned: true }) },
  {
    ...{ verb: 'delete-pod', where: payments, path: `${DEPLOYMENTS}/payments` },
    parameters: ({ server }) => ({ pod: 'payments-a', uid: uidAt(server, `${PODS}/payments-a`) }),
  },
]

/** Without what an undo leaves where there was nothing. */
function specAt({ server }: ShopCluster, path: string): string {
  const { paused, unschedulable, ...spec } = structuredClone(server.object(path)?.['spec'] as Record<string, unknown>)
  return JSON.stringify({ ...spec, ...(paused === true ? { paused } : {}), ...(unschedulable === true ? { unschedulable } : {}) })
}

it('the narrower actions apply once, their probes tell the truth, and their undo puts all back, whatever becomes of messages', {
  timeout: TIMEOUT_MS,
}, async () => {
  const random = createRandom(seed)
  const cluster = await startNarrowShop()
  const broken: string[] = []
  try {
    for (let round = 0; round < ROUNDS; round += 1) {
      await resetNarrowShop(cluster)
      const each = CASES[round % CASES.length] as (typeof CASES)[number]
      const action = actionIn(cluster, each.verb)
      const observation = await action.observe(each.where)
      if (!observation) throw new Error('nothing to approve')
      const { target, preconditions } = observation
      const step: Step = { planId: 'plan', target, preconditions, parameters: each.parameters(cluster) }
      const original = specAt(cluster, each.path)
      const undo = action.undo(step, observation)
      const steps = [step, ...(undo ? [{ ...step, parameters: undo.parameters, preconditions: undo.preconditions }] : [])]
      for (const [at, one] of steps.entries()) {
        const fate = FATES[random.below(FATES.length)] ?? 'well'
        const id = `execution-${round}-${at}`
        const { result } = await underFate(cluster, fate, action, one, id)
        const probed = await action.probe(one, id, never)
        const told = `${each.verb}${at === 0 ? '' : ' undone'}, ${fate}`
        if (cluster.server.effects.length !== at + 1) broken.push(`${told}: ${cluster.server.effects.length - at} effects`)
        if (result === 'refused') broken.push(`${told}: told as refused`)
        if (probed !== 'applied') broken.push(`${told}: probed ${probed}`)
      }
      if (undo && specAt(cluster, each.path) !== original) broken.push(`${each.verb}: the undo left something`)
    }
  } finally {
    await cluster.stop()
  }
  print('narrower actions under lost, late and doubled messages', { seed, rounds: ROUNDS, broken: broken.length })
  expect(broken).toEqual([])
})
