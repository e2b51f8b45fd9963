import { until } from '../live/until.ts'
import type { ApiServer, Manifest } from './api-server.ts'
import { actionIn } from './narrow-shop.ts'
import { type ShopCluster, seedDeployment, startCluster } from './shop-cluster.ts'

export const ARGOCD = 'argocd'
export const APPLICATIONS = `/apis/argoproj.io/v1alpha1/namespaces/${ARGOCD}/applications`
export const PROJECTS = `/apis/argoproj.io/v1alpha1/namespaces/${ARGOCD}/appprojects`
export const SHOP_APPLICATION = `${APPLICATIONS}/shop`
export const shop = { environment: 'production', name: 'shop' }

/** Commits of the shop's repository, the newest last. */
export const [FIRST, SECOND, THIRD] = ['1', '2', '3'].map((digit) => digit.repeat(40)) as [string, string, string]
export const AUTOMATED = { prune: true, selfHeal: true }

/** What the repository says of the shop at one commit, as an application names it. */
export function sourceOf(image: string): Record<string, unknown> {
  return {
    repoURL: 'https://git.example.com/shop.git',
    path: 'deploy',
    targetRevision: 'main',
    kustomize: { images: [`shop/payments:${image}`] },
    helm: { parameters: [{ name: 'password', value: 'correct-horse' }] },
  }
}

/** An application as its controller leaves it: payments in it, deployed twice, out of step with a third commit. */
export function applicationOf(spec: object = {}, status: object = {}): Manifest {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: 'shop', namespace: ARGOCD },
    spec: {
      project: 'default',
      destination: { server: 'https://kubernetes.default.svc', namespace: 'shop' },
      source: sourceOf('v43'),
      ...spec,
    },
    status: {
      sync: { status: 'OutOfSync', revision: THIRD },
      health: { status: 'Degraded' },
      reconciledAt: '2026-03-01T10:40:00Z',
      history: [deployed(3, FIRST, 'v41', '2026-03-01T09:00:00Z'), deployed(4, SECOND, 'v42', '2026-03-01T10:30:00Z')],
      operationState: {
        phase: 'Succeeded',
        startedAt: '2026-03-01T10:29:00Z',
        finishedAt: '2026-03-01T10:30:00Z',
        operation: { sync: { revision: SECOND }, initiatedBy: { username: 'anna' } },
        syncResult: { revision: SECOND },
      },
      resources: [
        { group: 'apps', version: 'v1', kind: 'Deployment', namespace: 'shop', name: 'payments', status: 'OutOfSync' },
        { group: '', version: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'rates', status: 'Synced' },
        { group: '', version: 'v1', kind: 'Service', namespace: 'shop', name: 'old', status: 'OutOfSync', requiresPruning: true },
      ],
      ...status,
    },
  }
}

export function deployed(id: number, revision: string, image: string, deployedAt: string): object {
  return { id, revision, deployedAt, source: sourceOf(image), initiatedBy: { username: 'anna' } }
}

/** Payments and orders; payments is managed by the application of the shop. */
export function seedArgoShop(server: ApiServer): void {
  for (const name of ['payments', 'orders']) seedDeployment(server, name, [{ image: `shop/${name}:v41` }, { image: `shop/${name}:v42` }])
  server.apply(APPLICATIONS, applicationOf())
  server.apply(PROJECTS, { metadata: { name: 'default', namespace: ARGOCD }, spec: {} })
}

const VERBS = ['argo-pause', 'argo-sync', 'argo-rollback']
const WITHIN_SECONDS = 90

/** The shop with all that may be done to its application. */
export async function startArgoShop(more: readonly string[] = []): Promise<ShopCluster> {
  const actions = [...VERBS, ...more].map((verb) => `kubernetes.${verb}`)
  return await startCluster(seedArgoShop, { argocdNamespace: ARGOCD, actions })
}

/** The application made anew, and seen. */
export async function resetArgoShop(cluster: ShopCluster): Promise<void> {
  const { server } = cluster
  server.interfere = () => null
  server.refused.clear()
  server.delete(SHOP_APPLICATION)
  server.delete(`${PROJECTS}/default`)
  seedArgoShop(server)
  server.effects.length = 0
  await until(
    'the application is seen',
    async () =>
      (await actionIn(cluster, 'argo-pause')
        .byHand?.concerns?.('shop')
        .catch(() => null)) !== null,
    WITHIN_SECONDS,
  )
}

interface Asked {
  sync: { revision: string; source?: object }
}

/** What the controller of Argo CD does with an operation that is asked for: takes it off, deploys, and writes down what it did. */
export function playOperation(server: ApiServer): void {
  server.change(SHOP_APPLICATION, (object) => {
    const { operation, spec, status } = object as unknown as {
      operation: Asked
      spec: { source: object }
      status: { history: { id: number }[] }
    }
    const { revision, source = spec.source } = operation.sync
    Reflect.deleteProperty(object, 'operation')
    const at = new Date().toISOString()
    const id = Math.max(...status.history.map((each) => each.id)) + 1
    Object.assign(status, {
      health: { status: 'Healthy' },
      operationState: { phase: 'Succeeded', startedAt: at, finishedAt: at, operation, syncResult: { revision } },
      history: [...status.history, { id, revision, deployedAt: at, source, initiatedBy: { username: 'steadyhand' } }],
    })
  })
}
