import { expect, test } from 'vitest'
import { relationsOf } from '../../../agent/domain/relations.ts'

const NONE = { recurrence: null, backAs: null, mergedInto: null, parts: [] }
const event = (kind: string, detail: Record<string, unknown>) => ({ kind, detail })

test('an incident without others', () => {
  expect(relationsOf([event('incident-opened', { source: 'alertmanager' }), event('incident-resolved', { into: 'inc-2' })])).toEqual(NONE)
})

test('what came back, what it came back as, what became of it, and what became a part of it', () => {
  const recurrence = { of: 'inc-2', count: 3, since: '2026-03-01T10:42:00.000Z' }
  const timeline = [
    event('incident-opened', { source: 'alertmanager', recurrence }),
    event('incident-joined', { joined: 'inc-5', alerts: 1 }),
    event('incident-joined', { joined: 'inc-6', alerts: 2 }),
    event('incident-merged', { into: 'inc-7' }),
    event('incident-recurred', { as: 'inc-8' }),
    event('incident-recurred', { as: 'inc-9' }),
  ]
  expect(relationsOf(timeline)).toEqual({
    recurrence: { of: 'inc-2', count: 3, since: new Date('2026-03-01T10:42:00.000Z') },
    backAs: 'inc-9',
    mergedInto: 'inc-7',
    parts: ['inc-5', 'inc-6'],
  })
})

test.each([{}, { recurrence: 'inc-2' }, { recurrence: { of: 'inc-2', count: 1, since: '2026-03-01T10:42:00.000Z' } }])(
  'what is not as it is written says nothing: %j',
  (detail) => {
    const timeline = ['incident-opened', 'incident-joined', 'incident-merged', 'incident-recurred'].map((kind) => event(kind, detail))
    expect(relationsOf(timeline)).toEqual(NONE)
  },
)
