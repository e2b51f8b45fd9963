import type { Action } from '../../../integrations/ports/action.ts'
import { until } from '../live/until.ts'
import { AUTOSCALERS, BUDGETS, DEPLOYMENTS, PODS, REPLICA_SETS, type ShopCluster, seedDeployment, startCluster } from './shop-cluster.ts'

export const NODES = '/api/v1/nodes'
export const payments = { environment: 'production', name: 'payments' }
export const node = { environment: 'production', name: 'node-0' }

const VERBS = ['autoscaler', 'set-resources', 'pause', 'delete-pod', 'cordon']
const WITHIN_SECONDS = 90

/** As the template of payments has it. */
export const APP = { name: 'app', image: 'shop/payments:v41', resources: { limits: { memory: '256Mi' } } }

/** Payments with two pods, one of them killed at its memory limit, an autoscaler at its end, and three nodes. */
export async function startNarrowShop(): Promise<ShopCluster> {
  return await startCluster(seedNarrowShop, { actions: VERBS.map((verb) => `kubernetes.${verb}`) })
}

/** All of it made anew, and seen. */
export async function resetNarrowShop(cluster: ShopCluster): Promise<void> {
  const { server } = cluster
  server.interfere = () => null
  server.refused.clear()
  for (const path of [
    `${BUDGETS}/payments`,
    `${DEPLOYMENTS}/payments`,
    `${REPLICA_SETS}/payments-hash1`,
    `${AUTOSCALERS}/payments`,
    `${NODES}/node-0`,
    `${PODS}/payments-a`,
    `${PODS}/payments-b`,
  ])
    server.delete(path)
  seedNarrowShop(server)
  server.effects.length = 0
  const uids = [`${DEPLOYMENTS}/payments`, `${AUTOSCALERS}/payments`, `${NODES}/node-0`].map((path) => server.object(path)?.metadata.uid)
  await until(
    'the cache shows what is there now',
    async () => {
      const looks = [
        actionIn(cluster, 'pause').observe(payments),
        actionIn(cluster, 'autoscaler').observe(payments),
        actionIn(cluster, 'cordon').observe(node),
      ]
      const seen = await Promise.all(looks).catch(() => null)
      return seen?.every((each, index) => each?.target.uid === uids[index]) ?? false
    },
    WITHIN_SECONDS,
  )
}

export function actionIn({ integrations }: ShopCluster, verb: string): Action {
  const found = integrations.flatMap(({ actions = [] }) => actions).find(({ definition }) => definition.kind === `kubernetes.${verb}`)
  if (!found) throw new Error(`there is no ${verb}`)
  return found
}

export function seedNarrowShop(server: ShopCluster['server']): void {
  seedDeployment(server, 'payments', [{ image: 'shop/payments:v41' }])
  seedPod(server, 'payments-a', { ready: 'False', lastState: killedAt(new Date()) })
  seedPod(server, 'payments-b', { ready: 'True' })
  server.apply(AUTOSCALERS, {
    metadata: { name: 'payments', namespace: 'shop' },
    spec: { scaleTargetRef: { kind: 'Deployment', name: 'payments' }, minReplicas: 2, maxReplicas: 4 },
    status: { currentReplicas: 4, desiredReplicas: 4 },
  })
  for (const name of ['node-0', 'node-1', 'node-2'])
    server.apply(NODES, { metadata: { name }, spec: {}, status: { conditions: [{ type: 'Ready', status: 'True' }] } })
}

function killedAt(at: Date): object {
  return { terminated: { reason: 'OOMKilled', exitCode: 137, finishedAt: at.toISOString() } }
}

function seedPod(server: ShopCluster['server'], name: string, { ready, lastState }: { ready: string; lastState?: object }): void {
  server.apply(PODS, {
    metadata: {
      name,
      namespace: 'shop',
      labels: { app: 'payments' },
      ownerReferences: [
        { kind: 'ReplicaSet', name: 'payments-hash1', uid: uidAt(server, `${REPLICA_SETS}/payments-hash1`), controller: true },
      ],
    },
    spec: { nodeName: 'node-0', containers: [APP], volumes: [{ name: 'scratch', emptyDir: {} }] },
    status: {
      phase: 'Running',
      conditions: [{ type: 'Ready', status: ready }],
      containerStatuses: [{ name: 'app', ready: ready === 'True', restartCount: 2, ...(lastState ? { lastState } : {}) }],
    },
  })
}

export function uidAt(server: ShopCluster['server'], path: string): string {
  return String(server.object(path)?.metadata.uid)
}
