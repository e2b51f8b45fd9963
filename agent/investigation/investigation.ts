import { type Diagnosis, type InvestigationDeps, investigate } from './investigate.ts'
import { type About, type Watched, watch } from './watch.ts'

export interface Investigation {
  /** One round of investigation: evidence, causes, claims checked, all stored. */
  run(incidentId: string, signal: AbortSignal): Promise<Diagnosis>
  /** One look at an incident that is only observed. */
  watch(incidentId: string, signal: AbortSignal, about?: About): Promise<Watched>
}

export function createInvestigation(deps: InvestigationDeps): Investigation {
  return {
    run: (incidentId, signal) => investigate(deps, incidentId, signal),
    watch: (incidentId, signal, about) => watch(deps, incidentId, signal, about),
  }
}
