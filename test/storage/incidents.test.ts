import { sql } from 'kysely'
import { beforeEach, describe, expect, it } from 'vitest'
import type { NewEvidence } from '../../agent/domain/evidence.ts'
import type { Hypothesis } from '../../agent/domain/hypothesis.ts'
import { relationsOf } from '../../agent/domain/relations.ts'
import type { IncidentStore, IntakeDecision, IntakeFacts } from '../../agent/ports.ts'
import { evidenceHash } from '../../storage/evidence.ts'
import { createIncidentStore } from '../../storage/incidents.ts'
import { alert } from '../support/alerts.ts'
import { describeDatabases } from '../support/database.ts'

const START = new Date('2026-03-01T10:42:05.000Z')

const open = (title = 'payments: HighErrorRatio', service = 'payments'): IntakeDecision => ({
  do: 'open',
  title,
  service,
  environment: 'shop',
  severity: 1,
  severityReason: 'level critical',
  drillRun: null,
  reason: 'HighErrorRatio is firing for payments',
})

const evidence = (content: unknown): NewEvidence => ({
  kind: 'metrics',
  source: 'test',
  trust: 'metric',
  status: 'ok',
  summary: 'errors of payments are at 61.5 %',
  query: 'error_ratio{service="payments"}',
  from: new Date('2026-03-01T10:37:00.000Z'),
  to: START,
  link: null,
  content,
})

