import { type Diagnosis, type InvestigationDeps, investigate } from './investigate.ts'
import { refine } from './refine.ts'
import { type About, type Watched, watch } from './watch.ts'

export interface Investigation {
  /** One round of investigation: evidence, causes, claims checked, all stored. */
  run(incidentId: string, signal: AbortSignal): Promise<Diagnosis>
  /** A model's look at what a round found, or the rest of one that was cut off. Nothing without a model. */
  refine(about: { incidentId: string; asked: boolean }, signal: AbortSignal): Promise<void>
  /** Whether there is a model to look, and the seconds it may take at an incident. */
  refines: { seconds: number } | null
  /** One look at an incident that is only observed. */
  watch(incidentId: string, signal: AbortSignal, about?: About): Promise<Watched>
}

export function createInvestigation(deps: InvestigationDeps): Investigation {
  return {
    run: (incidentId, signal) => investigate(deps, incidentId, signal),
    refine: async (about, signal) => (deps.model ? await refine(deps, deps.model, about, signal) : undefined),
    refines: deps.model ? { seconds: deps.model.budget.seconds + (deps.model.reviews?.seconds ?? 0) } : null,
    watch: (incidentId, signal, about) => watch(deps, incidentId, signal, about),
  }
}
