import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Integration, IntegrationDeps } from '../../../integrations/contract.ts'
import { IntegrationError } from '../../../integrations/errors.ts'
import { createKubernetes, type KubernetesEnvironment } from '../../../integrations/kubernetes/index.ts'
import { until } from '../live/until.ts'
import { ApiServer, type Manifest } from './api-server.ts'

export const NAMESPACE = 'shop'
export const DEPLOYMENTS = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments`
export const REPLICA_SETS = `/apis/apps/v1/namespaces/${NAMESPACE}/replicasets`
export const PODS = `/api/v1/namespaces/${NAMESPACE}/pods`
export const EVENTS = `/api/v1/namespaces/${NAMESPACE}/events`
export const AUTOSCALERS = `/apis/autoscaling/v2/namespaces/${NAMESPACE}/horizontalpodautoscalers`
export const BUDGETS = `/apis/policy/v1/namespaces/${NAMESPACE}/poddisruptionbudgets`

const CHANGES_OF_WORKLOADS = ['kubernetes.restart', 'kubernetes.rollback', 'kubernetes.scale']

const FIRST_ANSWERS_SECONDS = 90
/** How long ago the newest revision came, and how far apart revisions are. */
export const AFTER_RELEASE_MS = 60_000
const BETWEEN_RELEASES_MS = 10 * 60_000

export const VERIFICATION = { settleSeconds: 1, holdSeconds: 2, withinSeconds: 60 }

/** The integration on an API server of the test's own. */
export interface ShopCluster {
  server: ApiServer
  url: string
  integrations: readonly Integration[]
  stop(): Promise<void>
}

/** Starts an API server with the integration on it; `seed` fills it before anything is read. */
export async function startCluster(
  seed: (server: ApiServer) => void,
  environment: Partial<KubernetesEnvironment> = {},
  deps: Partial<IntegrationDeps> = {},
): Promise<ShopCluster> {
  const server = new ApiServer()
  const url = await server.start()
  seed(server)
  const { path, remove } = writeKubeconfig(url)
  const integrations = createKubernetes(testDeps(deps), {
    kubeconfig: path,
    durable: [
      {
        environment: 'production',
        service: 'payments',
        repository: 'git.example.com/values',
        command: 'do change-value payments file=FILE',
      },
    ],
    environments: [
      {
        name: 'production',
        context: 'test',
        namespaces: [NAMESPACE],
        argocdNamespace: null,
        actions: CHANGES_OF_WORKLOADS,
        impersonateGroup: null,
        podLogs: true,
        verification: VERIFICATION,
        ...environment,
      },
    ],
  })
  for (const each of integrations) await each.start()
  // A loaded machine may take longer for the first answers than anybody at a card would wait.
  await until('the first answers', async () => !(await isStillReading(integrations)), FIRST_ANSWERS_SECONDS)
  return {
    server,
    url,
    integrations,
    async stop() {
      for (const each of integrations) await each.stop()
      await server.stop()
      remove()
    },
  }
}

async function isStillReading(integrations: readonly Integration[]): Promise<boolean> {
  for (const { workloads } of integrations) {
    try {
      await workloads?.list()
    } catch (error) {
      if (!(error instanceof IntegrationError)) throw error
      if (error.code === 'timeout') return true
    }
  }
  return false
}

export function testDeps(deps: Partial<IntegrationDeps> = {}): IntegrationDeps {
  const unlent = (): Promise<never> => Promise.reject(new Error('not lent'))
  const quiet = { info: () => {}, warn: () => {}, error: () => {} }
  return {
    now: () => new Date(),
    log: quiet,
    memory: { load: unlent, save: unlent },
    scrapes: { append: unlent, read: unlent },
    raise: unlent,
    ...deps,
  }
}

/** The context 'test', and one for each further server. */
export function writeKubeconfig(server: string, more: Readonly<Record<string, string>> = {}): { path: string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'steadyhand-kubeconfig-'))
  const path = join(folder, 'config')
  const servers = Object.entries({ test: server, ...more })
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    clusters: servers.map(([name, address]) => ({ name, cluster: { server: address, 'insecure-skip-tls-verify': true } })),
    users: [{ name: 'sre', user: { token: 'a-token-of-the-test' } }],
    contexts: servers.map(([name]) => ({ name, context: { cluster: name, user: 'sre' } })),
  }
  writeFileSync(path, JSON.stringify(config))
  return { path, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

interface TemplateOptions {
  image: string
  env?: readonly { name: string; value: string }[]
  args?: readonly string[]
}

export function template(name: string, { image, env = [], args = [] }: TemplateOptions): Record<string, unknown> {
  const container = {
    name: 'app',
    image,
    args,
    env,
    resources: { requests: { cpu: '250m', memory: '128Mi' }, limits: { memory: '256Mi' } },
  }
  return { metadata: { labels: { app: name } }, spec: { containers: [container] } }
}

/** A deployment as its controller leaves it: each template a revision with a replica set, the last one running. */
export function seedDeployment(
  server: ApiServer,
  name: string,
  templates: readonly TemplateOptions[],
  { replicas = 3, namespace = NAMESPACE }: { replicas?: number; namespace?: string } = {},
): Manifest {
  const collection = DEPLOYMENTS.replace(NAMESPACE, namespace)
  const current = template(name, templates.at(-1) ?? { image: 'none' })
  const spec = { replicas, selector: { matchLabels: { app: name } }, template: current }
  const annotations = { 'deployment.kubernetes.io/revision': String(templates.length) }
  const manifest = { metadata: { name, namespace, labels: { app: name }, annotations }, spec, status: rolledOut(replicas) }
  const deployment = server.apply(collection, manifest)
  for (const [index, each] of templates.entries())
    seedReplicaSet(server, deployment, { name, namespace, number: index + 1, newest: templates.length, each })
  return deployment
}

function seedReplicaSet(
  server: ApiServer,
  deployment: Manifest,
  { name, namespace, number, newest, each }: { name: string; namespace: string; number: number; newest: number; each: TemplateOptions },
): void {
  const hash = `hash${number}`
  const own = template(name, each) as { metadata: { labels: Record<string, string> } }
  const labels = { ...own.metadata.labels, 'pod-template-hash': hash }
  server.apply(REPLICA_SETS.replace(NAMESPACE, namespace), {
    metadata: {
      name: `${name}-${hash}`,
      namespace,
      labels,
      annotations: { 'deployment.kubernetes.io/revision': String(number) },
      creationTimestamp: new Date(Date.now() - AFTER_RELEASE_MS - (newest - number) * BETWEEN_RELEASES_MS).toISOString(),
      ownerReferences: [{ kind: 'Deployment', name, uid: String(deployment.metadata['uid']), controller: true }],
    },
    spec: { replicas: 0, selector: { matchLabels: labels }, template: { ...own, metadata: { labels } } },
  })
}

export function rolledOut(replicas: number, observedGeneration = 1_000): Record<string, unknown> {
  return { observedGeneration, replicas, updatedReplicas: replicas, readyReplicas: replicas, availableReplicas: replicas }
}

/** What is written when nothing but the status of a busy object moves. */
export function churn(server: ApiServer, name: string): void {
  server.change(`${DEPLOYMENTS}/${name}`, (object) => {
    object['status'] = { ...rolledOut(3), churn: Math.random() }
  })
}
