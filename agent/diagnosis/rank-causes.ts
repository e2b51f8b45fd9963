import type { Candidate, CauseRule } from './candidate.ts'
import { besideCauses, placedByNumbers } from './causes/by-numbers.ts'
import { certificate } from './causes/certificate.ts'
import { changeCaused } from './causes/change-caused.ts'
import { crash } from './causes/crash.ts'
import { healed } from './causes/healed.ts'
import { logVolume } from './causes/log-volume.ts'
import { memoryLeak } from './causes/memory-leak.ts'
import { outsideCause } from './causes/outside.ts'
import { platformCauses } from './causes/platform.ts'
import { saturation } from './causes/saturation.ts'
import { stuckJob } from './causes/stuck-job.ts'
import { UNKNOWN_SCORE, unknownCause } from './causes/unknown.ts'
import { findCulprit } from './culprit.ts'
import type { Facts } from './facts.ts'
import { mergeCauses } from './merge-causes.ts'

const RULES: readonly CauseRule[] = [healed, outsideCause, changeCaused, memoryLeak, crash, saturation, logVolume, certificate, stuckJob]
const MAX_HYPOTHESES = 3

/**
 * Causes, best first, two or three where the facts raise as many. Where no rule fits well enough the first is `unknown`, in the place that the
 * numbers name, and the others are possibilities below it; where one fits, the numbers stand behind it. Pure, and the same facts always give
 * the same answer.
 */
export function rankCauses(facts: Facts): Candidate[] {
  const culprit = findCulprit(facts)
  const found = [...RULES.flatMap((rule) => rule(facts, culprit) ?? []), ...platformCauses(facts, culprit)]
  const candidates = mergeCauses(found).sort((a, b) => b.score - a.score)
  const isSettled = (candidates[0]?.score ?? 0) > UNKNOWN_SCORE
  const ranked = isSettled
    ? besideCauses(facts, candidates)
    : [placedByNumbers(facts, culprit) ?? unknownCause(facts, culprit), ...candidates]
  return ranked.slice(0, MAX_HYPOTHESES)
}
