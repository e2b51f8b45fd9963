import type { IncidentView } from '../../agent/agent.ts'
import type { Approval } from '../../agent/domain/approval.ts'
import { approvalPhase } from '../messages/approval-phase.ts'
import { incidentName } from '../messages/brief.ts'
import { type Card, list, text } from '../messages/card.ts'
import { nextStep, whyNothing } from '../messages/next-step.ts'
import { headOf, phaseWords, voteWords } from '../messages/outcome-words.ts'
import { bold, exact, type Span, say } from '../messages/span.ts'
import { answer, type CommandContext } from './command.ts'

const SHOWN = 8

/** What was asked for in an incident, who decided it, what was run of it, and whether it helped. */
export function answerDone(view: IncidentView, { now, consoleUrl }: Pick<CommandContext, 'now' | 'consoleUrl'>): Card {
  const { incident, approvals } = view
  const newest = approvals.toSorted((a, b) => b.createdAt.getTime() - a.createdAt.getTime()).slice(0, SHOWN)
  const head = say`${incidentName(incident.id, consoleUrl)} Sev ${incident.severity}: ${nextStep(view, now)}`
  if (newest.length === 0) return answer(text(head), text(say`Nothing was asked for in it, and nothing was run. ${whyNothing(view) ?? ''}`))
  return answer(
    text(head),
    ...list(
      'What was asked for, the newest first',
      newest.map((approval) => doneLine(approval, now)),
    ),
  )
}

function doneLine(approval: Approval, now: Date): Span[] {
  const phase = approvalPhase(approval, now)
  const votes = voteWords(approval)
  return say`${bold(headOf(phase))} ${exact(approval.plan.action.title)}. ${phaseWords(phase, approval)} ${votes.length > 0 ? votes : 'Nobody has voted'}.`
}
