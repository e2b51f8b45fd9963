import { setTimeout as pause } from 'node:timers/promises'
import { ApiException, CoreV1Api, KubeConfig } from '@kubernetes/client-node'
import { createApi } from '../../integrations/kubernetes/api.ts'
import { createObject, ignoreConflict, NODES } from '../../test/support/kubernetes/real-shop.ts'

const AT_ONCE = 24
/** The controllers of a control plane make about twenty pods a second. */
const READY_WITHIN_MS = 15 * 60_000

/** Namespaces with many pods on a real control plane. Their pods run nothing. */
export interface Namespaces {
  /** Deployments of as many pods each, until every pod is ready. */
  runServices(namespace: string, size: { services: number; pods: number }): Promise<void>
  /** Pods of nobody that no node is found for, each with the status of a running one: it takes seconds, where controllers take many minutes. */
  fill(namespace: string, pods: number): Promise<void>
  remove(...namespaces: readonly string[]): Promise<void>
}

export function openNamespaces(kubeconfig: string): Namespaces {
  const config = new KubeConfig()
  config.loadFromFile(kubeconfig)
  const api = createApi({ ok: true, config, context: config.getCurrentContext() }, { now: () => new Date(), impersonateGroup: null })
  const create = async (object: Record<string, unknown>): Promise<void> => await createObject(api, object)
  const open = async (name: string): Promise<void> => await create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  return {
    async runServices(namespace, { services, pods }) {
      await open(namespace)
      for (const node of NODES) await create(node).catch(ignoreConflict)
      const each = pods / services
      await inParallel(services, async (index) => await create(deployment(namespace, `service-${index}`, each)))
      const path = `/apis/apps/v1/namespaces/${namespace}/deployments`
      const deadline = Date.now() + READY_WITHIN_MS
      const readyPods = async (): Promise<number> => {
        const { items } = (await api.get(path)) as { items: { status?: { readyReplicas?: number } }[] }
        return items.reduce((sum, { status }) => sum + (status?.readyReplicas ?? 0), 0)
      }
      while ((await readyPods()) < pods) {
        if (Date.now() > deadline) throw new Error(`after ${READY_WITHIN_MS / 1_000} s not all of ${pods} pods are ready`)
        await pause(1_000)
      }
    },
    async fill(namespace, pods) {
      await open(namespace)
      await inParallel(pods, async (index) => {
        const name = `pod-${index}`
        await api.post(`/api/v1/namespaces/${namespace}/pods`, lonePod(namespace, name), { asGroup: false })
        await api.patch(`/api/v1/namespaces/${namespace}/pods/${name}/status`, [{ op: 'replace', path: '/status', value: RUNNING }], {})
      })
    },
    async remove(...namespaces) {
      const core = config.makeApiClient(CoreV1Api)
      for (const name of namespaces) await core.deleteNamespace({ name }).catch(notThere)
    },
  }
}

function notThere(error: unknown): void {
  if (!(error instanceof ApiException && error.code === 404)) throw error
}

async function inParallel(count: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < count) await work(next++)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

/** As large as pods of real services are: settings, probes, amounts. */
function podSpec(): Record<string, unknown> {
  const probe = { httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 10, failureThreshold: 3 }
  const env = Array.from({ length: 20 }, (_, index) => ({ name: `SETTING_${index}`, value: `value-${index}` }))
  const container = {
    ...{ name: 'app', image: 'registry.example/shop/service:v41', ports: [{ containerPort: 8080 }], env },
    ...{ livenessProbe: probe, readinessProbe: probe },
    resources: { requests: { cpu: '10m', memory: '16Mi' }, limits: { memory: '64Mi' } },
  }
  return { containers: [container], tolerations: [{ operator: 'Exists' }] }
}

function deployment(namespace: string, name: string, replicas: number): Record<string, unknown> {
  const labels = { app: name }
  const template = { metadata: { labels: { ...labels, team: 'shop', tier: 'backend' } }, spec: podSpec() }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: { replicas, selector: { matchLabels: labels }, template },
  }
}

function lonePod(namespace: string, name: string): Record<string, unknown> {
  const metadata = { name, namespace, labels: { app: `service-${name.length}`, team: 'shop', tier: 'backend' } }
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { ...podSpec(), schedulerName: 'nobody' } }
}

const SINCE = '2026-01-01T10:00:00Z'
const RUNNING = {
  phase: 'Running',
  startTime: SINCE,
  conditions: ['Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map((type) => ({
    type,
    status: 'True',
    lastTransitionTime: SINCE,
  })),
  containerStatuses: [
    {
      ...{ name: 'app', image: 'registry.example/shop/service:v41', imageID: 'sha256:0', ready: true, started: true, restartCount: 0 },
      state: { running: { startedAt: SINCE } },
    },
  ],
}
