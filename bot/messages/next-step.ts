import type { IncidentView } from '../../agent/agent.ts'
import { type Approval, approvalState } from '../../agent/domain/approval.ts'
import { wasPutBack } from '../../agent/domain/incident.ts'
import { startOf } from '../../agent/domain/incident-start.ts'
import { approvalPhase } from './approval-phase.ts'
import { latestApproval, wasActedOn } from './incident-words.ts'
import { PHASE_TITLES, phaseWords, reasonWords } from './outcome-words.ts'
import { capital } from './plain-words.ts'
import { exact, type Span, say } from './span.ts'
import { durationWords, secondsBetween } from './time-words.ts'
import { cleanText, cutText } from './visible-text.ts'

/** What happens now and who has to do something, in one or two sentences. */
export function nextStep(view: IncidentView, now: Date): Span[] {
  const { incident } = view
  const latest = latestApproval(view.approvals)
  switch (incident.state) {
    case 'open':
      return say`Evidence is about to be collected. Nothing is asked of you yet.`
    case 'investigating':
      return say`Evidence is being collected and causes are being ranked. Nothing is asked of you yet.`
    case 'observing':
      return say`${whyNothing(view) ?? 'No action is open.'} ${latest ? lastAction(latest, now) : ''}`
    case 'awaiting-approval':
      return latest ? waiting(latest) : say`An action is being prepared.`
    case 'acting':
      return latest ? say`${titleOf(latest)} is being carried out, once.` : say`The approved action is being carried out, once.`
    case 'verifying':
      return verifying(latest, now)
    case 'resolved':
      return say`${wordOfPerson(view) ?? (latest ? lastAction(latest, now) : 'Nothing was run.')}${durationOf(view)}`
    case 'healed':
      return say`${wordOfHealed(view, now)}${durationOf(view)}`
  }
}

/** Why no action was proposed, as it was noted when that was decided: until something became of a request, which it could not know. */
export function whyNothing({ timeline, approvals }: Pick<IncidentView, 'timeline' | 'approvals'>): string | null {
  const noted = timeline.findLast(({ kind }) => kind === 'nothing-proposed' || kind === 'contract-judged')
  if (!noted || approvals.some((approval) => lastChange(approval) > noted.at.getTime())) return null
  return cleanText(noted.text, 400)
}

/** Milliseconds since 1970. */
function lastChange({ createdAt, decidedAt, execution, undoExecution }: Approval): number {
  const moments = [createdAt, decidedAt, execution?.events.at(-1)?.at, undoExecution?.events.at(-1)?.at]
  return Math.max(...moments.map((at) => at?.getTime() ?? 0))
}

/** By whose word it ended, when it was not an action that ended it. */
export function wordOfPerson({ timeline }: IncidentView): string | null {
  const said = timeline.findLast(({ kind }) => kind === 'incident-resolved' || kind === 'incident-merged')
  return said ? cleanText(said.text, 400) : null
}

/** Why it is over, when nobody's alert could say so. */
function wordOfContract({ timeline }: IncidentView): string | null {
  const judged = timeline.findLast(({ kind }) => kind === 'contract-judged')
  return judged ? cleanText(judged.text, 400) : null
}

function waiting(approval: Approval): Span[] {
  const { needed } = approval.plan.approval
  const have = approval.votes.filter((vote) => vote.decision === 'approve').length
  return say`“${titleOf(approval)}” waits for approval, ${have} of ${needed} so far.`
}

/** An incident verifies until its action is done with, also while it is known already that it did not help. */
function verifying(latest: Approval | null, now: Date): Span[] {
  const phase = latest && approvalPhase(latest, now)
  if (!latest || phase === null || phase === 'verifying') return say`The action took effect; telemetry decides whether it helped.`
  return say`“${titleOf(latest)}”: ${phaseWords(phase, latest)}`
}

function lastAction(approval: Approval, now: Date): Span[] {
  const phase = approvalPhase(approval, now)
  if (phase === 'asking') return waiting(approval)
  const reason = approvalState(approval) === 'aborted' ? reasonWords(approval) : null
  const why = reason === null ? '' : ` ${capital(cleanText(reason, 300)).replace(/\.?$/, '.')} Its card asks again.`
  return say`Last action: “${titleOf(approval)}”, ${PHASE_TITLES[phase].toLowerCase()}.${why}`
}

function wordOfHealed(view: IncidentView, now: Date): readonly Span[] | string {
  if (wasActedOn(view.approvals)) return afterActing(view.approvals, now)
  if (wasPutBack(view.timeline)) return "The drill's clean-up put the target back; nothing else was run."
  return wordOfContract(view) ?? 'It recovered by itself; nothing was run.'
}

/** What was carried out may or may not be what mended it: that is not known, so neither is said. */
function afterActing(approvals: readonly Approval[], now: Date): Span[] {
  const sent = latestApproval(approvals.filter((approval) => wasActedOn([approval])))
  return say`The symptom is gone. ${sent ? lastAction(sent, now) : ''} Something was done here, so it is not said to have healed by itself.`
}

function titleOf(approval: Approval): Span {
  const shown = exact(approval.plan.action.title)
  return { type: 'text', text: shown.type === 'text' ? cutText(shown.text, 150) : '' }
}

function durationOf({ incident, alerts }: IncidentView): string {
  return incident.endedAt ? ` It was over after ${durationWords(secondsBetween(startOf(incident, alerts), incident.endedAt))}.` : ''
}
