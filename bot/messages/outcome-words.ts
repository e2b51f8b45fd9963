import type { Approval, Execution, ExecutionEvent } from '../../agent/domain/approval.ts'
import { isRefusalCode, REFUSALS } from '../../agent/domain/refusal.ts'
import type { ApprovalPhase } from './approval-phase.ts'
import { joinSpans, type Span, say } from './span.ts'
import { time } from './time-words.ts'

/** The first words of the card and of every notice about it. */
export const PHASE_TITLES: Readonly<Record<ApprovalPhase, string>> = {
  asking: 'Approve?',
  'time-over': 'Time is over',
  denied: 'Denied',
  expired: 'Expired',
  cancelled: 'Cancelled',
  superseded: 'Replaced',
  authorised: 'Approved',
  checking: 'Approved, checking',
  aborted: 'Not run',
  restored: 'Given up after a restore',
  running: 'Running',
  'no-answer': 'No answer yet',
  verifying: 'Done, verifying',
  verified: 'Verified',
  undetermined: 'Undetermined',
  'not-applied': 'Not applied',
  failed: 'Did not help',
  'undo-waiting': 'Did not help, undo is due',
  undoing: 'Undoing',
  undone: 'Undone',
  kept: 'Did not help, kept',
  'undo-failed': 'Undo failed',
  'undo-lapsed': 'Did not help, not undone',
}

/** 'Verified:', and 'Approve?' as it is. */
export function headOf(phase: ApprovalPhase): string {
  const words = PHASE_TITLES[phase]
  return words.endsWith('?') ? words : `${words}:`
}

const AGAIN = '“Check again” looks at the target anew and asks with a fresh plan.'

/** What the phase means for the reader, and what can be done about it. */
const PHASE_WORDS: Readonly<Record<ApprovalPhase, string>> = {
  asking: 'Nothing runs before the approval.',
  'time-over': 'The time to decide is over. Nothing was run.',
  denied: 'One denial is enough. Nothing was run.',
  expired: `It was not approved and started in time. Nothing was run. ${AGAIN}`,
  cancelled: 'The request was withdrawn. Nothing was run.',
  superseded: 'A newer plan took its place. Nothing of this one was run.',
  authorised: 'It is about to run, once.',
  checking: 'The target is read again before anything is sent.',
  aborted: `It was approved, but nothing was sent. ${AGAIN}`,
  restored: `It was approved and begun before the database was put back to a backup, so it is not carried out from here. ${AGAIN}`,
  running: 'It was sent, once. Waiting for the answer.',
  'no-answer': 'It was sent and no answer came. The target is looked at to see whether it took effect; it is not sent again.',
  verifying: 'It took effect. Telemetry now decides whether it helped.',
  verified: 'It took effect, and telemetry shows that it helped.',
  undetermined: 'It took effect, but there is too little telemetry to tell whether it helped. Please look yourself.',
  'not-applied': 'It did not take effect; the target is as it was.',
  failed: 'It took effect, but telemetry shows that it did not help. There is no undo; a person has to take over.',
  'undo-waiting': 'It took effect, but telemetry shows that it did not help.',
  undoing: 'It did not help. The undo that was part of the plan is running.',
  undone: 'It did not help and was undone; the undo is verified.',
  kept: 'It did not help, and somebody chose to keep it as it is now.',
  'undo-failed': 'It did not help, and the undo could not be completed. A person has to take over.',
  'undo-lapsed': 'It did not help, and the time for the undo passed without it. A person has to take over.',
}

/** What the phase means of this approval: what heals nothing by itself, or was asked for without a symptom, is not said to have helped. */
export function phaseWords(phase: ApprovalPhase, { plan }: Approval): string {
  if (phase !== 'verified') return PHASE_WORDS[phase]
  if (plan.success.heals === false) return 'It took effect and is as approved. It heals nothing by itself, so the incident stays open.'
  return plan.symptom === null ? 'It took effect, and what was to be so is so.' : PHASE_WORDS.verified
}

export type NameOf = (id: string) => string

/** 'Approved by Alice at 02:10:41 UTC and Carol at …'; empty when nobody voted. */
export function voteWords(approval: Approval): Span[] {
  const by = (decision: 'approve' | 'deny') =>
    approval.votes.filter((vote) => vote.decision === decision).map((vote) => say`${personName(vote.personName)} at ${time(vote.at)}`)
  const approved = by('approve')
  const denied = by('deny')
  const parts = [
    ...(approved.length > 0 ? [say`Approved by ${joinSpans(approved, ' and ')}`] : []),
    ...(denied.length > 0 ? [say`Denied by ${joinSpans(denied, ' and ')}`] : []),
  ]
  return parts.length === 0 ? [] : say`${joinSpans(parts, '. ')}.`
}

/** Why it ended as it did, where somebody or something gave a reason: one sentence, or none. */
export function reasonWords(approval: Approval): string | null {
  if (approval.requestState !== 'authorised') return approval.votes.find((vote) => vote.decision === 'deny')?.reason ?? approval.reason
  return endReason(approval.undoExecution) ?? endReason(approval.execution)
}

/** A name on a card: short, and on one line. */
export function personName(name: string): string {
  return name.length > 60 ? `${name.slice(0, 59)}…` : name
}

function endReason(execution: Execution | null): string | null {
  const last = execution?.events.at(-1)
  return last && ['aborted', 'failed', 'undetermined', 'unknown'].includes(last.state) ? detailWords(last) : null
}

function detailWords({ detail }: ExecutionEvent): string | null {
  const { code, reason } = detail
  const words = [detail['words'], detail['detail'], reason].find((value) => typeof value === 'string' && value !== '')
  const known = [code, reason].find((value) => typeof value === 'string' && isRefusalCode(value))
  if (typeof known !== 'string' || !isRefusalCode(known)) return typeof words === 'string' ? words : null
  if (typeof words !== 'string' || words === known) return REFUSALS[known]
  return words.startsWith(REFUSALS[known]) ? words : `${REFUSALS[known]} ${words}`
}
