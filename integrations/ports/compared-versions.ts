import { IntegrationError } from '../errors.ts'
import type { Comparison, RepositoriesPort } from './repositories.ts'
import { refOf } from './version-refs.ts'

/** Where a service's source is, and how its versions and the repository's states go together: `version-refs.ts`. */
export interface NamedRepository {
  repository: string
  versions: string
}

/** Rounds of an investigation ask the same again every few seconds. */
const KEPT_MS = 2 * 60_000
const MOST_KEPT = 50

/** What a vendor that compares two states of a repository offers: versions of services, each answer kept for a while. */
export function createComparisons(
  integration: string,
  repositories: Readonly<Record<string, NamedRepository>>,
  now: () => Date,
  compare: (repository: string, refs: { from: string; to: string }, signal?: AbortSignal) => Promise<Comparison>,
): RepositoriesPort {
  const known = new Map(Object.entries(repositories))
  const kept = new Map<string, { at: number; comparison: Comparison }>()
  return {
    async compare({ service, from, to, signal }) {
      const named = known.get(service)
      if (!named) return null
      const refs = { from: refIn(integration, named, from), to: refIn(integration, named, to) }
      const key = JSON.stringify([named.repository, refs])
      const before = kept.get(key)
      if (before && now().getTime() - before.at < KEPT_MS) return before.comparison
      const comparison = await compare(named.repository, refs, signal)
      keep(kept, key, { at: now().getTime(), comparison })
      return comparison
    },
  }
}

function refIn(integration: string, { versions }: NamedRepository, version: string): string {
  const ref = refOf(versions, version)
  if (ref !== null) return ref
  throw new IntegrationError(integration, 'refused', `version ${version.slice(0, 60).toWellFormed()} is not written as ${versions}`)
}

function keep<T>(kept: Map<string, T>, key: string, value: T): void {
  kept.delete(key)
  kept.set(key, value)
  const [oldest] = kept.keys()
  if (kept.size > MOST_KEPT && oldest !== undefined) kept.delete(oldest)
}
