import { sql } from 'kysely'
import { beforeEach, expect, it } from 'vitest'
import type { IncidentStore, IntakeDecision } from '../../agent/ports.ts'
import { createIncidentStore } from '../../storage/incidents.ts'
import { createPeopleStore } from '../../storage/people.ts'
import { alert } from '../support/alerts.ts'
import { aHypothesis } from '../support/builders.ts'
import { describeDatabases } from '../support/database.ts'

const START = new Date('2026-03-01T10:42:05.000Z')
const ALICE = { id: 'alice', name: 'Alice' }
const OPEN = ['open', 'investigating', 'observing', 'awaiting-approval'] as const

const open = (service: string): IntakeDecision => ({
  do: 'open',
  title: `${service}: HighErrorRatio`,
  service,
  environment: 'shop',
  severity: 1,
  severityReason: 'level critical',
  drillRun: null,
  reason: 'it fires',
})

describeDatabases('incidents that are merged and split', (store) => {
  const database = store.perTest()
  let time = START
  let incidents: IncidentStore
  beforeEach(async () => {
    time = START
    incidents = createIncidentStore({ db: database().db, now: () => time })
    const people = createPeopleStore({ db: database().db })
    await people.sync(
      ['Alice', 'Carol'].map((name) => ({ id: name.toLowerCase(), name, roles: ['approver'], environments: ['*'], links: [] })),
    )
  })
  const opened = async (key: string, service = 'payments'): Promise<string> => {
    const { incidentId } = await incidents.absorb(alert({ key }), 1, () => open(service))
    if (incidentId === null) throw new Error('an incident was expected')
    return incidentId
  }
  const keys = async (id: string): Promise<string[]> => (await incidents.alerts(id)).map(({ key }) => key)

  it('merges: one ends, its alerts and those that follow belong to the other, both tell it', async () => {
    const [first, second] = [await opened('a'), await opened('b', 'checkout')]
    expect(await incidents.merge({ id: second, into: first, person: ALICE, from: OPEN })).toBe(1)
    expect(await incidents.get(second)).toMatchObject({ state: 'resolved', endedAt: START })
    expect(await Promise.all([first, second].map(keys))).toEqual([['a', 'b'], []])
    expect((await incidents.timeline(second)).at(-1)).toMatchObject({ kind: 'incident-merged', detail: { into: first, person: 'alice' } })
    expect((await incidents.timeline(first)).at(-1)?.text).toBe('Alice merged inc-2 (checkout: HighErrorRatio) into it.')
    const again = await incidents.absorb(alert({ key: 'b', startsAt: '2026-03-01T11:00:00Z' }), 2, ({ known }) => {
      expect(known?.incident.id).toBe(first)
      return { do: 'attach', incidentId: known?.incident.id ?? '', reason: 'again' }
    })
    expect(again.incidentId).toBe(first)
    expect(await keys(first)).toEqual(['a', 'b', 'b'])
  })

  it('does not merge what is over, nor into what is over', async () => {
    const [first, second] = [await opened('a'), await opened('b')]
    await incidents.record(first, { kind: 'incident-resolved', text: 'over', state: 'resolved' })
    expect(await incidents.merge({ id: second, into: first, person: ALICE, from: OPEN })).toBeNull()
    expect(await incidents.merge({ id: first, into: second, person: ALICE, from: OPEN })).toBeNull()
    expect(await incidents.merge({ id: second, into: 'inc-9', person: ALICE, from: OPEN })).toBeNull()
    expect(await keys(second)).toEqual(['b'])
  })

  it('merged into each other at once, one of the two stays', async () => {
    const [first, second] = [await opened('a'), await opened('b')]
    const results = await Promise.all([
      incidents.merge({ id: first, into: second, person: ALICE, from: OPEN }),
      incidents.merge({ id: second, into: first, person: ALICE, from: OPEN }),
    ])
    expect(results.filter((moved) => moved === null)).toHaveLength(1)
    expect((await incidents.list({ state: 'active', limit: 10 })).items).toHaveLength(1)
  })

  it('splits alerts off, whole, and leaves at least one', async () => {
    const id = await opened('a')
    await incidents.absorb(alert({ key: 'b' }), 2, () => ({ do: 'attach', incidentId: id, reason: 'too' }))
    await incidents.absorb(alert({ key: 'b', status: 'resolved' }), 3, () => ({ do: 'attach', incidentId: id, reason: 'over' }))
    const split = (wanted: string[]) =>
      incidents.split({
        id,
        alerts: wanted.map((key) => ({ source: alert().source, key })),
        person: ALICE,
        title: 'checkout: b',
        service: 'checkout',
      })
    expect(await split(['nothing'])).toBeNull()
    expect(await split(['a', 'b'])).toBeNull()
    expect(await split(['b'])).toMatchObject({ id: 'inc-2', title: 'checkout: b', service: 'checkout', environment: 'shop', severity: 1 })
    expect(await Promise.all(['inc-1', 'inc-2'].map(keys))).toEqual([['a'], ['b', 'b']])
    expect((await incidents.timeline('inc-2'))[0]).toMatchObject({ kind: 'incident-opened', detail: { splitFrom: id } })
    expect(await split(['a'])).toBeNull()
  })

  it('what is recorded only unless the timeline forbids it, is recorded once by two at once', async () => {
    const id = await opened('a')
    const take = (person: string) =>
      incidents.record(id, {
        kind: 'incident-taken',
        text: `${person} took it`,
        unless: (timeline) => timeline.some(({ kind }) => kind === 'incident-taken'),
      })
    expect((await Promise.all([take('alice'), take('carol')])).toSorted()).toEqual([false, true])
    expect((await incidents.timeline(id)).filter(({ kind }) => kind === 'incident-taken')).toHaveLength(1)
  })

  it('keeps what people say of a diagnosis: the last word of each counts, and no row is changed', async () => {
    const id = await opened('a')
    const said = { person: ALICE, verdict: 'right', class: null, component: null, words: null } as const
    expect(await incidents.addFeedback(id, said)).toBe(false)
    await incidents.saveHypotheses(id, [aHypothesis()])
    expect(await incidents.addFeedback(id, said)).toBe(true)
    await incidents.addFeedback(id, { ...said, person: { id: 'carol', name: 'Carol' } })
    await incidents.addFeedback(id, {
      ...said,
      verdict: 'wrong',
      class: 'memory_leak',
      component: 'service/checkout',
      words: 'the\u0000heap',
    })
    expect((await incidents.feedback(id)).map(({ person, verdict, class: cause, words }) => [person.name, verdict, cause, words])).toEqual([
      ['Alice', 'wrong', 'memory_leak', 'the\uFFFDheap'],
      ['Carol', 'right', null, null],
    ])
    await expect(sql`update incident_feedback set verdict = 'right'`.execute(database().db)).rejects.toThrow('append-only')
    await expect(sql`delete from incident_feedback`.execute(database().db)).rejects.toThrow('append-only')
    await expect(incidents.addFeedback(id, { ...said, class: 'memory_leak' })).rejects.toThrow('incident_feedback_right_needs_no_other')
  })

  it('the same word again takes nothing away of what somebody said it was; another word does', async () => {
    const id = await opened('a')
    await incidents.saveHypotheses(id, [aHypothesis()])
    const bare = { person: ALICE, class: null, component: null, words: null } as const
    const carol = { id: 'carol', name: 'Carol' }
    const wrong = { ...bare, verdict: 'wrong' } as const
    const last = async () => (await incidents.feedback(id)).map(({ person, at: _, ...said }) => ({ ...said, by: person.id }))
    const details = { verdict: 'wrong', class: 'memory_leak', component: 'checkout', words: 'the heap' } as const
    await incidents.addFeedback(id, { ...bare, ...details })
    await incidents.addFeedback(id, wrong)
    expect(await last()).toEqual([{ ...details, by: 'alice' }])
    expect((await incidents.timeline(id)).at(-1)?.text).toBe('Alice says the diagnosis is wrong.')
    await incidents.addFeedback(id, { ...wrong, person: carol })
    await incidents.addFeedback(id, { ...wrong, words: 'the disk' })
    const none = { class: null, component: null, words: null }
    expect(await last()).toEqual([
      { ...none, verdict: 'wrong', words: 'the disk', by: 'alice' },
      { ...none, verdict: 'wrong', by: 'carol' },
    ])
    await incidents.addFeedback(id, { ...bare, verdict: 'right' })
    await incidents.addFeedback(id, wrong)
    expect((await last())[0]).toEqual({ ...none, verdict: 'wrong', by: 'alice' })
  })

  it('a severity by word stands with its reason', async () => {
    const id = await opened('a')
    await incidents.record(id, { kind: 'severity-changed', text: 'worse', severity: { severity: 3, reason: 'set by Alice' } })
    expect(await incidents.get(id)).toMatchObject({ severity: 3, severityReason: 'set by Alice', state: 'open' })
  })
})
