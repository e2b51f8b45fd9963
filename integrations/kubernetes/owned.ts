import type { ClusterCache } from './cluster-cache.ts'
import type { ObjectWorkload, Pod } from './objects.ts'
import { fits, type NamedWorkload } from './services.ts'

type Owner = Pick<NamedWorkload, 'namespace' | 'object'>

/** What belongs to workloads, grouped once however many of them ask: looking through all pods for each of them grows with their square. */
export interface Owned {
  /** The pods that its selector chooses. */
  pods(owner: Owner): readonly Pod[]
  /** The replica sets that name it as an owner. */
  replicaSets(owner: Owner): readonly ObjectWorkload[]
}

/** As the cache is now. */
export function groupOwned(cache: ClusterCache, namespaces: readonly string[]): Owned {
  const groups = new Map(
    namespaces.map((namespace) => {
      const pods = cache.list('pods', namespace) ?? []
      const replicaSets = cache.list('replicasets', namespace) ?? []
      return [namespace, { pods, podsByLabel: grouped(pods, labelsOf), replicaSets: grouped(replicaSets, ownersOf) }]
    }),
  )
  return {
    pods({ namespace, object: { spec } }) {
      const { pods = [], podsByLabel } = groups.get(namespace) ?? {}
      const wanted = Object.entries(spec.selector?.matchLabels ?? {}).map(([key, value]) => podsByLabel?.get(`${key}=${value}`) ?? [])
      const fewest = wanted.reduce((few, each) => (each.length < few.length ? each : few), pods)
      return fewest.filter(({ metadata }) => fits(metadata.labels, spec.selector))
    },
    replicaSets: ({ namespace, object }) => groups.get(namespace)?.replicaSets.get(object.metadata.uid) ?? [],
  }
}

function grouped<T>(items: readonly T[], keysOf: (item: T) => Iterable<string>): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items)
    for (const key of keysOf(item)) {
      const group = groups.get(key)
      if (group) group.push(item)
      else groups.set(key, [item])
    }
  return groups
}

function labelsOf({ metadata }: Pod): string[] {
  return Object.entries(metadata.labels).map(([key, value]) => `${key}=${value}`)
}

function ownersOf({ metadata }: ObjectWorkload): Set<string> {
  return new Set(metadata.ownerReferences.map(({ uid }) => uid))
}
