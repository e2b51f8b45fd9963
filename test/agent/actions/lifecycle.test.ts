import { describe, expect, it } from 'vitest'
import { moveByApprovals, wantsFreshCard } from '../../../agent/actions/lifecycle.ts'
import { attemptsSpent, objectionToRepeat } from '../../../agent/actions/repetition.ts'
import type { Approval, Execution, ExecutionState } from '../../../agent/domain/approval.ts'
import type { IncidentState } from '../../../agent/domain/incident.ts'
import { timelineOf } from '../../../agent/records/timeline.ts'
import { anApproval, aPlan, at, aVote } from '../../support/builders.ts'

const execution = (...states: ExecutionState[]): Execution => ({
  id: 'x',
  planId: aPlan().id,
  state: states.at(-1) ?? 'claimed',
  epoch: 1,
  events: states.map((state, index) => ({
    seq: index + 1,
    state,
    at: at(10 + index),
    detail: state === 'aborted' ? { reason: 'stale-target' } : {},
  })),
})
const authorised = (...states: ExecutionState[]): Approval =>
  anApproval({ requestState: 'authorised', decidedAt: at(5), execution: states.length > 0 ? execution(...states) : null })

function verifiedWithoutHealing(): Approval {
  const plan = aPlan()
  return {
    ...authorised('claimed', 'intent', 'sent', 'succeeded', 'verified'),
    plan: { ...plan, success: { ...plan.success, heals: false } },
  }
}

describe('where an incident stands by its approvals', () => {
  it.each<[string, IncidentState, Approval[], IncidentState | null]>([
    ['nothing was asked', 'observing', [], null],
    ['a card waits', 'observing', [anApproval()], 'awaiting-approval'],
    ['it waits already', 'awaiting-approval', [anApproval()], null],
    ['it was claimed', 'awaiting-approval', [authorised('claimed')], 'acting'],
    ['it took effect', 'acting', [authorised('claimed', 'intent', 'sent', 'succeeded')], 'verifying'],
    ['it was verified', 'verifying', [authorised('claimed', 'intent', 'sent', 'succeeded', 'verified')], 'resolved'],
    ['it was verified and heals nothing by itself', 'verifying', [verifiedWithoutHealing()], 'observing'],
    ['it failed and the undo is due', 'acting', [authorised('claimed', 'intent', 'sent', 'succeeded', 'failed')], 'verifying'],
    ['it failed without effect', 'acting', [authorised('claimed', 'intent', 'sent', 'failed')], 'observing'],
    ['undetermined never closes', 'verifying', [authorised('claimed', 'intent', 'sent', 'succeeded', 'undetermined')], 'observing'],
    ['undone leaves it open', 'verifying', [authorised('claimed', 'intent', 'sent', 'succeeded', 'failed', 'undone')], 'observing'],
    ['denied', 'awaiting-approval', [anApproval({ requestState: 'denied', decidedAt: at(5) })], 'observing'],
    ['expired', 'awaiting-approval', [anApproval({ requestState: 'expired', decidedAt: at(600) })], 'observing'],
    [
      'a newer card counts',
      'observing',
      [anApproval({ requestState: 'denied', createdAt: at(0) }), anApproval({ createdAt: at(9) })],
      'awaiting-approval',
    ],
    ['a replaced card does not', 'observing', [anApproval({ requestState: 'superseded', createdAt: at(9) })], null],
    ['an ended incident stays ended', 'resolved', [anApproval()], null],
    ['a new look is not moved by the last answer', 'investigating', [anApproval({ requestState: 'denied' })], null],
  ])('%s', (_words, state, approvals, expected) => {
    expect(moveByApprovals(state, approvals)?.state ?? null).toBe(expected)
  })
})

describe('a fresh card', () => {
  const aborted = (createdAt: Date): Approval => ({ ...authorised('claimed', 'aborted'), createdAt })
  it('follows an abortion by a changed target, twice at most', () => {
    expect(wantsFreshCard([aborted(at(0))])).toBe(true)
    expect(wantsFreshCard([aborted(at(0)), aborted(at(1))])).toBe(true)
    expect(wantsFreshCard([aborted(at(0)), aborted(at(1)), aborted(at(2))])).toBe(false)
  })
  it('does not follow a denial, nor an abortion that was answered since', () => {
    expect(wantsFreshCard([anApproval({ requestState: 'denied' })])).toBe(false)
    expect(wantsFreshCard([aborted(at(0)), anApproval({ createdAt: at(1) })])).toBe(false)
  })
})

describe('proposing the same again', () => {
  const { action, resource, parameters } = aPlan()
  const again = { action, resource, parameters }
  it.each<[string, Approval]>([
    ['is open', anApproval()],
    ['was denied', anApproval({ requestState: 'denied' })],
    ['expired', anApproval({ requestState: 'expired' })],
    ['was carried out', authorised('claimed', 'intent', 'sent', 'succeeded', 'failed', 'undone')],
  ])('is held back when it %s', (_words, approval) => {
    expect(objectionToRepeat(again, [approval], false)).toContain('Roll back payments')
  })
  it('is allowed for another target, after a stale abortion, and when a person asks', () => {
    expect(
      objectionToRepeat({ ...again, resource: 'local/local/service/checkout' }, [anApproval({ requestState: 'denied' })], false),
    ).toBeNull()
    expect(objectionToRepeat(again, [authorised('claimed', 'aborted')], false)).toBeNull()
    expect(objectionToRepeat(again, [anApproval({ requestState: 'denied' })], true)).toBeNull()
    expect(objectionToRepeat(again, [anApproval()], true)).toContain('still open')
  })
})

describe('what was spent', () => {
  it('counts what was sent, against this cause and against any, and no undo', () => {
    const sent = authorised('claimed', 'intent', 'sent', 'succeeded', 'failed')
    const other = {
      ...sent,
      plan: aPlan({ cause: { class: 'memory_leak', component: 'service/payments' } }),
      undoExecution: execution('claimed', 'intent', 'sent'),
    }
    const cause = { class: 'bad_release', component: 'service/payments' } as const
    expect(attemptsSpent([sent, other, authorised('claimed', 'aborted'), anApproval()], cause)).toEqual({ ofIncident: 2, ofCause: 1 })
  })
})

describe('the timeline', () => {
  it('tells votes and steps from their rows, in the order of time', () => {
    const approval: Approval = {
      ...authorised('claimed', 'intent', 'sent', 'succeeded', 'verified'),
      votes: [aVote('alice', 'approve', 5)],
    }
    const recorded = [{ incidentId: 'INC-42', seq: 1, at: at(-3), kind: 'incident-opened', text: 'Opened.', detail: {} }]
    const timeline = timelineOf(recorded, [approval])
    expect(timeline.map(({ kind }) => kind)).toEqual([
      'incident-opened',
      'approval-requested',
      'approval-authorised',
      'vote-recorded',
      'execution-claimed',
      'execution-intent',
      'execution-sent',
      'execution-succeeded',
      'execution-verified',
    ])
    expect(timeline.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
  })
})
