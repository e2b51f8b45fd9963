import type { ModelPort } from '../../integrations/ports/model.ts'
import type { ModelRunStore } from '../ports.ts'
import { BUDGET, type Budget } from './budget.ts'
import { loadModelPrompts } from './model-prompts.ts'
import type { ModelHelp } from './refine.ts'

/** What the settings make of models; null where there is none, and then everything is as if models did not exist. */
export function createModelHelp(
  models: readonly ModelPort[],
  limits: { readonly [Limit in keyof Budget]?: Budget[Limit] | undefined },
  runs: ModelRunStore,
): ModelHelp | null {
  if (models.length === 0) return null
  const stated = Object.fromEntries(Object.entries(limits).filter(([, limit]) => limit !== undefined))
  return { models, budget: { ...BUDGET, ...stated }, prompts: loadModelPrompts(), runs }
}
