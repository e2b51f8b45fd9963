import type { Action, ActionDefinition } from '../../integrations/ports/action.ts'
import type { MetricsPort } from '../../integrations/ports/metrics.ts'
import { canonicalJson, digestOf } from '../domain/canonical-json.ts'

/** What an integration lends to the catalogue: its actions, and the telemetry that judges them. */
export interface ActionProvider {
  id: string
  environments: readonly string[]
  actions: readonly Action[]
  metrics: MetricsPort | null
}

/** One entry: an action with the provider it belongs to. */
export interface CatalogEntry {
  action: Action
  provider: ActionProvider
}

/** The closed list of what Steadyhand can do. What is not in it does not exist, whoever asks for it. */
export interface Catalog {
  entries: readonly CatalogEntry[]
  find(kind: string, version: number): CatalogEntry | null
  inEnvironment(environment: string): CatalogEntry[]
  definitions: readonly ActionDefinition[]
  /** SHA-256 over the definitions: part of a plan's build. */
  digest: string
}

/** @throws Error when two actions share a kind and version. */
export function createCatalog(providers: readonly ActionProvider[]): Catalog {
  const entries = providers.flatMap((provider) => provider.actions.map((action) => ({ action, provider })))
  const byKey = new Map(entries.map((entry) => [keyOf(entry.action.definition.kind, entry.action.definition.version), entry]))
  if (byKey.size !== entries.length) throw new Error('two actions of the catalogue share a kind and version')
  const definitions = entries.map((entry) => entry.action.definition)
  return {
    entries,
    definitions,
    find: (kind, version) => byKey.get(keyOf(kind, version)) ?? null,
    inEnvironment: (environment) => entries.filter((entry) => entry.provider.environments.includes(environment)),
    digest: digestOf(
      canonicalJson(
        definitions.map(({ kind, version, reversibility, role, minNeeded, stepUp, retry }) => ({
          kind,
          version,
          reversibility,
          role,
          minNeeded,
          stepUp,
          retry,
        })),
      ),
    ),
  }
}

function keyOf(kind: string, version: number): string {
  return `${kind}@${version}`
}
