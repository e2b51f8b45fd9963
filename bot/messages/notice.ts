import type { Approval } from '../../agent/domain/approval.ts'
import { REFUSALS, type RefusalCode } from '../../agent/domain/refusal.ts'
import { type ApprovalPhase, approvalPhase } from './approval-phase.ts'
import { headOf, type NameOf, personName, phaseWords, reasonWords, voteWords } from './outcome-words.ts'
import { plainOf } from './span.ts'
import { clockWords } from './time-words.ts'
import { cleanText, cutText, exactWords } from './visible-text.ts'

/** What a phone's lock screen shows: action, target and, while it can be decided, until when. */
export function notificationText(approval: Approval, phase: ApprovalPhase): string {
  const { action, target, expiresAt } = approval.plan
  const what = `${cutText(exactWords(action.title), 200)} (${cutText(exactWords(`${target.kind} ${target.name}, ${target.environment}`), 200)})`
  const until = phase === 'asking' ? `. Decide until ${clockWords(new Date(expiresAt))}.` : ''
  return `${headOf(phase)} ${what}${until}`
}

/** One notice about an ending or a step, for threads and pagers: what, what it means, who, why. Plain text without mentions. */
export function noticeText(approval: Approval, now: Date): string {
  const phase = approvalPhase(approval, now)
  const reason = reasonWords(approval)
  const sentences = [
    `${notificationText(approval, phase).replace(/\.$/, '')}.`,
    phase === 'asking' ? '' : phaseWords(phase, approval),
    plainOf(voteWords(approval)),
    reason ? `Reason: ${cleanText(reason, 300)}` : '',
  ]
  return sentences.filter((sentence) => sentence !== '').join(' ')
}

/** What the person is told who was refused: why, and who may. */
export function refusalText(code: RefusalCode, detail: string | null, whoMay: readonly string[], names: NameOf): string {
  const people = whoMay.slice(0, 8).map((id) => cleanText(personName(names(id)), 60))
  const may =
    people.length > 0 && (code === 'not-authorised' || code === 'self-approval' || code === 'not-linked')
      ? ` Who may: ${people.join(', ')}.`
      : ''
  // Who said so before is not refused anything: when they said it is all there is to tell.
  if (code === 'already-voted' && detail) return cleanText(detail, 300)
  return `${REFUSALS[code]}${detail ? ` ${cleanText(detail, 300)}` : ''}${may}`
}
