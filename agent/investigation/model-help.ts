import type { ModelPort } from '../../integrations/ports/model.ts'
import type { ModelRunStore } from '../ports.ts'
import { BUDGET, type Budget } from './budget.ts'
import { maskedModel } from './masked-model.ts'
import { loadModelPrompts, type ModelPrompts } from './model-prompts.ts'
import type { Opinion } from './opinion.ts'
import { transcriptOf } from './transcript.ts'

/** What an installation has of models; absent where none is configured. */
export interface ModelHelp {
  /** In the order they are asked, at least one; each is told masks for what it may not read of people. */
  models: readonly ModelPort[]
  budget: Budget
  prompts: ModelPrompts
  runs: ModelRunStore
}

/** What the settings make of models; null where there is none, and then everything is as if models did not exist. */
export function createModelHelp(
  models: readonly ModelPort[],
  limits: { readonly [Limit in keyof Budget]?: Budget[Limit] | undefined },
  runs: ModelRunStore,
): ModelHelp | null {
  if (models.length === 0) return null
  const stated = Object.fromEntries(Object.entries(limits).filter(([, limit]) => limit !== undefined))
  return { models: models.map(maskedModel), budget: { ...BUDGET, ...stated }, prompts: loadModelPrompts(), runs }
}

/** The opinion that stands beside the rules' diagnosis: of the last run, null when that came to none. */
export async function standingOpinion(runs: ModelRunStore, incidentId: string): Promise<Opinion | null> {
  const latest = await runs.latest(incidentId)
  return latest === null ? null : (transcriptOf(latest.steps).ended?.opinion ?? null)
}
