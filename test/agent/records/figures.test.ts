import { expect, test } from 'vitest'
import type { IncidentRecord } from '../../../agent/ports.ts'
import { durationsOf, figuresOf, isAfterHours } from '../../../agent/records/figures.ts'
import { anApproval, aVote } from '../../support/builders.ts'

const FROM = new Date('2026-03-01T00:00:00Z')
const TO = new Date('2026-03-31T00:00:00Z')
const MONDAY_NOON = new Date('2026-03-02T12:00:00Z')
const after = (seconds: number): Date => new Date(MONDAY_NOON.getTime() + seconds * 1_000)

const incident = (id: string, changed: Partial<IncidentRecord> = {}): IncidentRecord => ({
  ...{ id, service: 'payments', environment: 'local', severity: 2, openedAt: MONDAY_NOON, endedAt: after(600), acknowledgedAt: after(60) },
  ...{ ending: 'verified', isDrill: false },
  ...changed,
})
const figures = (incidents: IncidentRecord[], changed: Partial<Parameters<typeof figuresOf>[0]> = {}) =>
  figuresOf({
    from: FROM,
    to: TO,
    service: null,
    drills: false,
    incidents,
    requests: [],
    feedback: { right: 0, wrong: 0 },
    isWhole: true,
    ...changed,
  })

test('times count what was measured, and say on how many they stand', () => {
  const { timeToAcknowledge, timeToResolve, endings, incidents } = figures([
    incident('inc-1'),
    incident('inc-2', { acknowledgedAt: after(180), endedAt: after(1_200), ending: 'healed' }),
    incident('inc-3', { acknowledgedAt: null, endedAt: null, ending: null, severity: 1 }),
    incident('inc-4', { acknowledgedAt: null, endedAt: null, ending: 'gone' }),
  ])
  expect(timeToAcknowledge).toEqual({ mean: 120, median: 60, p90: 180, n: 2 })
  expect(timeToResolve).toEqual({ mean: 900, median: 600, p90: 1_200, n: 2 })
  expect(endings).toEqual({ verified: 1, healed: 1, gone: 1, person: 0 })
  expect(incidents).toMatchObject({ opened: 4, open: 2, bySeverity: { 1: 1, 2: 3, 3: 0, 4: 0 } })
})

test('drills and what became a part of another incident do not count as incidents', () => {
  const all = [incident('inc-1'), incident('inc-2', { isDrill: true }), incident('inc-3', { ending: 'merged' })]
  expect(figures(all).incidents).toMatchObject({ opened: 1, merged: 1, drillsLeftOut: 1 })
  expect(figures(all, { drills: true }).incidents).toMatchObject({ opened: 2, merged: 1, drillsLeftOut: 0 })
})

test('requests count by their end, latency by the decisions of people alone, of counted incidents in the window alone', () => {
  const vote = { ...aVote('alice'), at: after(30) }
  const request = (changed: Parameters<typeof anApproval>[0]) =>
    anApproval({ incidentId: 'inc-1', createdAt: MONDAY_NOON, execution: null, ...changed })
  const requests = [
    request({ requestState: 'authorised', decidedAt: after(30), votes: [vote] }),
    request({ requestState: 'denied', decidedAt: after(90), votes: [{ ...vote, decision: 'deny' }] }),
    request({ requestState: 'expired', decidedAt: after(900), votes: [] }),
    request({ requestState: 'authorised', incidentId: 'inc-7', decidedAt: after(1), votes: [vote] }),
    request({ requestState: 'denied', createdAt: new Date('2026-02-01T12:00:00Z'), decidedAt: after(1), votes: [vote] }),
  ]
  const { requests: counts, approvalLatency, afterHours } = figures([incident('inc-1')], { requests })
  expect(counts).toMatchObject({ asked: 3, approved: 1, denied: 1, expired: 1, cancelled: 0 })
  expect(approvalLatency).toEqual({ mean: 60, median: 30, p90: 90, n: 2 })
  expect(afterHours).toEqual({ incidents: 0, requests: 0 })
})

test.each([
  ['2026-03-02T08:00:00Z', false],
  ['2026-03-02T07:59:59Z', true],
  ['2026-03-02T18:00:00Z', true],
  ['2026-03-07T12:00:00Z', true],
  ['2026-03-08T12:00:00Z', true],
])('%s is after hours: %s', (moment, expected) => expect(isAfterHours(new Date(moment))).toBe(expected))

test('nothing measured is no number', () => expect(durationsOf([])).toEqual({ mean: null, median: null, p90: null, n: 0 }))
