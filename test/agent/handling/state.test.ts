import { expect, test } from 'vitest'
import type { IncidentEvent } from '../../../agent/domain/incident.ts'
import { handlingOf } from '../../../agent/handling/state.ts'

const AT = new Date('2026-03-01T10:42:00Z')
const event = (kind: string, detail: Record<string, unknown> = {}): IncidentEvent => ({
  incidentId: 'inc-1',
  seq: 1,
  at: AT,
  kind,
  text: kind,
  detail: { person: 'alice', name: 'Alice', ...detail },
})
const taken = event('incident-taken')
const snoozed = event('incident-snoozed', { until: '2026-03-01T12:00:00.000Z', reason: 'lunch' })

test.each([
  ['nothing was said', [], null],
  ['somebody took it', [taken], { by: 'alice', name: 'Alice', at: AT }],
  ['it was given back', [taken, event('incident-given-back')], null],
  ['it was taken over', [taken, event('incident-taken', { person: 'carol', name: 'Carol' })], { by: 'carol', name: 'Carol', at: AT }],
])('taken: %s', (_name, timeline, expected) => expect(handlingOf(timeline, AT).taken).toEqual(expected))

test('a snooze lasts until its time, or until it is ended', () => {
  expect(handlingOf([snoozed], AT).snoozed).toEqual({
    by: 'alice',
    name: 'Alice',
    until: new Date('2026-03-01T12:00:00Z'),
    reason: 'lunch',
  })
  expect(handlingOf([snoozed], new Date('2026-03-01T12:00:00Z')).snoozed).toBeNull()
  expect(handlingOf([snoozed, event('incident-woken')], AT).snoozed).toBeNull()
  expect(handlingOf([event('incident-snoozed', { until: 'soon' })], AT).snoozed).toBeNull()
})
