import { z } from 'zod'
import type { Approval, Execution } from '../../agent/domain/approval.ts'
import { boundName } from '../../agent/domain/metric-words.ts'
import type { SuccessContract } from '../../agent/domain/plan.ts'
import { type CardBlock, list } from './card.ts'
import { boundWords, readingWords } from './metric-words.ts'
import { type Span, say } from './span.ts'
import { stateWords } from './success-words.ts'
import { cleanText } from './visible-text.ts'

/** What the executor notes when it judged an effect: each check of the contract with its last reading. */
const judgedSchema = z.object({
  checks: z.array(z.object({ check: z.string(), last: z.string().nullable(), held: z.boolean(), samples: z.int() })).max(20),
})
type Check = z.infer<typeof judgedSchema>['checks'][number]

const CHECKS_SHOWN = 6

/** What telemetry showed, check by check; nothing before it was judged. */
export function verificationBlocks({ plan, execution, undoExecution }: Approval): CardBlock[] {
  return [
    ...list('What telemetry showed', checkLines(execution, plan.success)),
    ...list('What telemetry showed after the undo', checkLines(undoExecution, plan.success)),
  ]
}

function checkLines(execution: Execution | null, contract: SuccessContract): Span[][] {
  const judged = execution?.events.findLast(({ state }) => state === 'verified' || state === 'failed' || state === 'undetermined')
  const parsed = judgedSchema.safeParse(judged?.detail)
  return parsed.success ? parsed.data.checks.slice(0, CHECKS_SHOWN).map((check) => checkLine(check, contract)) : []
}

/** In the words of the contract, where the check is one of its bounds. */
function checkLine({ check, last, held, samples }: Check, { metrics, state }: SuccessContract): Span[] {
  const bound = metrics.find((each) => boundName(each) === check)
  const field = state.find((each) => `${each.field} = ${each.equals}` === check)
  const what = bound ? boundWords(bound) : field ? stateWords(field) : cleanText(check, 200)
  const read = last === null ? 'no reading' : `last ${bound ? readingWords(last, bound.unit) : cleanText(last, 60)}`
  return say`${what}: ${held ? 'held' : 'did not hold'} (${read}, ${samples} ${samples === 1 ? 'sample' : 'samples'})`
}
