import { afterEach, beforeEach, expect, test } from 'vitest'
import { describeDatabases } from '../../support/database.ts'
import type { Answer, Client } from '../../support/edge/client.ts'
import { anAlert, openEdge, type RunningEdge, waitFor } from '../../support/edge/edge-harness.ts'

/** An alert of another name, which becomes part of the same incident of payments. */
const another = (name: string, fingerprint: string): unknown =>
  JSON.parse(JSON.stringify(anAlert()).replace('HighErrorRatio', name).replaceAll('HighErrorRatio', name).replace('c0ffee', fingerprint))
const elsewhere = (): unknown => JSON.parse(JSON.stringify(another('Slow', 'beef')).replace('"payments"', '"elsewhere"'))

describeDatabases('incidents in the hands of people', (store) => {
  const database = store.perTest()
  let running: RunningEdge
  let alice: Client
  let bob: Client
  let carol: Client
  beforeEach(async () => {
    running = await openEdge(database())
    alice = await running.as('alice')
    bob = await running.as('bob')
    carol = await running.as('carol')
  })
  afterEach(() => running.close())

  const on = (id: string, what: string): string => `/api/v1/incidents/${id}/${what}`
  const send = (alert: unknown): Promise<Answer> => running.client().post('/webhooks/alertmanager', alert)
  const say = async (client: Client, text: string, incident: string | null = null): Promise<string> =>
    (await client.post('/api/v1/commands', { text, incident })).json.text
  const incidentIs = (id: string, isSo: (json: Answer['json']) => boolean): Promise<Answer['json']> =>
    waitFor(async () => {
      const { json, status } = await alice.get(`/api/v1/incidents/${id}`)
      return status === 200 && isSo(json) ? json : null
    })
  const kinds = (json: Answer['json']): string[] => json.timeline.map(({ kind }: { kind: string }) => kind)

  test('taken: the proposal is withdrawn, none is made again until it is given back', async () => {
    const request = await running.askSomething()
    expect(await bob.post(on('inc-1', 'take'), {})).toMatchObject({ status: 403, json: { code: 'not-authorised' } })
    expect(await running.client().post(on('inc-1', 'take'), {})).toMatchObject({ status: 401 })
    const taken = await alice.post(on('inc-1', 'take'), {})
    expect(taken).toMatchObject({ status: 200, json: { state: 'observing', handling: { taken: { by: 'alice', name: 'Alice' } } } })
    expect((await alice.get(`/api/v1/approvals/${request}`)).json).toMatchObject({ state: 'cancelled', reason: 'Alice took the incident' })
    expect(JSON.stringify(taken.json.cards[0].blocks)).toContain('Looked after by')

    await running.stores.work.enqueue({ kind: 'investigate', payload: { incidentId: 'inc-1' }, dedupe: 'again' })
    const watched = await incidentIs('inc-1', (json) => json.timeline.at(-1).text.includes('Alice has taken the incident'))
    expect(watched.plans).toHaveLength(1)

    expect(await alice.post(on('inc-1', 'take'), {})).toMatchObject({ status: 409, json: { code: 'already-taken' } })
    expect(await carol.post(on('inc-1', 'take'), {})).toMatchObject({
      status: 409,
      json: { detail: 'Alice has it; say "over" to take it over.' },
    })
    expect(await say(carol, 'take inc-1 over')).toContain('Yours: inc-1')
    expect(await say(carol, 'take back', 'inc-1')).toContain('Given back')
    expect(await say(carol, 'take inc-1 back')).toContain('Nobody has taken this incident.')
  })

  test('two take at once: one has it, the other is told who', async () => {
    await running.askSomething()
    const answers = await Promise.all([alice, carol].map((client) => client.post(on('inc-1', 'take'), {})))
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409])
    const holder = answers.find(({ status }) => status === 200)?.json.handling.taken.name
    expect(answers.find(({ status }) => status === 409)?.json.detail).toContain(`${holder} has it`)
  })

  test('snoozed, rated, closed: each by word, each with who said so', async () => {
    await running.askSomething()
    const snoozed = await alice.post(on('inc-1', 'snooze'), { for: '2h', reason: '<!channel> *later*' })
    expect(snoozed).toMatchObject({ status: 200, json: { handling: { snoozed: { by: 'alice', reason: '<!channel> *later*' } } } })
    expect(JSON.stringify(snoozed.json.cards)).not.toContain('<!channel>')
    const [asked] = (await alice.get('/api/v1/approvals?state=pending')).json.items
    await alice.post(`/api/v1/approvals/${asked.id}/votes`, { decision: 'deny', digest: asked.digest })
    await running.stores.work.enqueue({ kind: 'investigate', payload: { incidentId: 'inc-1' }, dedupe: 'again' })
    const alone = await incidentIs('inc-1', (json) => json.timeline.at(-1).text.includes('Alice has snoozed the incident'))
    expect(alone.plans).toHaveLength(1)
    for (const body of [
      { for: '2h', until: new Date().toISOString() },
      { until: '2020-01-01T00:00:00.000Z' },
      { for: 'soon' },
      { for: '30d' },
    ])
      expect(await alice.post(on('inc-1', 'snooze'), body)).toMatchObject({ status: 422, json: { code: 'invalid-parameters' } })
    expect((await alice.post(on('inc-1', 'snooze'), {})).json.handling.snoozed).toBeNull()
    expect(await alice.post(on('inc-1', 'severity'), { severity: 3, reason: 'one customer' })).toMatchObject({
      json: { severity: 3, severityReason: expect.stringMatching(/^set to Sev 3 by Alice: one customer; before: level/) },
    })
    expect(await alice.post(on('inc-1', 'severity'), { severity: 3 })).toMatchObject({ status: 422 })
    expect(await alice.post(on('inc-1', 'severity'), { severity: 0 })).toMatchObject({ status: 400 })
    expect(await say(alice, 'severity 2', 'inc-1')).toContain('inc-1 is Sev 2 now')
    expect(await say(alice, 'close inc-1 as fixed a new disk')).toContain('Closed as fixed by your word')
    expect(await alice.get('/api/v1/incidents/inc-1')).toMatchObject({ json: { state: 'resolved' } })
    expect(await say(alice, 'snooze inc-1 2h')).toContain('The incident is over already.')
    expect(await say(alice, 'severity inc-1 4')).toContain('The incident is over already.')
    const told = async (text: string) => (await alice.post('/api/v1/commands', { text })).json.refusal
    expect([await told('severity inc-1 4'), await told('status')]).toEqual(['too-late', null])
  })

  test('merged and split: alerts go where people say', async () => {
    await running.askSomething()
    await send(another('HighLatency', 'dead'))
    await incidentIs('inc-1', ({ alerts }) => alerts.length === 2)
    expect(await say(alice, 'split inc-1 nothing')).toContain('There are: HighErrorRatio, HighLatency.')
    expect(await alice.post(on('inc-1', 'split'), { alerts: ['HighErrorRatio', 'highlatency'] })).toMatchObject({ status: 422 })
    const split = await alice.post(on('inc-1', 'split'), { alerts: ['highlatency'] })
    expect(split).toMatchObject({ status: 200, json: { id: 'inc-1', opened: 'inc-2' } })
    const opened = await incidentIs('inc-2', (json) => json.hypotheses.length > 0)
    expect(opened).toMatchObject({ title: 'payments: HighLatency', service: 'payments', environment: 'local' })
    expect(opened.alerts.map(({ name }: { name: string }) => name)).toEqual(['HighLatency'])

    await send(elsewhere())
    await incidentIs('inc-3', () => true)
    expect(await alice.post(on('inc-2', 'merge'), { into: 'inc-7' })).toMatchObject({
      status: 422,
      json: { detail: expect.stringContaining('no incident inc-7') },
    })
    expect(await bob.post(on('inc-2', 'merge'), { into: 'inc-1' })).toMatchObject({ status: 403 })
    expect(await alice.post(on('inc-9', 'merge'), { into: 'inc-1' })).toMatchObject({ status: 404 })
    expect(await alice.post(on('inc-2', 'merge'), { into: 'inc-1' })).toMatchObject({
      status: 200,
      json: { id: 'inc-2', state: 'resolved', into: 'inc-1' },
    })
    const whole = await incidentIs('inc-1', ({ alerts }) => alerts.length === 2)
    expect(kinds(whole)).toContain('incident-joined')
    expect(JSON.stringify((await alice.get('/api/v1/incidents/inc-2')).json.cards[0].blocks)).toContain('Alice merged it into inc-1')
    expect(await say(alice, 'merge inc-3 into inc-2')).toContain('inc-2 is over')
  })

  test('feedback is kept, the last word of each person counts', async () => {
    await running.askSomething()
    expect(await alice.post(on('inc-1', 'feedback'), { verdict: 'right', class: 'memory_leak' })).toMatchObject({ status: 422 })
    expect(await alice.post(on('inc-1', 'feedback'), { verdict: 'wrong', class: 'gremlins' })).toMatchObject({ status: 400 })
    await alice.post(on('inc-1', 'feedback'), { verdict: 'right' })
    expect(await say(alice, 'feedback inc-1 wrong memory_leak of service/checkout, seen in the heap')).toContain('Noted for inc-1: wrong')
    expect((await carol.post(on('inc-1', 'feedback'), { verdict: 'right', words: 'I saw it' })).json.feedback).toMatchObject([
      { person: 'alice', verdict: 'wrong', class: 'memory_leak', component: 'service/checkout', words: 'seen in the heap' },
      { person: 'carol', verdict: 'right', words: 'I saw it' },
    ])
    const key = 'x'.repeat(600)
    expect(await alice.post(on('inc-1', 'feedback'), { verdict: 'right', words: key })).toMatchObject({ status: 400 })
    expect(await alice.post(on('inc-1', 'feedback'), { verdict: 'right', extra: 1 })).toMatchObject({ status: 400 })
  })
})
