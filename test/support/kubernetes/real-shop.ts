import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node'
import { parseAllDocuments } from 'yaml'
import { createApi, type KubernetesApi } from '../../../integrations/kubernetes/api.ts'
import { statusOf } from '../../../integrations/kubernetes/faults.ts'
import { until } from '../live/until.ts'

const WITHIN_SECONDS = 180

/** A namespace of its own on a real cluster, with a shop in it that nobody runs: what its pods tell is written by the test. */
export interface RealShop {
  namespace: string
  api: KubernetesApi
  create(object: Record<string, unknown>): Promise<void>
  /** Gives payments another image and waits until its rollout is complete. */
  release(image: string): Promise<void>
  imageOf(service: string): Promise<string>
  /** Writes the status of the containers of one pod that is not ready, as its node would. */
  podStatus(containerStatuses: readonly object[]): Promise<string>
  remove(): Promise<void>
}

export async function openRealShop(kubeconfig: string, namespace: string): Promise<RealShop> {
  const config = new KubeConfig()
  config.loadFromFile(kubeconfig)
  const api = createApi({ ok: true, config, context: config.getCurrentContext() }, { now: () => new Date(), impersonateGroup: null })
  const create = async (object: Record<string, unknown>): Promise<void> => await createObject(api, object)
  const deployment = `/apis/apps/v1/namespaces/${namespace}/deployments/payments`
  await create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
  for (const node of NODES) await create(node).catch(ignoreConflict)
  const read = async (): Promise<Deployment> => (await api.get(deployment)) as Deployment
  const rolledOut = async (): Promise<boolean> => {
    const { metadata, spec, status } = await read()
    return (
      status.observedGeneration === metadata.generation &&
      status.updatedReplicas === spec.replicas &&
      status.availableReplicas === spec.replicas &&
      status.replicas === spec.replicas
    )
  }
  return {
    namespace,
    api,
    create,
    async release(image) {
      if (!(await isThere(api, deployment))) await create(paymentsOf(namespace, image))
      else
        await api.patch(deployment, [{ op: 'replace', path: '/spec/template/spec/containers/0/image', value: image }], {
          fieldManager: 'kubectl-set',
        })
      await until(`the rollout of ${image}`, rolledOut, WITHIN_SECONDS)
    },
    imageOf: async () => (await read()).spec.template.spec.containers[0]?.image ?? '',
    async podStatus(containerStatuses) {
      const { items } = (await api.get(`/api/v1/namespaces/${namespace}/pods`, { labelSelector: 'app=payments' })) as PodList
      const { name } = items.find(({ metadata }) => metadata.deletionTimestamp === undefined)?.metadata ?? { name: '' }
      const conditions = ['Ready', 'ContainersReady'].map((type) => ({ type, status: 'False', reason: 'ContainersNotReady' }))
      const status = [
        { op: 'add', path: '/status/containerStatuses', value: containerStatuses },
        { op: 'replace', path: '/status/conditions', value: [...KEPT_CONDITIONS, ...conditions] },
      ] as const
      await api.patch(`/api/v1/namespaces/${namespace}/pods/${name}/status`, status, {})
      return name
    },
    remove: async () => void (await config.makeApiClient(CoreV1Api).deleteNamespace({ name: namespace })),
  }
}

interface PodList {
  items: { metadata: { name: string; deletionTimestamp?: string } }[]
}

const KEPT_CONDITIONS = ['Initialized', 'PodScheduled'].map((type) => ({ type, status: 'True' }))

interface Deployment {
  metadata: { generation: number }
  spec: { replicas: number; template: { spec: { containers: { image: string }[] } } }
  status: { observedGeneration?: number; updatedReplicas?: number; availableReplicas?: number; replicas?: number }
}

/**
 * The rules of docs/kubernetes.md, for this namespace and that of Argo CD, where there is one, bound to a user: what is printed there is what is tried
 * here.
 */
export async function grantDocumentedRights(shop: RealShop, user: string, argocdNamespace: string | null = null): Promise<void> {
  const text = readFileSync(join(import.meta.dirname, '..', '..', '..', 'docs', 'kubernetes.md'), 'utf8')
  const blocks = [...text.matchAll(/```yaml\n(apiVersion: rbac[\s\S]*?)```/g)].map(([, block = '']) => block)
  const wanted = blocks.filter((block) => argocdNamespace !== null || !block.includes('namespace: argocd'))
  const here = wanted.map((block) =>
    block.replaceAll('namespace: shop', `namespace: ${shop.namespace}`).replaceAll('namespace: argocd', `namespace: ${argocdNamespace}`),
  )
  for (const document of here.flatMap((block) => parseAllDocuments(block))) {
    const role = document.toJS() as { kind: string; metadata: { name: string; namespace?: string } }
    await shop.create(role).catch(ignoreConflict)
    const subjects = [{ kind: 'User', name: user, apiGroup: 'rbac.authorization.k8s.io' }]
    const roleRef = { kind: role.kind, name: role.metadata.name, apiGroup: 'rbac.authorization.k8s.io' }
    await shop
      .create({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: `${role.kind}Binding`, metadata: role.metadata, subjects, roleRef })
      .catch(ignoreConflict)
  }
}

/** Creates what a manifest says, where its kind and namespace say. */
export async function createObject(api: KubernetesApi, object: Record<string, unknown>): Promise<void> {
  const { apiVersion, kind, metadata } = object as { apiVersion: string; kind: string; metadata: { namespace?: string } }
  const place = metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`
  await api.post(`/${apiVersion.includes('/') ? 'apis' : 'api'}/${apiVersion}${place}/${kind.toLowerCase()}s`, object, { asGroup: false })
}

export function ignoreConflict(error: unknown): void {
  if (statusOf(error) !== 409) throw error
}

async function isThere(api: KubernetesApi, path: string): Promise<boolean> {
  try {
    await api.get(path)
    return true
  } catch {
    return false
  }
}

export const NODES = ['node-0', 'node-1', 'node-2'].map((name) => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, labels: { type: 'kwok', 'kubernetes.io/hostname': name }, annotations: { 'kwok.x-k8s.io/node': 'fake' } },
  status: { allocatable: { cpu: '16', memory: '64Gi', pods: '500' }, capacity: { cpu: '16', memory: '64Gi', pods: '500' } },
}))

function paymentsOf(namespace: string, image: string): Record<string, unknown> {
  const labels = { app: 'payments' }
  const container = { name: 'app', image, resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { memory: '128Mi' } } }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'payments', namespace, labels },
    spec: { replicas: 3, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers: [container] } } },
  }
}
