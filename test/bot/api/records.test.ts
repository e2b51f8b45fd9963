import { afterEach, beforeEach, expect, test } from 'vitest'
import { describeDatabases } from '../../support/database.ts'
import { openEdge, type RunningEdge, waitFor } from '../../support/edge/edge-harness.ts'

describeDatabases('records', (store) => {
  const database = store.perTest()
  let running: RunningEdge
  beforeEach(async () => {
    running = await openEdge(database())
  })
  afterEach(() => running.close())

  test('figures and a draft of a postmortem come from what happened', async () => {
    const id = await running.askSomething()
    const [alice, bob] = [await running.as('alice'), await running.as('bob')]
    const say = async (text: string): Promise<string> => (await alice.post('/api/v1/commands', { text })).json.text
    const { digest } = (await alice.get(`/api/v1/approvals/${id}`)).json
    await alice.post(`/api/v1/approvals/${id}/votes`, { decision: 'deny', digest, reason: '<!channel> [not](http://evil.example) now' })
    await alice.post('/api/v1/incidents/inc-1/feedback', { verdict: 'right' })
    await alice.post('/api/v1/incidents/inc-1/resolve', { as: 'fixed' })
    const figures = (await bob.get('/api/v1/records')).json
    expect(figures).toMatchObject({
      incidents: { opened: 1, open: 0, bySeverity: { 1: 1 }, drillsLeftOut: 0 },
      timeToAcknowledge: { n: 1 },
      timeToResolve: { n: 1 },
      endings: { verified: 0, healed: 0, gone: 0, person: 1 },
      requests: { asked: 1, denied: 1, approved: 0 },
      approvalLatency: { n: 1 },
      voters: [{ person: 'alice', name: 'Alice', votes: 1, approved: 0, medianSeconds: expect.any(Number) }],
      feedback: { right: 1, wrong: 0 },
    })
    expect(figures.timeToResolve.mean).toBeGreaterThanOrEqual(figures.timeToAcknowledge.mean)
    expect((await bob.get('/api/v1/records?service=checkout')).json.incidents.opened).toBe(0)
    expect(await bob.get('/api/v1/records?from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z')).toMatchObject({ status: 400 })
    expect(await bob.get('/api/v1/records?service=')).toMatchObject({ status: 400 })
    expect(await say('records')).toMatch(/Records, the last 30 d: 1 incident, 0 open\..*1 asked: 0 approved, 1 denied.*1 of 1 right/)
    expect(await say('records')).toMatch(/Who decided, and how soon after the card: Alice: 0 of 1 approved, /)
    expect(await say('records 7d paymnts')).toContain('Did you mean "payments"?')
    expect(await say('records 7d payments')).toContain('Records of payments, the last 7 d')

    const draft = await bob.get('/api/v1/incidents/inc-1/postmortem.md')
    expect([draft.status, draft.headers.get('content-type')]).toEqual([200, 'text/markdown; charset=utf-8'])
    expect(draft.text).toContain('Alice denied at')
    expect(draft.text).toContain('\\<\\!channel\\> \\[not\\]\\(http\\://evil.example\\) now')
    expect(await bob.get('/api/v1/incidents/inc-9/postmortem.md')).toMatchObject({ status: 404 })
    expect(await say('postmortem inc-1')).toMatch(/inc-1 payments: HighErrorRatio, began .*ended .*Open questions: /)
    expect(await say('postmortem')).toContain('inc-1')
  })

  test('what an action brought about ends an incident by itself, and counts as that', async () => {
    const id = await running.askSomething()
    const alice = await running.as('alice')
    const { digest } = (await alice.get(`/api/v1/approvals/${id}`)).json
    await alice.post(`/api/v1/approvals/${id}/votes`, { decision: 'approve', digest })
    await waitFor(async () => ((await alice.get('/api/v1/incidents/inc-1')).json.state === 'resolved' ? true : null))
    expect((await alice.get('/api/v1/records')).json).toMatchObject({
      endings: { verified: 1, healed: 0, gone: 0, person: 0 },
      outcomes: { verified: 1, failed: 0 },
      requests: { approved: 1 },
    })
  })
})
