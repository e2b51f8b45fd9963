import type { z } from 'zod'
import { IntegrationError } from '../errors.ts'
import type { KubernetesApi } from './api.ts'
import { ID } from './faults.ts'
import {
  autoscalerSchema,
  budgetSchema,
  claimSchema,
  endpointsSchema,
  eventSchema,
  ingressSchema,
  namedSchema,
  networkPolicySchema,
  nodeSchema,
  type ObjectEvent,
  podSchema,
  quotaSchema,
  serviceSchema,
  storageClassSchema,
  volumeObjectSchema,
  workloadSchema,
} from './objects.ts'
import { listAll, type Reflector, startReflector } from './reflector.ts'

/** What is followed: where it is at the API server, and how many at most are kept. Secrets are not among it. */
const KINDS = {
  deployments: { group: 'apps', path: '/apis/apps/v1', schema: workloadSchema, max: 5_000, namespaced: true },
  statefulsets: { group: 'apps', path: '/apis/apps/v1', schema: workloadSchema, max: 5_000, namespaced: true },
  daemonsets: { group: 'apps', path: '/apis/apps/v1', schema: workloadSchema, max: 1_000, namespaced: true },
  replicasets: { group: 'apps', path: '/apis/apps/v1', schema: workloadSchema, max: 20_000, namespaced: true },
  pods: { group: '', path: '/api/v1', schema: podSchema, max: 12_000, namespaced: true },
  events: { group: '', path: '/api/v1', schema: eventSchema, max: 3_000, namespaced: true },
  services: { group: '', path: '/api/v1', schema: serviceSchema, max: 5_000, namespaced: true },
  configmaps: { group: '', path: '/api/v1', schema: namedSchema, max: 5_000, namespaced: true },
  serviceaccounts: { group: '', path: '/api/v1', schema: namedSchema, max: 5_000, namespaced: true },
  resourcequotas: { group: '', path: '/api/v1', schema: quotaSchema, max: 500, namespaced: true },
  persistentvolumeclaims: { group: '', path: '/api/v1', schema: claimSchema, max: 5_000, namespaced: true },
  horizontalpodautoscalers: { group: 'autoscaling', path: '/apis/autoscaling/v2', schema: autoscalerSchema, max: 5_000, namespaced: true },
  poddisruptionbudgets: { group: 'policy', path: '/apis/policy/v1', schema: budgetSchema, max: 5_000, namespaced: true },
  endpointslices: { group: 'discovery.k8s.io', path: '/apis/discovery.k8s.io/v1', schema: endpointsSchema, max: 10_000, namespaced: true },
  ingresses: { group: 'networking.k8s.io', path: '/apis/networking.k8s.io/v1', schema: ingressSchema, max: 5_000, namespaced: true },
  networkpolicies: {
    group: 'networking.k8s.io',
    path: '/apis/networking.k8s.io/v1',
    schema: networkPolicySchema,
    max: 2_000,
    namespaced: true,
  },
  nodes: { group: '', path: '/api/v1', schema: nodeSchema, max: 5_000, namespaced: false },
  persistentvolumes: { group: '', path: '/api/v1', schema: volumeObjectSchema, max: 5_000, namespaced: false },
  storageclasses: { group: 'storage.k8s.io', path: '/apis/storage.k8s.io/v1', schema: storageClassSchema, max: 200, namespaced: false },
} as const

export type Kind = keyof typeof KINDS
export type ObjectOf<K extends Kind> = z.output<(typeof KINDS)[K]['schema']>
export const FOLLOWED = Object.keys(KINDS) as Kind[]

export const isNamespaced = (kind: Kind): boolean => KINDS[kind].namespaced
export const groupOf = (kind: Kind): string => KINDS[kind].group

/** Where objects of a kind are, in one namespace or (null) in the cluster. */
export function pathOf(kind: Kind, namespace: string | null): string {
  const { path } = KINDS[kind]
  return namespace === null ? `${path}/${kind}` : `${path}/namespaces/${encodeURIComponent(namespace)}/${kind}`
}

/** Asks the API server itself for all of a kind, for a bound that has to hold now. @throws IntegrationError, also where there are more than are looked at */
export async function listNow<K extends Kind>(
  api: KubernetesApi,
  kind: K,
  namespace: string | null,
  signal: AbortSignal,
): Promise<readonly ObjectOf<K>[]> {
  const { max } = KINDS[kind]
  const schema: z.ZodType<unknown> = KINDS[kind].schema
  const { objects } = await listAll({ api, path: pathOf(kind, namespace), schema, max, signal })
  if (objects.size >= max) throw new IntegrationError(ID, 'invalid_response', `there are more than ${max} ${kind}`)
  return [...objects.values()] as ObjectOf<K>[]
}

/** What a cluster shows of itself in some namespaces, as current as its watches. */
export interface ClusterCache {
  /** In one namespace (of the cluster, for what has none); null when it could not be read. */
  list<K extends Kind>(kind: K, namespace: string): readonly ObjectOf<K>[] | null
  problem(kind: Kind, namespace: string): IntegrationError | null
  /** Resolves when these kinds (all, unless given) were read once, or were refused, or the signal fires. */
  settled(signal?: AbortSignal, kinds?: readonly Kind[]): Promise<void>
  start(): void
  stop(): void
}

export function createClusterCache(deps: { api: KubernetesApi; namespaces: readonly string[]; firstPauseMs?: number }): ClusterCache {
  const end = new AbortController()
  const reflectors = new Map<string, Reflector<unknown>>()
  const keyOf = (kind: Kind, namespace: string): string => (isNamespaced(kind) ? `${kind}/${namespace}` : kind)
  const follow = (kind: Kind, namespace: string | null): Reflector<unknown> =>
    startReflector<unknown>({
      api: deps.api,
      path: pathOf(kind, namespace),
      schema: KINDS[kind].schema,
      max: KINDS[kind].max,
      namesOnly: KINDS[kind].schema === namedSchema,
      signal: end.signal,
      ...(kind === 'events' ? { olderThan: (a, b) => seenAt(a as ObjectEvent) - seenAt(b as ObjectEvent) } : {}),
      ...(deps.firstPauseMs === undefined ? {} : { firstPauseMs: deps.firstPauseMs }),
    })
  return {
    list: <K extends Kind>(kind: K, namespace: string) =>
      (reflectors.get(keyOf(kind, namespace))?.items() ?? null) as readonly ObjectOf<K>[] | null,
    problem: (kind, namespace) => reflectors.get(keyOf(kind, namespace))?.problem() ?? null,
    async settled(signal, kinds = FOLLOWED) {
      const wanted = [...reflectors].filter(([key]) => kinds.some((kind) => key === kind || key.startsWith(`${kind}/`)))
      const all = Promise.all(wanted.map(([, each]) => each.settled))
      await (signal ? Promise.race([all, aborted(signal)]) : all)
    },
    start() {
      for (const kind of FOLLOWED)
        for (const namespace of isNamespaced(kind) ? deps.namespaces : [''])
          if (!reflectors.has(keyOf(kind, namespace)))
            reflectors.set(keyOf(kind, namespace), follow(kind, isNamespaced(kind) ? namespace : null))
    },
    stop: () => end.abort(),
  }
}

/** When an event was last seen, in milliseconds; 0 when it does not say. */
export function seenAt({ series, lastTimestamp, eventTime, firstTimestamp, metadata }: ObjectEvent): number {
  return (series?.lastObservedTime ?? lastTimestamp ?? eventTime ?? firstTimestamp ?? metadata.creationTimestamp)?.getTime() ?? 0
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
