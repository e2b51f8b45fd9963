import type { Approval, ExecutionEvent } from '../domain/approval.ts'
import type { IncidentEvent } from '../domain/incident.ts'
import { byWhat } from '../domain/plan.ts'

/** The story of an incident: what was recorded of it, and what its approvals' rows say, in the order of time. Pure, so it can never be out of step with the rows. */
export function timelineOf(recorded: readonly IncidentEvent[], approvals: readonly Approval[]): IncidentEvent[] {
  const told = approvals.flatMap((approval) => [...requestEvents(approval), ...voteEvents(approval), ...executionEvents(approval)])
  return [...recorded, ...told].toSorted((a, b) => a.at.getTime() - b.at.getTime()).map((event, index) => ({ ...event, seq: index + 1 }))
}

type Told = (kind: string, at: Date, text: string, detail?: Record<string, unknown>) => IncidentEvent

function teller(approval: Approval): Told {
  return (kind, at, text, detail = {}) => ({
    incidentId: approval.incidentId,
    seq: 0,
    at,
    kind,
    text,
    detail: { approval: approval.id, ...detail },
  })
}

function requestEvents(approval: Approval): IncidentEvent[] {
  const tell = teller(approval)
  const { title } = approval.plan.action
  const asked = tell('approval-requested', approval.createdAt, `Asked for approval: ${title}.`)
  if (!approval.decidedAt || approval.requestState === 'pending') return [asked]
  const words = {
    authorised: 'was authorised',
    denied: 'was denied',
    expired: 'expired; nothing was run',
    cancelled: 'was cancelled',
    superseded: 'gave way to a newer plan',
  }
  return [asked, tell(`approval-${approval.requestState}`, approval.decidedAt, `${title} ${words[approval.requestState]}.`)]
}

function voteEvents(approval: Approval): IncidentEvent[] {
  const tell = teller(approval)
  return approval.votes.map((vote) =>
    tell(
      'vote-recorded',
      vote.at,
      `${vote.personName} ${vote.decision === 'approve' ? 'approved' : 'denied'} ${approval.plan.action.title}${vote.reason ? `: ${vote.reason}` : ''}.`,
      {
        person: vote.person,
      },
    ),
  )
}

const STEP_WORDS: Readonly<Record<ExecutionEvent['state'], string>> = {
  claimed: 'was taken up',
  intent: 'is about to be sent',
  sent: 'was sent',
  unknown: 'got no answer; the target is watched',
  succeeded: 'took effect; checking whether it helped',
  verified: 'was verified',
  failed: 'did not help',
  undetermined: 'could not be judged: too few samples',
  undone: 'was undone',
  aborted: 'was not run',
}

function executionEvents(approval: Approval): IncidentEvent[] {
  const tell = teller(approval)
  const of = (events: readonly ExecutionEvent[], title: string, words: typeof STEP_WORDS): IncidentEvent[] =>
    events.map((event) => {
      const why = typeof event.detail['words'] === 'string' ? ` (${event.detail['words']})` : ''
      return tell(`execution-${event.state}`, event.at, `${title} ${words[event.state]}${why}.`, { state: event.state })
    })
  const own = { ...STEP_WORDS, verified: `was verified ${byWhat(approval.plan)}` }
  const undoTitle = approval.plan.undo ? `Undo "${approval.plan.undo.title}"` : 'The undo'
  return [
    ...of(approval.execution?.events ?? [], approval.plan.action.title, own),
    ...of(approval.undoExecution?.events ?? [], undoTitle, STEP_WORDS),
  ]
}
