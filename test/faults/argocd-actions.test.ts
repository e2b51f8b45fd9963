import { expect, it } from 'vitest'
import type { Parameters, Step } from '../../integrations/ports/action.ts'
import { faultOptions } from '../support/fault-options.ts'
import { AUTOMATED, playOperation, resetArgoShop, SHOP_APPLICATION, shop, startArgoShop, THIRD } from '../support/kubernetes/argocd-shop.ts'
import { FATES, underFate } from '../support/kubernetes/fates.ts'
import { actionIn } from '../support/kubernetes/narrow-shop.ts'
import type { ShopCluster } from '../support/kubernetes/shop-cluster.ts'
import { print } from './crash/lane-report.ts'
import { createRandom } from './crash/random.ts'

const { seed } = faultOptions()
const ROUNDS = 150
const TIMEOUT_MS = 900_000
const never = new AbortController().signal

const CASES: readonly { verb: string; parameters: Parameters; automated?: object }[] = [
  { verb: 'argo-pause', parameters: { autoSync: 'off' }, automated: AUTOMATED },
  { verb: 'argo-sync', parameters: { revision: THIRD } },
  { verb: 'argo-rollback', parameters: { id: 3 } },
]

/** What an undo has to put back: the settings, byte for byte, and what the newest deployment deployed. */
function stateOf({ server }: ShopCluster): string {
  const { spec, status } = server.object(SHOP_APPLICATION) as unknown as {
    spec: object
    status: { history: { revision: string; source: object }[] }
  }
  const { revision, source } = status.history.at(-1) ?? { revision: '', source: {} }
  return JSON.stringify({ spec, revision, source })
}

/** What its controller does with what was asked for. */
function play({ server }: ShopCluster): void {
  if (server.object(SHOP_APPLICATION)?.['operation'] !== undefined) playOperation(server)
}

it('Argo CD is asked once for each click, the probe tells the truth before and after it acted, and the undo puts all back', {
  timeout: TIMEOUT_MS,
}, async () => {
  const random = createRandom(seed)
  const cluster = await startArgoShop()
  const broken: string[] = []
  try {
    for (let round = 0; round < ROUNDS; round += 1) {
      await resetArgoShop(cluster)
      const { verb, parameters, automated } = CASES[round % CASES.length] as (typeof CASES)[number]
      if (automated)
        cluster.server.change(SHOP_APPLICATION, (object) => Object.assign(object['spec'] as object, { syncPolicy: { automated } }))
      const action = actionIn(cluster, verb)
      const observation = await action.observe(shop)
      if (!observation) throw new Error('nothing to approve')
      const { target, preconditions } = observation
      const undo = action.undo({ planId: 'plan', target, preconditions, parameters }, observation)
      if (!undo) throw new Error('there is no way back')
      const original = stateOf(cluster)
      const steps: Step[] = [
        { planId: 'plan', target, preconditions, parameters },
        { planId: 'undo', target, preconditions: undo.preconditions, parameters: undo.parameters },
      ]
      for (const [at, step] of steps.entries()) {
        const fate = FATES[random.below(FATES.length)] ?? 'well'
        const id = `execution-${round}-${at}`
        const { result } = await underFate(cluster, fate, action, step, id)
        const told = `${verb}${at === 0 ? '' : ' undone'}, ${fate}`
        const before = await action.probe(step, id, never)
        play(cluster)
        const after = await action.probe(step, id, never)
        if (cluster.server.effects.length !== at + 1) broken.push(`${told}: ${cluster.server.effects.length - at} effects`)
        if (result === 'refused') broken.push(`${told}: told as refused`)
        if (before !== 'applied' || after !== 'applied') broken.push(`${told}: probed ${before}, then ${after}`)
      }
      if (stateOf(cluster) !== original) broken.push(`${verb}: the undo left something`)
    }
  } finally {
    await cluster.stop()
  }
  print('actions of Argo CD under lost, late and doubled messages', { seed, rounds: ROUNDS, broken: broken.length })
  expect(broken).toEqual([])
})
