import type { Catalog } from '../actions/catalog.ts'
import type { Scopes } from '../agent.ts'
import { resourceOf } from '../domain/plan.ts'
import type { Topology } from './inventory.ts'

const LOOK_TIMEOUT_MS = 3_000

/** Reads what the catalogue knows at once, and what runs where from the inventory. */
export function createScopes({ catalog, topology }: { catalog: Catalog; topology: Topology }): Scopes {
  return {
    async environments() {
      const { workloads } = await topology.inventory()
      return unique([...catalog.entries.flatMap(({ provider }) => provider.environments), ...workloads.map((each) => each.environment)])
    },
    kinds: () => unique(catalog.definitions.map(({ kind }) => kind)),
    services: async () => unique((await topology.inventory()).workloads.map(({ service }) => service)),
    async resources(name) {
      const { workloads } = await topology.inventory()
      const short = name.slice(name.lastIndexOf('/') + 1)
      const signal = AbortSignal.timeout(LOOK_TIMEOUT_MS)
      const found = await Promise.all(
        workloads
          .filter(({ service }) => service === short)
          .flatMap(({ environment }) =>
            catalog.inEnvironment(environment).map(({ action }) => action.observe({ environment, name: short }, signal)),
          ),
      )
      const names = unique(found.flatMap((observation) => (observation ? [resourceOf(observation.target)] : [])))
      return short === name ? names : names.filter((full) => full === name)
    },
  }
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)].toSorted()
}
