import type { ClusterCache } from './cluster-cache.ts'
import type { ObjectWorkload } from './objects.ts'

export const WORKLOAD_KINDS = { deployments: 'Deployment', statefulsets: 'StatefulSet', daemonsets: 'DaemonSet' } as const
export type WorkloadResource = keyof typeof WORKLOAD_KINDS
const RESOURCES = Object.keys(WORKLOAD_KINDS) as WorkloadResource[]

/** A workload of the cluster with the name that people and alerts know it by. */
export interface NamedWorkload {
  /** Its own name; with the namespace, and the kind before it, only as far as two would have the same. */
  service: string
  namespace: string
  resource: WorkloadResource
  object: ObjectWorkload
}

/** Every workload of these namespaces. Null when not even the deployments could be read. */
export function namedWorkloads(cache: ClusterCache, namespaces: readonly string[]): NamedWorkload[] | null {
  const found = namespaces.flatMap((namespace) =>
    RESOURCES.flatMap((resource) => (cache.list(resource, namespace) ?? []).map((object) => ({ namespace, resource, object }))),
  )
  if (namespaces.every((namespace) => cache.list('deployments', namespace) === null)) return null
  const named = found.map((each) => ({ ...each, names: namesOf(each) }))
  const uses = Map.groupBy(
    named.flatMap(({ names }) => names),
    (name) => name,
  )
  return named.map(({ names, ...each }) => ({
    ...each,
    service: names.find((name) => uses.get(name)?.length === 1) ?? (names.at(-1) as string),
  }))
}

/** From the shortest to the one that nothing else has. */
function namesOf({ namespace, resource, object }: Omit<NamedWorkload, 'service'>): [string, string, string] {
  const { name } = object.metadata
  return [name, `${name}.${namespace}`, `${WORKLOAD_KINDS[resource].toLowerCase()}.${name}.${namespace}`]
}

/** Whether these labels fit a selector; an empty one fits everything. */
export function fits(
  labels: Readonly<Record<string, string>>,
  selector:
    | {
        matchLabels: Readonly<Record<string, string>>
        matchExpressions: readonly { key: string; operator: string; values: readonly string[] }[]
      }
    | null
    | undefined,
): boolean {
  if (!selector) return false
  const equal = Object.entries(selector.matchLabels).every(([key, value]) => labels[key] === value)
  return equal && selector.matchExpressions.every((each) => fitsExpression(labels, each))
}

function fitsExpression(
  labels: Readonly<Record<string, string>>,
  { key, operator, values }: { key: string; operator: string; values: readonly string[] },
): boolean {
  const value = labels[key]
  if (operator === 'In') return value !== undefined && values.includes(value)
  if (operator === 'NotIn') return value === undefined || !values.includes(value)
  if (operator === 'Exists') return value !== undefined
  return operator === 'DoesNotExist' && value === undefined
}
