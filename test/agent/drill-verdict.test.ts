import { expect, test } from 'vitest'
import type { Approval } from '../../agent/domain/approval.ts'
import type { Incident } from '../../agent/domain/incident.ts'
import { type DrillFacts, judgeDrill } from '../../agent/drill-verdict.ts'
import { anApproval, anIncident, approvalsInEveryState, at } from '../support/builders.ts'

const inState = (state: Incident['state']): Incident =>
  anIncident({ state, endedAt: state === 'resolved' || state === 'healed' ? at(90) : null })

function approvalIn(name: string): Approval {
  const found = approvalsInEveryState()[name]?.approval
  if (!found) throw new Error(`no approval ${name}`)
  return found
}

function judged(expects: DrillFacts['expects'], seconds: number, incident: Incident | null, ...approvals: Approval[]): string {
  const verdict = judgeDrill({ expects, since: at(0), now: at(seconds), incidents: incident ? [incident] : [], approvals })
  return verdict.state === 'running' ? 'running' : `${verdict.state}: ${verdict.words}`
}

const TITLE = '"Roll back payments from v42 to v41"'

test.each<[DrillFacts['expects'], number, Incident['state'] | null, string[], string]>([
  ['action', 44, null, [], 'running'],
  ['action', 45, null, [], 'failed: No incident was opened within 45 s.'],
  ['action', 45, 'investigating', [], 'failed: No approval was asked within 45 s.'],
  ['action', 44, 'healed', [], 'running'],
  ['action', 45, 'healed', [], 'failed: INC-42 ended healed, and no approval was asked.'],
  ['action', 500, 'awaiting-approval', ['asking'], 'running'],
  ['action', 100, 'verifying', ['verifying'], 'running'],
  ['action', 100, 'verifying', ['verified'], 'running'],
  ['action', 100, 'resolved', ['verified'], `passed: ${TITLE} was approved, carried out once and verified.`],
  ['action', 100, 'healed', ['verified'], `failed: ${TITLE} was verified, but INC-42 ended as healed by itself.`],
  ['action', 60, 'observing', ['undo-waiting'], 'running'],
  ['action', 60, 'observing', ['undone'], `failed: ${TITLE} ended undone.`],
  ['action', 60, 'observing', ['undetermined'], `failed: ${TITLE} ended undetermined.`],
  ['action', 60, 'observing', ['denied'], `failed: ${TITLE} was denied.`],
  ['action', 60, 'observing', ['cancelled'], `failed: ${TITLE} was cancelled: Withdrawn by Alice: handled by hand.`],
  ['action', 700, 'observing', ['expired'], `failed: Nobody decided on ${TITLE} in time.`],
  ['action', 60, 'observing', ['aborted'], 'running'],
  ['action', 63, 'observing', ['aborted'], `failed: ${TITLE} was not run, and no fresh card followed.`],
  ['action', 150, 'verifying', ['verifying'], 'running'],
  ['action', 151, 'verifying', ['verifying'], 'failed: It was not over 110 s after the last vote.'],
  ['undo', 60, 'verifying', ['undoing'], 'running'],
  ['undo', 60, 'observing', ['undone'], `passed: ${TITLE} was approved, did not help, and was undone.`],
  ['undo', 60, 'resolved', ['verified'], `failed: ${TITLE} ended verified.`],
  ['undo', 60, 'observing', ['kept'], `failed: ${TITLE} ended failed.`],
  ['undo', 60, 'observing', ['undo-failed'], `failed: ${TITLE} ended failed.`],
  ['no-action', 30, 'observing', [], 'running'],
  ['no-action', 45, null, [], 'failed: No incident was opened within 45 s.'],
  ['no-action', 30, 'healed', [], 'passed: The incident healed by itself, and nothing was asked.'],
  ['no-action', 30, 'awaiting-approval', ['asking'], `failed: Approval was asked for ${TITLE}, although nothing was to be done.`],
  ['no-action', 30, 'resolved', [], 'failed: INC-42 was closed by a person before it was seen to heal.'],
  ['no-action', 110, 'observing', [], 'failed: The incident was not over 110 s after it began.'],
])('%s after %i s, incident %s, approvals %j', (expects, seconds, state, approvals, verdict) => {
  expect(judged(expects, seconds, state && inState(state), ...approvals.map(approvalIn))).toBe(verdict)
})

test('a fresh card after an abortion goes on', () => {
  const fresh = anApproval({ id: 'fresh', createdAt: at(62) })
  expect(judged('action', 90, inState('awaiting-approval'), approvalIn('aborted'), fresh)).toBe('running')
})

test('a superseded request is no answer', () => {
  expect(judged('action', 90, inState('awaiting-approval'), approvalIn('superseded'), approvalIn('asking'))).toBe('running')
})
