import { type Approval, approvalOutcome } from '../domain/approval.ts'
import type { ChangeLine } from '../domain/plan.ts'

/** What was carried out on a resource of late is all that counts against doing something again. */
export const PAST_READ = 20
const TITLE_SHOWN = 120
const VALUE_SHOWN = 60

/**
 * What the past of a resource says against a change, a sentence for each of its lines: the value it would set was taken away before, and that helped; or
 * it was set before, and that did not help. The newest attempt that could be judged decides.
 *
 * @param past approvals for the same resource, newest first
 */
export function whatSpeaksAgainst(changes: readonly ChangeLine[], past: readonly Approval[]): string[] {
  return changes.flatMap((line) => {
    for (const approval of past) {
      const lesson = lessonOf(line, approval)
      if (lesson !== null) return lesson
    }
    return []
  })
}

/** In plain letters, since a plan shows any other as its code. Null: it says nothing about this line. Empty: the value was set since, and helped. */
function lessonOf({ field, to }: ChangeLine, approval: Approval): [string] | [] | null {
  const outcome = approvalOutcome(approval)
  if (outcome === null || outcome === 'undetermined') return null
  const before = approval.plan.changes.find((change) => change.field === field)
  const value = `${field} ${String(to)}`.slice(0, VALUE_SHOWN)
  const [helped, title] = [outcome === 'verified', approval.plan.action.title.slice(0, TITLE_SHOWN)]
  const when = `${(approval.decidedAt ?? approval.createdAt).toISOString().slice(0, 16).replace('T', ' ')} UTC, ${approval.incidentId}`
  if (before?.to === to) return helped ? [] : [`"${title}" set ${value} before (${when}), and that did not help.`]
  if (before?.from === to && helped) return [`"${title}" took ${value} away (${when}), and that helped.`]
  return null
}
