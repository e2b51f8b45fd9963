import { expect, it } from 'vitest'
import type { Action, EffectResult, Step } from '../../integrations/ports/action.ts'
import { faultOptions } from '../support/fault-options.ts'
import { churn, DEPLOYMENTS, type ShopCluster, seedDeployment, startCluster } from '../support/kubernetes/shop-cluster.ts'
import { print, upperBound } from './crash/lane-report.ts'
import { createRandom } from './crash/random.ts'

const { seed } = faultOptions()
const MUTATIONS = 1_000
const APPROVALS = 1_000
const LOST = 300
const TIMEOUT_MS = 900_000
const where = { environment: 'production', name: 'payments' }
const never = new AbortController().signal

const OLD = { image: 'shop/payments:v41' }
const NEW = { image: 'shop/payments:v42' }

interface Deployment {
  spec: {
    replicas: number
    paused?: boolean
    template: { metadata: { labels: Record<string, string> }; spec: { containers: { image: string; env: unknown[] }[] } }
  }
}

/** What somebody else may do to a deployment so that an approved action no longer means what its card said. */
const MUTATIONS_OF: Readonly<Record<string, readonly ((deployment: Deployment, round: number) => void)[]>> = {
  'kubernetes.rollback': [image, environment, label, paused],
  'kubernetes.restart': [image, environment, label, paused],
  'kubernetes.scale': [replicas],
}

function image({ spec }: Deployment, round: number): void {
  for (const container of spec.template.spec.containers) container.image = `shop/payments:other-${round}`
}
function environment({ spec }: Deployment, round: number): void {
  for (const container of spec.template.spec.containers) container.env = [{ name: 'ROUND', value: String(round) }]
}
function label({ spec }: Deployment, round: number): void {
  spec.template.metadata.labels = { ...spec.template.metadata.labels, round: String(round) }
}
function paused({ spec }: Deployment): void {
  spec.paused = true
}
function replicas({ spec }: Deployment): void {
  spec.replicas += 1
}

async function withCluster<T>(work: (cluster: ShopCluster, actions: readonly Action[]) => Promise<T>): Promise<T> {
  const cluster = await startCluster((server) => seedDeployment(server, 'payments', [OLD, NEW]))
  try {
    return await work(
      cluster,
      cluster.integrations.flatMap(({ actions = [] }) => actions),
    )
  } finally {
    await cluster.stop()
  }
}

async function approved(action: Action): Promise<Step> {
  const observation = await action.observe(where)
  const parameters =
    action.definition.kind === 'kubernetes.scale' ? { replicas: (observation?.replicas ?? 0) + 1 } : await action.byHand?.defaults(where)
  if (!observation || !parameters) throw new Error('nothing to approve')
  return { planId: 'plan', target: observation.target, parameters, preconditions: observation.preconditions }
}

/** The deployment as it was at the beginning, and nothing counted. */
function reset({ server }: ShopCluster, original: object): void {
  server.interfere = () => null
  server.change(`${DEPLOYMENTS}/payments`, (object) => {
    Object.assign(object, { spec: structuredClone(original) })
  })
  server.effects.length = 0
  server.seen.length = 0
}

const specOf = ({ server }: ShopCluster): object => structuredClone(server.object(`${DEPLOYMENTS}/payments`)?.['spec'] as object)

it('has no effect on a target that changed between the click and the call', { timeout: TIMEOUT_MS }, async () => {
  const random = createRandom(seed)
  const ends = await withCluster(async (cluster, actions) => {
    const original = specOf(cluster)
    const counted: Record<string, number> = {}
    let effects = 0
    for (let round = 0; round < MUTATIONS; round += 1) {
      reset(cluster, original)
      const action = actions[round % actions.length] as Action
      const step = await approved(action)
      const mutations = MUTATIONS_OF[action.definition.kind] ?? []
      const mutation = mutations[random.below(mutations.length)]
      const mutate = () => cluster.server.change(`${DEPLOYMENTS}/payments`, (object) => mutation?.(object as unknown as Deployment, round))
      // Before the last look, or between it and the call.
      if (random.below(2) === 0) mutate()
      else {
        let done = false
        cluster.server.interfere = ({ method }) => {
          if (method === 'PATCH' && !done) {
            done = true
            mutate()
          }
          return null
        }
      }
      const result = await action.effect(step, `execution-${round}`, never)
      effects += cluster.server.effects.length
      const end = result.result === 'refused' ? result.reason : result.result
      counted[end] = (counted[end] ?? 0) + 1
    }
    return { ...counted, effects }
  })
  print('targets that changed between click and call', { seed, rounds: MUTATIONS, ...ends })
  expect(ends).toEqual({ 'stale-target': MUTATIONS, effects: 0 })
  print('effects on a changed target', { bound: upperBound(MUTATIONS) })
})

it('applies what was approved on a busy deployment whose status never rests', { timeout: TIMEOUT_MS }, async () => {
  const random = createRandom(seed)
  const aborted = await withCluster(async (cluster, actions) => {
    const original = specOf(cluster)
    let count = 0
    for (let round = 0; round < APPROVALS; round += 1) {
      reset(cluster, original)
      const action = actions[round % actions.length] as Action
      const step = await approved(action)
      let left = random.below(4)
      cluster.server.interfere = ({ method }) => {
        if (method === 'PATCH' && left-- > 0) churn(cluster.server, 'payments')
        return null
      }
      const { result } = await action.effect(step, `execution-${round}`, never)
      if (result !== 'applied' || cluster.server.effects.length !== 1) count += 1
    }
    return count
  })
  print('approvals on a busy deployment', { seed, rounds: APPROVALS, aborted })
  expect(aborted).toBeLessThanOrEqual(APPROVALS / 100)
})

it('applies once when replies are dropped and requests arrive twice, and the mark tells the truth', { timeout: TIMEOUT_MS }, async () => {
  const random = createRandom(seed)
  const broken = await withCluster(async (cluster, actions) => {
    const original = specOf(cluster)
    const found: string[] = []
    for (let round = 0; round < LOST; round += 1) {
      reset(cluster, original)
      const action = actions[round % actions.length] as Action
      const step = await approved(action)
      const wishes = ['drop-reply', 'twice', null] as const
      const wish = wishes[random.below(wishes.length)] ?? null
      cluster.server.interfere = ({ method }) => (method === 'PATCH' ? wish : null)
      const id = `execution-${round}`
      const result: EffectResult = await action.effect(step, id, never)
      cluster.server.interfere = () => null
      const truth = cluster.server.effects.length === 1 ? 'applied' : 'not-applied'
      const probed = await action.probe(step, id, never)
      if (cluster.server.effects.length !== 1) found.push(`${wish}: ${cluster.server.effects.length} effects`)
      if (probed !== truth) found.push(`${wish}: probed ${probed}, was ${truth}`)
      if (result.result === 'refused') found.push(`${wish}: told as refused`)
    }
    return found
  })
  print('lost and doubled messages', { seed, rounds: LOST, broken: broken.length })
  expect(broken).toEqual([])
})
