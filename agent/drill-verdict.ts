import { type Approval, approvalOutcome, approvalState } from './domain/approval.ts'
import { ENDED_STATES, type Incident } from './domain/incident.ts'

/** Everything a run is judged by: what came of it, in rows. */
export interface DrillFacts {
  expects: 'action' | 'no-action' | 'undo'
  /** When the run began, or was taken up again after a restart: what the time to ask counts from. */
  since: Date
  now: Date
  incidents: readonly Incident[]
  approvals: readonly Approval[]
}

export type DrillVerdict = { state: 'running' } | { state: 'passed' | 'failed'; words: string }

const ASK_WITHIN_SECONDS = 45
/** Putting the target back takes some seconds more; with them a run has ended 120 s after the last vote. */
const OVER_AFTER_VOTE_SECONDS = 110
/** An incident that heals by itself is over by then, or it does not heal by itself. */
const HEALED_WITHIN_SECONDS = 110
/** After an abortion a fresh card may follow. */
const FRESH_CARD_WITHIN_SECONDS = 20

const running: DrillVerdict = { state: 'running' }
const passed = (words: string): DrillVerdict => ({ state: 'passed', words })
const failed = (words: string): DrillVerdict => ({ state: 'failed', words })

/** Whether a run is over and how it went. Pure. */
export function judgeDrill(facts: DrillFacts): DrillVerdict {
  return facts.expects === 'no-action' ? judgeLeftAlone(facts) : judgeActedOn(facts, facts.expects)
}

function judgeLeftAlone({ incidents, approvals, since, now }: DrillFacts): DrillVerdict {
  const [asked] = approvals
  if (asked) return failed(`Approval was asked for "${asked.plan.action.title}", although nothing was to be done.`)
  const closed = incidents.find(({ state }) => state === 'resolved')
  if (closed) return failed(`${closed.id} was closed by a person before it was seen to heal.`)
  if (incidents.length > 0 && incidents.every(({ state }) => state === 'healed')) {
    return passed('The incident healed by itself, and nothing was asked.')
  }
  if (incidents.length === 0 && isOver(since, ASK_WITHIN_SECONDS, now)) return failed(noIncident())
  return isOver(since, HEALED_WITHIN_SECONDS, now)
    ? failed(`The incident was not over ${HEALED_WITHIN_SECONDS} s after it began.`)
    : running
}

function judgeActedOn(facts: DrillFacts, expects: 'action' | 'undo'): DrillVerdict {
  const { approvals, now } = facts
  if (approvals.length === 0) return judgeUnasked(facts)
  const verdict = expects === 'action' ? judgeMended(facts) : judgeUndone(approvals)
  if (verdict.state !== 'running') return verdict
  const lastVote = approvals.flatMap(({ votes }) => votes.map(({ at }) => at.getTime())).sort((a, b) => b - a)[0]
  if (lastVote !== undefined && isOver(new Date(lastVote), OVER_AFTER_VOTE_SECONDS, now)) {
    return failed(`It was not over ${OVER_AFTER_VOTE_SECONDS} s after the last vote.`)
  }
  return judgeUnanswered(approvals, now)
}

/** An incident that ended early may have been another one: a busy machine has troubles of its own, and the one of the drill may still come. */
function judgeUnasked({ incidents, since, now }: DrillFacts): DrillVerdict {
  if (!isOver(since, ASK_WITHIN_SECONDS, now)) return running
  const over = incidents.find(({ state }) => ENDED_STATES.includes(state))
  if (over && incidents.length === 1) return failed(`${over.id} ended ${over.state}, and no approval was asked.`)
  return failed(incidents.length > 0 ? `No approval was asked within ${ASK_WITHIN_SECONDS} s.` : noIncident())
}

function judgeMended({ approvals, incidents }: DrillFacts): DrillVerdict {
  const verified = approvals.find((approval) => approvalOutcome(approval) === 'verified')
  if (!verified) return judgeWrongOutcome(approvals, ['failed', 'undetermined', 'undone'])
  const incident = incidents.find(({ id }) => id === verified.incidentId)
  if (incident?.state === 'resolved') return passed(`"${verified.plan.action.title}" was approved, carried out once and verified.`)
  return incident?.state === 'healed'
    ? failed(`"${verified.plan.action.title}" was verified, but ${incident.id} ended as healed by itself.`)
    : running
}

function judgeUndone(approvals: readonly Approval[]): DrillVerdict {
  const undone = approvals.find((approval) => approvalOutcome(approval) === 'undone')
  if (undone) return passed(`"${undone.plan.action.title}" was approved, did not help, and was undone.`)
  return judgeWrongOutcome(approvals, ['verified', 'failed', 'undetermined'])
}

/** `failed` counts only once nothing more will come of it: an undo may be under way. */
function judgeWrongOutcome(approvals: readonly Approval[], wrong: readonly string[]): DrillVerdict {
  const ended = approvals.find((approval) => approvalState(approval) === 'done' && wrong.includes(approvalOutcome(approval) ?? ''))
  return ended ? failed(`"${ended.plan.action.title}" ended ${approvalOutcome(ended)}.`) : running
}

/** Requests that ended without an execution, and nobody is asked any more. */
function judgeUnanswered(approvals: readonly Approval[], now: Date): DrillVerdict {
  const latest = approvals
    .filter(({ requestState }) => requestState !== 'superseded')
    .toSorted((a, b) => b.createdAt.getTime() - a.createdAt.getTime())[0]
  if (!latest) return running
  const state = approvalState(latest)
  const { title } = latest.plan.action
  if (state === 'denied' || state === 'cancelled') return failed(`"${title}" was ${state}${latest.reason ? `: ${latest.reason}` : ''}.`)
  if (state === 'expired') return failed(`Nobody decided on "${title}" in time.`)
  const abortedAt = latest.execution?.events.at(-1)?.at
  if (state !== 'aborted' || !abortedAt || !isOver(abortedAt, FRESH_CARD_WITHIN_SECONDS, now)) return running
  return failed(`"${title}" was not run, and no fresh card followed.`)
}

function noIncident(): string {
  return `No incident was opened within ${ASK_WITHIN_SECONDS} s.`
}

function isOver(since: Date, seconds: number, now: Date): boolean {
  return now.getTime() - since.getTime() >= seconds * 1_000
}
