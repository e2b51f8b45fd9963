import type { KubernetesApi } from '../../../integrations/kubernetes/api.ts'
import { until } from '../live/until.ts'
import { applicationOf, deployed, FIRST, SECOND } from './argocd-shop.ts'
import { ignoreConflict, type RealShop } from './real-shop.ts'

const WITHIN_SECONDS = 120

const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } as const
const text = { type: 'string' } as const

/** As Argo CD declares it: what stands in an operation under another name is dropped by the API server, and what is missing is refused. */
const operation = {
  type: 'object',
  properties: {
    initiatedBy: { type: 'object', properties: { automated: { type: 'boolean' }, username: text } },
    info: { type: 'array', items: { type: 'object', properties: { name: text, value: text }, required: ['name', 'value'] } },
    sync: {
      type: 'object',
      properties: {
        revision: text,
        prune: { type: 'boolean' },
        dryRun: { type: 'boolean' },
        source: anything,
        syncOptions: { type: 'array', items: text },
        syncStrategy: {
          type: 'object',
          properties: {
            apply: { type: 'object', properties: { force: { type: 'boolean' } } },
            hook: { type: 'object', properties: { force: { type: 'boolean' } } },
          },
        },
      },
    },
  },
}

/** The kinds of Argo CD, without a status of their own to write to: status is a part like any other, as there. */
const KINDS = [
  { kind: 'Application', plural: 'applications', properties: { spec: anything, status: anything, operation } },
  { kind: 'AppProject', plural: 'appprojects', properties: { spec: anything, status: anything } },
].map(({ kind, plural, properties }) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${plural}.argoproj.io` },
  spec: {
    group: 'argoproj.io',
    scope: 'Namespaced',
    names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
    versions: [{ name: 'v1alpha1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object', properties } } }],
  },
}))

/** Argo CD beside a real shop, its controller played by hand. */
export interface RealArgoCd {
  namespace: string
  path: string
  application(): Promise<Record<string, unknown>>
  /** Carries out the operation that is asked for: releases the image that the source names, and writes down what it did. */
  play(): Promise<void>
}

/** An application that deploys the shop's payments, twice already, syncing by itself. */
export async function openRealArgoCd(shop: RealShop, namespace: string): Promise<RealArgoCd> {
  const { api, create } = shop
  await create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
  for (const kind of KINDS) await create(kind).catch(ignoreConflict)
  for (const { metadata } of KINDS)
    await until(
      `${metadata.name} is served`,
      async () =>
        await api.get(`/apis/argoproj.io/v1alpha1/namespaces/${namespace}/${metadata.name.split('.')[0]}`).then(
          () => true,
          () => false,
        ),
      WITHIN_SECONDS,
    )
  const group = { apiVersion: 'argoproj.io/v1alpha1' }
  await create({ ...group, kind: 'AppProject', metadata: { name: 'default', namespace }, spec: {} })
  const payments = { group: 'apps', version: 'v1', kind: 'Deployment', namespace: shop.namespace, name: 'payments', status: 'Synced' }
  const made = applicationOf(
    {
      destination: { server: 'https://kubernetes.default.svc', namespace: shop.namespace },
      syncPolicy: { automated: { prune: true, selfHeal: true }, syncOptions: ['CreateNamespace=true'] },
    },
    {
      resources: [payments],
      history: [deployed(3, FIRST, 'v41', '2026-03-01T09:00:00Z'), deployed(4, SECOND, 'v42', '2026-03-01T10:30:00Z')],
    },
  )
  await create({ ...made, metadata: { name: 'shop', namespace } })
  const path = `/apis/argoproj.io/v1alpha1/namespaces/${namespace}/applications/shop`
  const application = async (): Promise<Record<string, unknown>> => (await api.get(path)) as Record<string, unknown>
  return { namespace, path, application, play: async () => await play(api, path, await application(), shop) }
}

interface Played {
  operation?: { sync: { revision: string; source?: Source } }
  spec: { source: Source }
  status: { history: { id: number }[] }
}
interface Source {
  kustomize: { images: string[] }
}

async function play(api: KubernetesApi, path: string, object: unknown, shop: RealShop): Promise<void> {
  const { operation, spec, status } = object as Played
  if (!operation) throw new Error('nothing was asked of Argo CD')
  const { revision, source = spec.source } = operation.sync
  const at = new Date().toISOString()
  const state = { phase: 'Running', startedAt: at, operation, syncResult: { revision, source } }
  await api.patch(
    path,
    [
      { op: 'remove', path: '/operation' },
      { op: 'add', path: '/status/operationState', value: state },
    ],
    {
      fieldManager: 'argocd-application-controller',
    },
  )
  await shop.release(source.kustomize.images[0] ?? '')
  const id = Math.max(...status.history.map((each) => each.id)) + 1
  const entry = { id, revision, source, deployedAt: new Date().toISOString(), initiatedBy: { username: 'steadyhand' } }
  await api.patch(
    path,
    [
      { op: 'add', path: '/status/operationState', value: { ...state, phase: 'Succeeded', finishedAt: entry.deployedAt } },
      { op: 'add', path: '/status/history/-', value: entry },
      { op: 'add', path: '/status/health', value: { status: 'Healthy' } },
    ],
    { fieldManager: 'argocd-application-controller' },
  )
}
