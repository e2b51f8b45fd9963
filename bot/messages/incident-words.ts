import type { IncidentView } from '../../agent/agent.ts'
import type { Approval } from '../../agent/domain/approval.ts'
import { type IncidentState, wasPutBack } from '../../agent/domain/incident.ts'
import { type ApprovalPhase, approvalPhase } from './approval-phase.ts'

/** The states of an incident in words for people. */
const INCIDENT_STATES_IN_WORDS: Readonly<Record<IncidentState, string>> = {
  open: 'just opened',
  investigating: 'being investigated',
  observing: 'being watched',
  'awaiting-approval': 'waiting for approval',
  acting: 'action running',
  verifying: 'verifying the action',
  resolved: 'resolved',
  healed: 'healed by itself',
}

/** Where an incident stands. It is said to have healed by itself only when nothing was carried out in it, and no drill put the target back. */
export function incidentStateWords({ incident, approvals, timeline }: Pick<IncidentView, 'incident' | 'approvals' | 'timeline'>): string {
  const isByItself = !wasActedOn(approvals) && !wasPutBack(timeline)
  const latest = latestApproval(approvals)
  if (incident.state === 'verifying' && latest && KNOWN_USELESS.includes(approvalPhase(latest, latest.createdAt)))
    return 'the action did not help'
  return incident.state === 'healed' && !isByItself ? 'symptom gone' : INCIDENT_STATES_IN_WORDS[incident.state]
}

/** What is left of it is its undo, or somebody's word to keep it. */
const KNOWN_USELESS: readonly ApprovalPhase[] = ['failed', 'undo-waiting', 'undoing', 'undo-failed']

export function latestApproval(approvals: IncidentView['approvals']): Approval | null {
  return approvals.toSorted((a, b) => b.createdAt.getTime() - a.createdAt.getTime())[0] ?? null
}

/** Whether anything was sent in the incident, whatever came of it. */
export function wasActedOn(approvals: IncidentView['approvals']): boolean {
  return approvals.some(({ execution }) => execution?.events.some(({ state }) => state === 'sent'))
}