describeDatabases('the incident store', (store) => {
  const database = store.perTest()
  let time = START
  let incidents: IncidentStore
  beforeEach(() => {
    time = START
    incidents = createIncidentStore({ db: database().db, now: () => time })
  })
  const notices = async () => {
    const rows = database().db.selectFrom('outbox').select(['dedupe', 'topic', 'incident_id', 'body'])
    return await rows.where('topic', '=', 'incident-changed').orderBy('id').execute()
  }
  const opened = async (key = 'a'): Promise<string> => {
    const { incidentId } = await incidents.absorb(alert({ key }), 1, () => open())
    if (incidentId === null) throw new Error('an incident was expected')
    return incidentId
  }

  it('opens an incident with its alert, its first event and its notice', async () => {
    const result = await incidents.absorb(alert(), null, () => open())
    expect(result).toMatchObject({ incidentId: 'inc-1', isNew: true, decision: { do: 'open' } })
    expect(await incidents.get('inc-1')).toEqual({
      id: 'inc-1',
      title: 'payments: HighErrorRatio',
      service: 'payments',
      environment: 'shop',
      severity: 1,
      severityReason: 'level critical',
      state: 'open',
      openedAt: START,
      endedAt: null,
      drillRun: null,
    })
    expect(await incidents.timeline('inc-1')).toMatchObject([
      { incidentId: 'inc-1', seq: 1, at: START, kind: 'incident-opened', text: 'HighErrorRatio is firing for payments' },
    ])
    expect(await incidents.alerts('inc-1')).toEqual([{ ...alert(), receivedAt: START }])
    expect(await notices()).toEqual([
      { dedupe: 'incident:inc-1:1', topic: 'incident-changed', incident_id: 'inc-1', body: { incidentId: 'inc-1' } },
    ])
  })

  it('takes the same occurrence once, however often it is delivered, and counts it', async () => {
    await opened()
    for (let again = 0; again < 5; again += 1) {
      const result = await incidents.absorb(alert({ key: 'a' }), 1 + again, () => {
        throw new Error('a repeat is not decided again')
      })
      expect(result).toMatchObject({ isNew: false, incidentId: 'inc-1', decision: { do: 'drop' } })
    }
    expect(await incidents.timeline('inc-1')).toHaveLength(1)
    expect(await database().db.selectFrom('alert').select('deliveries').execute()).toEqual([{ deliveries: 6 }])
  })

  describe('an alert that still fires after its incident ended', () => {
    const ended = new Date('2026-03-01T11:00:00.000Z')
    const later = (seconds: number): Date => new Date(ended.getTime() + seconds * 1_000)
    const deliver = async (receivedAt: Date): Promise<number> => {
      const row = {
        source: 'alertmanager',
        delivery_key: receivedAt.toISOString(),
        body: Buffer.from('{}'),
        headers: '{}',
        received_at: receivedAt,
      }
      const { id } = await database().db.insertInto('inbox').values(row).returning('id').executeTakeFirstOrThrow()
      return id
    }
    const arrives = async (inboxId: number) => {
      time = later(3_600)
      return await incidents.absorb(alert({ key: 'a' }), inboxId, () => open())
    }
    beforeEach(async () => {
      const id = await opened()
      time = ended
      await incidents.record(id, { kind: 'incident-resolved', text: 'Closed.', state: 'resolved' })
    })

    it('is a new occurrence from thirty seconds after the end on, and its delivery is taken once', async () => {
      const inboxId = await deliver(later(30))
      expect(await arrives(inboxId)).toMatchObject({ isNew: true, incidentId: 'inc-2' })
      expect(await arrives(inboxId)).toMatchObject({ isNew: false, incidentId: 'inc-2', decision: { do: 'drop' } })
      expect(await arrives(await deliver(later(60)))).toMatchObject({ isNew: false, incidentId: 'inc-2', decision: { do: 'drop' } })
      time = later(120)
      await incidents.record('inc-2', { kind: 'incident-resolved', text: 'Closed.', state: 'resolved' })
      expect(await arrives(inboxId)).toMatchObject({ isNew: false, incidentId: 'inc-2' })
      expect(await arrives(await deliver(later(150)))).toMatchObject({ isNew: true, incidentId: 'inc-3' })
      expect(await incidents.alerts('inc-1')).toHaveLength(1)
    })

    it('without a beginning is the old trouble when it came before the end, and is decided anew when it came later', async () => {
      const still = (inboxId: number | null) => incidents.absorb(alert({ key: 'a', startsAt: null }), inboxId, () => open())
      time = later(3_600)
      expect(await still(await deliver(later(-1)))).toMatchObject({ isNew: false, incidentId: 'inc-1', decision: { do: 'drop' } })
      expect(await still(await deliver(later(0)))).toMatchObject({ isNew: true, incidentId: 'inc-2' })
    })

    it('is an echo before that, and so is a delivery from before the end that is taken up again', async () => {
      for (const seconds of [-600, -1, 0, 29.999])
        expect(await arrives(await deliver(later(seconds)))).toMatchObject({ isNew: false, incidentId: 'inc-1', decision: { do: 'drop' } })
    })

    it('lets the decision know what it made before', async () => {
      time = later(3_600)
      const seen: IntakeFacts[] = []
      await incidents.absorb(alert({ key: 'a' }), null, (facts) => {
        seen.push(facts)
        return open()
      })
      expect(seen).toMatchObject([{ openIncidents: [], known: { incident: { id: 'inc-1', endedAt: ended }, lastStatus: 'firing' } }])
    })

    it('is over when its end was heard', async () => {
      time = later(3_600)
      const end = alert({ key: 'a', status: 'resolved' })
      const drop = (): IntakeDecision => ({ do: 'attach', incidentId: 'inc-1', reason: 'x' })
      await incidents.absorb(end, await deliver(later(40)), drop)
      expect(await incidents.absorb(end, await deliver(later(90)), drop)).toMatchObject({ decision: { do: 'drop' }, incidentId: 'inc-1' })
    })
  })

  it('lets the decision see what is open and what was heard of this alert', async () => {
    await opened()
    const seen: IntakeFacts[] = []
    time = new Date('2026-03-01T10:43:00.000Z')
    await incidents.absorb(alert({ key: 'a', status: 'resolved' }), 2, (facts) => {
      seen.push(facts)
      return { do: 'attach', incidentId: 'inc-1', reason: 'HighErrorRatio is resolved' }
    })
    await incidents.absorb(alert({ key: 'b' }), 3, (facts) => {
      seen.push(facts)
      return { do: 'drop', reason: 'a heartbeat' }
    })
    expect(seen[0]).toMatchObject({
      openIncidents: [{ id: 'inc-1' }],
      known: { incident: { id: 'inc-1' }, lastStatus: 'firing', lastStartsAt: alert().startsAt, deliveries: 1 },
      received: [{ status: 'firing', startsAt: alert().startsAt, receivedAt: START }],
    })
    expect(seen[1]).toMatchObject({ known: null, received: [] })
    expect(await incidents.timeline('inc-1')).toMatchObject([{ kind: 'incident-opened' }, { kind: 'alert-resolved', at: time }])
    expect(await incidents.alerts('inc-1')).toHaveLength(2)
  })

  it('notes a recurrence with both incidents, and tells the next decision of it', async () => {
    await opened()
    await incidents.record('inc-1', { kind: 'incident-resolved', text: 'over', state: 'resolved' })
    const recurrence = { of: 'inc-1', count: 2, since: START }
    const again = alert({ key: 'a', startsAt: '2026-03-01T10:45:00.000Z' })
    const { incidentId } = await incidents.absorb(again, 2, ({ known }) => {
      expect(known).toMatchObject({ incident: { id: 'inc-1', state: 'resolved' }, opening: { key: 'a' } })
      return { ...open(), recurrence } as IntakeDecision
    })
    expect(relationsOf(await incidents.timeline('inc-2'))).toMatchObject({ recurrence, backAs: null })
    expect(relationsOf(await incidents.timeline('inc-1'))).toMatchObject({ recurrence: null, backAs: incidentId })
    expect(await incidents.get('inc-1')).toMatchObject({ state: 'resolved', endedAt: START })
    expect((await notices()).map(({ dedupe }) => dedupe)).toEqual([
      ...['incident:inc-1:1', 'incident:inc-1:2'],
      ...['incident:inc-2:1', 'incident:inc-1:3'],
    ])
    await incidents.record('inc-2', { kind: 'incident-resolved', text: 'over', state: 'resolved' })
    await incidents.absorb(alert({ key: 'a', startsAt: '2026-03-01T10:50:00.000Z' }), 3, ({ known }) => {
      expect(known).toMatchObject({ incident: { id: 'inc-2' }, opening: { recurrence: { of: 'inc-1', count: 2 } } })
      return { do: 'drop', reason: 'seen' }
    })
  })

  it('counts a quiet alert with the incident without telling anybody', async () => {
    await opened()
    const again = alert({ key: 'a', startsAt: '2026-03-01T10:45:00.000Z' })
    await incidents.absorb(again, 2, () => ({ do: 'attach', incidentId: 'inc-1', reason: 'it flaps', quiet: true }))
    expect(await incidents.alerts('inc-1')).toHaveLength(2)
    expect(await incidents.timeline('inc-1')).toHaveLength(1)
    expect(await notices()).toHaveLength(1)
  })

  it('counts what only repeats where it was heard last, without a row of its own', async () => {
    await opened()
    const repeat = (): IntakeDecision => ({ do: 'drop', reason: 'it is still firing', repeats: true })
    for (const inboxId of [2, 3]) {
      const result = await incidents.absorb(alert({ key: 'a', startsAt: null }), inboxId, repeat)
      expect(result).toMatchObject({ isNew: false, incidentId: 'inc-1', decision: { do: 'drop' } })
    }
    expect(await incidents.absorb(alert({ key: 'b', startsAt: null }), 4, repeat)).toMatchObject({ incidentId: null })
    const rows = database().db.selectFrom('alert').select(['key', 'deliveries', 'incident_id']).orderBy('id')
    expect(await rows.execute()).toEqual([
      { key: 'a', deliveries: 3, incident_id: 'inc-1' },
      { key: 'b', deliveries: 1, incident_id: null },
    ])
  })

  it('shows each alert of a batch what those before it made, counts included', async () => {
    const seen: (number | null)[] = []
    let delivered = 0
    const arrival = (key: string, startsAt: string | null = null) => ({
      alert: alert({ key, startsAt }),
      inboxId: ++delivered,
      decide({ known, openIncidents }: IntakeFacts): IntakeDecision {
        seen.push(known?.deliveries ?? null)
        if (known && startsAt === null) return { do: 'drop', reason: 'it is still firing', repeats: true }
        const [incident] = openIncidents
        return incident ? { do: 'attach', incidentId: incident.id, reason: 'again' } : open()
      },
    })
    const later = '2026-03-01T10:50:00.000Z'
    const absorbed = await incidents.absorbAll([
      arrival('a'),
      arrival('a'),
      arrival('b'),
      arrival('a'),
      arrival('a', later),
      arrival('a', later),
    ])
    expect(absorbed.map(({ decision, incidentId }) => [decision.do, incidentId])).toEqual(
      ['open', 'drop', 'attach', 'drop', 'attach', 'drop'].map((done) => [done, 'inc-1']),
    )
    expect(seen).toEqual([null, 1, null, 2, 3])
    const rows = database().db.selectFrom('alert').select(['key', 'deliveries']).orderBy('id')
    expect(await rows.execute()).toEqual([
      { key: 'a', deliveries: 3 },
      { key: 'b', deliveries: 1 },
      { key: 'a', deliveries: 2 },
    ])
  })

  it('remembers what lies further back than what a decision is shown', async () => {
    await opened()
    const drop = (): IntakeDecision => ({ do: 'drop', reason: 'late' })
    for (let minute = 0; minute < 51; minute += 1)
      await incidents.absorb(alert({ key: 'a', startsAt: new Date(START.getTime() - (minute + 1) * 60_000).toISOString() }), null, drop)
    expect(await incidents.absorb(alert({ key: 'a' }), null, () => open())).toMatchObject({ isNew: false, incidentId: 'inc-1' })
    const seen: IntakeFacts[] = []
    await incidents.absorb(alert({ key: 'a', startsAt: null }), null, (facts) => {
      seen.push(facts)
      return drop()
    })
    expect(seen[0]?.received).toHaveLength(50)
    expect(seen[0]?.known).toMatchObject({ incident: { id: 'inc-1' }, deliveries: 53 })
  })

  it('decides again when the incident ended after it was read, and gives up where that never helps', async () => {
    const id = await opened()
    await incidents.record(id, { kind: 'incident-resolved', text: 'Closed.', state: 'resolved' })
    let asked = 0
    const stubborn = (quiet: boolean) => (): IntakeDecision => {
      asked += 1
      return asked === 1 ? { do: 'attach', incidentId: id, reason: 'x', quiet } : open()
    }
    for (const [key, quiet] of [
      ['b', false],
      ['c', true],
    ] as const) {
      asked = 0
      expect(await incidents.absorb(alert({ key }), null, stubborn(quiet))).toMatchObject({ isNew: true })
    }
    expect(await incidents.timeline(id)).toHaveLength(2)
    const never = incidents.absorb(alert({ key: 'd' }), null, () => ({ do: 'attach', incidentId: id, reason: 'x' }))
    await expect(never).rejects.toThrow('had ended')
  })

  it('serialises what is absorbed at the same time: one opens, the others see it', async () => {
    const decide = (facts: IntakeFacts): IntakeDecision =>
      facts.openIncidents[0] ? { do: 'attach', incidentId: facts.openIncidents[0].id, reason: 'the same service' } : open()
    const results = await Promise.all(Array.from({ length: 12 }, (_, i) => incidents.absorb(alert({ key: `k${i}` }), i, decide)))
    expect(results.filter(({ isNew }) => isNew)).toHaveLength(1)
    expect(new Set(results.map(({ incidentId }) => incidentId))).toEqual(new Set(['inc-1']))
    const timeline = await incidents.timeline('inc-1')
    expect(timeline.map(({ seq }) => seq)).toEqual(Array.from({ length: 12 }, (_, i) => i + 1))
  })

  it('stores nothing when the decision fails', async () => {
    const failing = incidents.absorb(alert(), 1, () => {
      throw new Error('broken rule')
    })
    await expect(failing).rejects.toThrow('broken rule')
    await expect(incidents.absorb(alert(), 1, () => ({ do: 'attach', incidentId: 'inc-9', reason: 'x' }))).rejects.toThrow()
    expect(await database().db.selectFrom('alert').selectAll().execute()).toEqual([])
    expect((await incidents.list({ limit: 10 })).items).toEqual([])
  })

  it('moves an incident with the event that says so, and keeps its end', async () => {
    const id = await opened()
    expect(
      await incidents.record(id, { kind: 'investigation-started', text: 'Looking.', state: 'investigating', detail: { b: 1, a: [1.5] } }),
    ).toBe(true)
    time = new Date('2026-03-01T10:44:00.000Z')
    await incidents.record(id, { kind: 'incident-healed', text: 'Gone.', state: 'healed' })
    time = new Date('2026-03-01T10:50:00.000Z')
    await incidents.record(id, { kind: 'note-added', text: 'Seen.' })
    expect(await incidents.get(id)).toMatchObject({ state: 'healed', endedAt: new Date('2026-03-01T10:44:00.000Z') })
    await incidents.record(id, { kind: 'incident-reopened', text: 'Back.', state: 'observing' })
    expect(await incidents.get(id)).toMatchObject({ state: 'observing', endedAt: null })
    expect((await incidents.timeline(id)).map(({ kind, seq }) => [seq, kind])).toEqual([
      [1, 'incident-opened'],
      [2, 'investigation-started'],
      [3, 'incident-healed'],
      [4, 'note-added'],
      [5, 'incident-reopened'],
    ])
    expect((await notices()).map(({ dedupe }) => dedupe)).toEqual([1, 2, 3, 4, 5].map((seq) => `incident:${id}:${seq}`))
  })

  it('writes nothing when the incident is not where the writer thought', async () => {
    const id = await opened()
    expect(await incidents.record(id, { kind: 'incident-healed', text: 'Gone.', state: 'healed', from: ['observing'] })).toBe(false)
    expect(await incidents.get(id)).toMatchObject({ state: 'open' })
    expect(await incidents.timeline(id)).toHaveLength(1)
    await expect(incidents.record('inc-404', { kind: 'x', text: 'y' })).rejects.toThrow('there is no incident inc-404')
  })

  it('labels evidence in order and hashes what is stored', async () => {
    const id = await opened()
    const content = { b: [0.1, 1e-7, -0, 1e21], a: 'é\u0000\ud800', at: START, none: undefined, deep: { y: null, x: true } }
    const first = await incidents.addEvidence(id, [evidence(content), evidence([1, 2])])
    const [third] = await incidents.addEvidence(id, [evidence(null)])
    expect(first.map(({ label }) => label)).toEqual(['E1', 'E2'])
    expect(third).toMatchObject({ label: 'E3', incidentId: id, content: null, collectedAt: START })
    const stored = await incidents.evidence(id)
    expect(stored.map(({ label }) => label)).toEqual(['E1', 'E2', 'E3'])
    expect(stored[0]?.content).toEqual({
      b: [0.1, 1e-7, 0, 1e21],
      a: 'é\uFFFD\uFFFD',
      at: START.toISOString(),
      deep: { y: null, x: true },
    })
    for (const item of stored) expect(evidenceHash(item.content)).toBe(item.hash)
    expect(await incidents.addEvidence(id, [])).toEqual([])
  })

  it('refuses evidence of more than 256 KiB', async () => {
    const id = await opened()
    await expect(incidents.addEvidence(id, [evidence('x'.repeat(262_145))])).rejects.toThrow(/evidence_bounded/)
  })

  it('keeps every diagnosis and gives the newest', async () => {
    const id = await opened()
    const hypothesis = (rank: number, since: Date | null): Hypothesis => ({
      rank,
      class: 'bad_release',
      component: 'service/payments',
      confidence: 87,
      parts: [{ name: 'validator', score: 90, weight: 39, why: 'no model' }],
      claims: [{ text: 'payments went from v41 to v42', cites: ['E1'], supported: true }],
      against: [],
      unknown: ['what the code does'],
      since,
    })
    expect(await incidents.hypotheses(id)).toEqual([])
    await incidents.saveHypotheses(id, [hypothesis(1, null)])
    await incidents.saveHypotheses(id, [hypothesis(1, START), hypothesis(2, null)])
    expect(await incidents.hypotheses(id)).toEqual([hypothesis(1, START), hypothesis(2, null)])
    expect(await database().db.selectFrom('hypothesis_set').select('version').orderBy('version').execute()).toEqual([
      { version: 1 },
      { version: 2 },
    ])
  })

  it('lists newest first, page by page, by state and service', async () => {
    for (let i = 1; i <= 7; i += 1) {
      await incidents.absorb(alert({ key: `k${i}` }), i, () => open(`incident ${i}`, i % 2 ? 'payments' : 'checkout'))
    }
    await incidents.record('inc-6', { kind: 'incident-healed', text: 'Gone.', state: 'healed' })
    const ids = async (query: Parameters<IncidentStore['list']>[0]) => (await incidents.list(query)).items.map(({ id }) => id)
    const pages: string[][] = []
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page = await incidents.list({ limit: 3, ...(cursor ? { cursor } : {}) })
      pages.push(page.items.map(({ id }) => id))
      cursor = page.next
    }
    expect(pages).toEqual([['inc-7', 'inc-6', 'inc-5'], ['inc-4', 'inc-3', 'inc-2'], ['inc-1']])
    expect(await ids({ limit: 50, state: 'active' })).toEqual(['inc-7', 'inc-5', 'inc-4', 'inc-3', 'inc-2', 'inc-1'])
    expect(await ids({ limit: 50, state: 'healed' })).toEqual(['inc-6'])
    expect(await ids({ limit: 50, service: 'checkout' })).toEqual(['inc-6', 'inc-4', 'inc-2'])
    expect(await ids({ limit: 50, service: "x'\u0000; drop table incident" })).toEqual([])
    expect(await incidents.get('\u0000')).toBeNull()
    await expect(incidents.list({ limit: 3, cursor: 'nonsense' })).rejects.toThrow(RangeError)
  })

  it.each([
    ["update incident set id = 'inc-2', number = 2", /never change/],
    ["update incident set environment = 'prod'", /never change/],
    ['delete from incident', /never deleted/],
    ["update incident_event set text = 'x'", /append-only/],
    ['delete from incident_event', /append-only/],
    ["update evidence set summary = 'x'", /append-only/],
    ['delete from evidence', /append-only/],
    ["update hypothesis_set set hypotheses = '[]'", /append-only/],
    ["update alert set reason = 'x'", /kept as it was taken/],
    ['delete from alert', /kept as it was taken/],
    ["update incident set state = 'healed'", /incident_ended_at/],
    ["update incident set state = 'gone'", /incident_state/],
  ])('the database refuses: %s', async (statement, words) => {
    const id = await opened()
    await incidents.addEvidence(id, [evidence(1)])
    await incidents.saveHypotheses(id, [])
    await expect(sql.raw(statement).execute(database().db)).rejects.toThrow(words)
  })

  it('keeps hostile text as it is', async () => {
    const nasty = '<!channel> <https://evil.example|Approve> *bold* `x` \u202e\u0000 {x} "; drop table incident; --'
    await incidents.absorb(alert({ name: nasty, key: nasty, labels: { [nasty]: nasty } }), 1, () => open(nasty, nasty))
    const stored = nasty.replace('\u0000', '\uFFFD')
    expect(await incidents.get('inc-1')).toMatchObject({ title: stored, service: stored })
    expect((await incidents.alerts('inc-1'))[0]).toMatchObject({ name: stored, labels: { [stored]: stored } })
  })
})
