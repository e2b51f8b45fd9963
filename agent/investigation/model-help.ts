import type { ModelPort } from '../../integrations/ports/model.ts'
import { afterReview } from '../diagnosis/doubt.ts'
import type { ModelCause } from '../diagnosis/second-opinion.ts'
import type { ModelRunStore } from '../ports.ts'
import { BUDGET, type Budget } from './budget.ts'
import { maskedModel } from './masked-model.ts'
import { loadModelPrompts, type ModelPrompts } from './model-prompts.ts'
import { type Transcript, transcriptOf } from './transcript.ts'

/** For the one answer of a second provider. */
const REVIEW_SECONDS = 30

/** What an installation has of models; absent where none is configured. */
export interface ModelHelp {
  /** In the order they are asked, at least one; each is told masks for what it may not read of people. */
  models: readonly ModelPort[]
  budget: Budget
  prompts: ModelPrompts
  runs: ModelRunStore
  /** What a second provider may take to refute what the first one thinks; null where none is asked to. */
  reviews: { seconds: number } | null
}

/** What the settings make of models; null where there is none, and then everything is as if models did not exist. */
export function createModelHelp(
  models: readonly ModelPort[],
  limits: { readonly [Limit in keyof Budget]?: Budget[Limit] | undefined },
  runs: ModelRunStore,
  { secondOpinion = false, reviewSeconds = REVIEW_SECONDS }: { secondOpinion?: boolean; reviewSeconds?: number } = {},
): ModelHelp | null {
  if (models.length === 0) return null
  const stated = Object.fromEntries(Object.entries(limits).filter(([, limit]) => limit !== undefined))
  return {
    models: models.map(maskedModel),
    budget: { ...BUDGET, ...stated },
    prompts: loadModelPrompts(),
    runs,
    reviews: secondOpinion ? { seconds: reviewSeconds } : null,
  }
}

/** The opinion that stands beside the rules' diagnosis: of the last run, null when that came to none. */
export async function standingOpinion(runs: ModelRunStore, incidentId: string): Promise<ModelCause[] | null> {
  const latest = await runs.latest(incidentId)
  return latest === null ? null : causesOf(transcriptOf(latest.steps))
}

/** What a run came to, after whatever a second provider says of it; null when it came to none. */
export function causesOf({ ended, review }: Transcript): ModelCause[] | null {
  return ended?.opinion ? afterReview(ended.opinion.causes, review && { ...review.about, ...review }) : null
}
