import { sql } from 'kysely'
import { afterEach, describe, expect, test } from 'vitest'
import type { ConfiguredPerson } from '../../../bot/config.ts'
import { describeDatabases, moveClock } from '../../support/database.ts'
import type { Client } from '../../support/edge/client.ts'
import { type EdgeOptions, openEdge, type RunningEdge, waitFor, withAnswers } from '../../support/edge/edge-harness.ts'

const DIGEST = /^[0-9a-f]{64}$/
const KEY = 'k'.repeat(40)

describeDatabases('approvals over HTTP', (store) => {
  const database = store.perTest()
  const opened: RunningEdge[] = []
  const open = async (options: EdgeOptions = {}): Promise<RunningEdge> => {
    const running = await openEdge(database(), options)
    opened.push(running)
    return running
  }
  afterEach(async () => {
    for (const running of opened.splice(0)) await running.close()
  })

  const read = async (running: RunningEdge, id: string) => (await running.client().get(`/api/v1/approvals/${id}`)).json
  const votesOf = async (id: string): Promise<number> =>
    (await sql<{ n: number }>`select count(*)::int as n from vote where request_id = ${id}::uuid`.execute(database().db)).rows[0]?.n ?? -1

  test('an alert becomes a request, a click carries it out once, and telemetry verifies it', async () => {
    const running = await open()
    const id = await running.askSomething()
    const alice = await running.as('alice')
    const asked = await read(running, id)
    expect(asked).toMatchObject({
      id,
      run: null,
      state: 'pending',
      needed: 1,
      confirm: null,
      votes: [],
      execution: null,
      digest: expect.stringMatching(DIGEST),
    })
    const voted = await alice.post(`/api/v1/approvals/${id}/votes`, {
      decision: 'approve',
      digest: asked.digest,
      reason: 'as in the runbook',
    })
    expect(voted).toMatchObject({
      status: 200,
      json: { id, votes: [{ person: 'alice', name: 'Alice', decision: 'approve', reason: 'as in the runbook' }] },
    })
    const done = await waitFor(async () => {
      const now = await read(running, id)
      return now.state === 'done' ? now : null
    })
    expect(done.execution).toMatchObject({ state: 'verified', outcome: 'verified', undo: null, keptBy: null })
    expect(done.execution.events.map(({ seq, state }: { seq: number; state: string }) => [seq, state])).toEqual([
      [1, 'claimed'],
      [2, 'intent'],
      [3, 'sent'],
      [4, 'succeeded'],
      [5, 'verified'],
    ])
    expect(running.target.ledger).toHaveLength(1)
    const thread = await waitFor(async () => {
      const { json } = await alice.get(`/api/v1/incidents/${done.incident}`)
      return json.thread.length >= 3 ? json.thread : null
    })
    expect(thread.map(({ text }: { text: string }) => text.split(/[:?]/)[0])).toEqual(['Approve', 'Approved', 'Verified'])
    expect((await alice.get('/api/v1/audit/verify')).json).toMatchObject({ ok: true, violations: [] })
    const { items } = (await alice.get('/api/v1/audit?limit=200')).json
    const told = items.filter(({ incident }: { incident: string | null }) => incident === done.incident)
    const { title } = done.plan.action
    expect(told.map(({ actor, words }: { actor: string; words: string }) => `${actor} ${words}`)).toEqual(
      expect.arrayContaining([
        `steadyhand asked for approval of ${title}`,
        `alice approved ${title}`,
        `alice gave the last word that was needed for ${title}`,
        `steadyhand sent ${title}`,
        `steadyhand verified, as its contract asks: ${title}`,
      ]),
    )
    expect(new Set(told.map(({ approval }: { approval: string }) => approval))).toEqual(new Set([done.id]))
    expect(items.map(({ words }: { words: string }) => words)).toContain('gave alice the role approver')
    expect(running.lines).toEqual([])
  })

  describe('who may click', () => {
    test('nobody in particular, a key nobody configured, and the viewer are refused', async () => {
      const running = await open()
      const id = await running.askSomething()
      const { digest } = await read(running, id)
      const click = async (client: Client, headers = {}) => {
        const { status, json } = await client.post(`/api/v1/approvals/${id}/votes`, { decision: 'approve', digest }, headers)
        return [status, json.code]
      }
      expect(await click(running.client())).toEqual([401, 'no-person'])
      expect(await click(running.client(), { authorization: `Bearer ${KEY}` })).toEqual([401, 'no-token'])
      expect(await click(await running.as('alice'), { authorization: `Bearer ${KEY}` })).toEqual([401, 'no-token'])
      const bob = await running.as('bob')
      expect(await click(bob)).toEqual([403, 'not-authorised'])
      expect((await bob.post(`/api/v1/approvals/${id}/votes`, { decision: 'deny', digest })).json.detail).toBe('Who may: Alice, Carol.')
      expect((await bob.post('/api/v1/approvals/x/check-again', {})).json.detail).toBe(
        'It takes the role responder. Who may: Alice, Carol.',
      )
      expect(await votesOf(id)).toBe(0)
      const { items } = (await bob.get('/api/v1/audit?limit=200')).json
      const tried = items.filter(({ what }: { what: string }) => what === 'refused_attempt-written')
      expect(tried.map(({ actor, words, approval }: Record<string, string>) => [actor, words, approval])).toEqual([
        ['bob', 'tried “check again” and was refused: You do not hold the role for this.', null],
        ['bob', expect.stringMatching(/^tried “vote” on .* and was refused: You do not hold the role for this\.$/), id],
      ])
      expect((await bob.get('/api/v1/audit/verify')).json).toMatchObject({ ok: true, violations: [] })
    })

    test('a key is told that it never decides, and without one nothing can be read', async () => {
      const running = await open({ environment: { STEADYHAND_API_KEYS: KEY } })
      const id = await running.askSomething()
      const program = { authorization: `Bearer ${KEY}` }
      expect((await running.client().get(`/api/v1/approvals/${id}`)).json.code).toBe('no-token')
      const { digest } = (await running.client().get(`/api/v1/approvals/${id}`, program)).json
      for (const path of ['votes', 'cancel', 'keep', 'check-again']) {
        const body = path === 'votes' ? { decision: 'approve', digest } : path === 'cancel' ? { reason: 'x' } : {}
        const answer = await running.client().post(`/api/v1/approvals/${id}/${path}`, body, program)
        expect({ path, status: answer.status, code: answer.json.code }).toEqual({ path, status: 403, code: 'not-human' })
      }
      expect((await running.client().post('/api/v1/session', { person: 'alice' }, program)).json.code).toBe('named-sessions-off')
      expect(await votesOf(id)).toBe(0)
    })

    test('when nobody holds the role nothing is even asked', async () => {
      const people: ConfiguredPerson[] = [{ id: 'bob', name: 'Bob', roles: ['viewer'], environments: null, links: [] }]
      const running = await open({ people })
      expect(await running.agent.mode()).toMatchObject({
        mode: 'observe',
        reasons: ['nobody holds the approver role, so nothing can be approved'],
      })
      await expect(running.askSomething(2)).rejects.toThrow('nothing came')
      expect((await running.client().get('/api/v1/approvals')).json.items).toEqual([])
      expect((await running.client().get('/readyz')).json).toMatchObject({ status: 'ready', mode: 'observe' })
    })
  })

  describe('what is clicked', () => {
    test('anything but a decision on these very bytes is refused', async () => {
      const cases: readonly (readonly [unknown, number, string])[] = [
        [{ decision: 'approve', digest: 'a'.repeat(64) }, 409, 'stale-digest'],
        [{ decision: 'approve' }, 400, 'invalid-body'],
        [{ decision: 'approve', digest: 'A'.repeat(64) }, 400, 'invalid-body'],
        [{ decision: 'yes', digest: 'a'.repeat(64) }, 400, 'invalid-body'],
        [{ decision: 'approve', digest: 'a'.repeat(64), person: 'alice' }, 400, 'invalid-body'],
        [{ decision: 'deny', digest: 'a'.repeat(64), reason: 'x'.repeat(501) }, 400, 'invalid-body'],
        [[], 400, 'invalid-body'],
        [undefined, 400, 'invalid-json'],
        ['{"decision":"approve"', 400, 'invalid-json'],
      ]
      const running = await open()
      const id = await running.askSomething()
      const alice = await running.as('alice')
      for (const [body, status, code] of cases) {
        const answer = await alice.post(`/api/v1/approvals/${id}/votes`, body)
        expect({ body, status: answer.status, code: answer.json.code }).toEqual({ body, status, code })
      }
      expect(await votesOf(id)).toBe(0)
      const entries = (await alice.get('/api/v1/audit')).json.items as { what: string; words: string }[]
      expect(entries.filter(({ what }) => what === 'refused_attempt-written')).toMatchObject([
        { words: expect.stringContaining('The plan on your screen is not the plan that is waiting') },
      ])
    })

    test('the confirmation has to be typed exactly', async () => {
      const running = await open({ typed: true })
      const id = await running.askSomething()
      const alice = await running.as('alice')
      const { digest, confirm } = await read(running, id)
      expect(confirm).toBe('payments')
      for (const typed of [undefined, null, '', 'Payments', 'payments ', 'payment']) {
        const answer = await alice.post(`/api/v1/approvals/${id}/votes`, {
          decision: 'approve',
          digest,
          ...(typed === undefined ? {} : { confirm: typed }),
        })
        expect(answer).toMatchObject({ status: 403, json: { code: 'step-up-required' } })
      }
      expect((await alice.post(`/api/v1/approvals/${id}/votes`, { decision: 'approve', digest, confirm })).status).toBe(200)
    })

    test('ids that were made up, mutated or cut are not found', async () => {
      const running = await open()
      const id = await running.askSomething()
      const alice = await running.as('alice')
      const { digest } = await read(running, id)
      const mutated = [...id].flatMap((letter, at) =>
        letter === '-' ? [] : [`${id.slice(0, at)}${letter === '0' ? '1' : '0'}${id.slice(at + 1)}`],
      )
      for (const other of [...mutated, id.slice(0, -1), `${id}0`, id.toUpperCase(), encodeURIComponent("'; drop table vote; --")]) {
        const { status } = await alice.post(`/api/v1/approvals/${other}/votes`, { decision: 'approve', digest })
        if (other.toLowerCase() !== id) expect({ other, status }).toEqual({ other, status: 404 })
      }
      expect(await votesOf(id)).toBe(0)
    })
  })

  describe('when it is clicked', () => {
    test('two people at once: one decides, the other is told', async () => {
      const running = await open()
      const id = await running.askSomething()
      const [alice, carol] = [await running.as('alice'), await running.as('carol')]
      const { digest } = await read(running, id)
      const click = (client: typeof alice) => client.post(`/api/v1/approvals/${id}/votes`, { decision: 'approve', digest })
      const answers = await Promise.all([click(alice), click(carol)])
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 409])
      expect(answers.find(({ status }) => status === 409)?.json.code).toBe('already-decided')
      expect(await votesOf(id)).toBe(1)
    })

    test('one person twenty times at once is one vote and one effect', async () => {
      const running = await open()
      const id = await running.askSomething()
      const alice = await running.as('alice')
      const { digest } = await read(running, id)
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => alice.post(`/api/v1/approvals/${id}/votes`, { decision: 'approve', digest })),
      )
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 409]))
      await waitFor(async () => ((await read(running, id)).state === 'done' ? true : null))
      expect(running.target.ledger).toHaveLength(1)
    })

    test('the same click delivered fifty times is answered with how things stand, and counts once', async () => {
      const running = await open({ needed: 2 })
      const id = await running.askSomething()
      const alice = await running.as('alice')
      const { digest } = await read(running, id)
      const click = () => alice.post(`/api/v1/approvals/${id}/votes`, { decision: 'approve', digest }, { 'idempotency-key': 'one-click' })
      const answers = await Promise.all(Array.from({ length: 50 }, click))
      expect(answers.map(({ status, json }) => [status, json.state])).toEqual(Array.from({ length: 50 }, () => [200, 'pending']))
      expect(await votesOf(id)).toBe(1)
      const again = await alice.post(`/api/v1/approvals/${id}/votes`, { decision: 'approve', digest })
      expect(again).toMatchObject({ status: 409, json: { code: 'already-voted' } })
      const carol = await running.as('carol')
      expect((await carol.post(`/api/v1/approvals/${id}/votes`, { decision: 'approve', digest })).json.state).not.toBe('pending')
      expect((await click()).status).toBe(200)
    })

    test('after its time is over', async () => {
      const running = await open()
      const id = await running.askSomething()
      const alice = await running.as('alice')
      const { digest } = await read(running, id)
      await moveClock(database(), 601)
      expect(await alice.post(`/api/v1/approvals/${id}/votes`, { decision: 'approve', digest })).toMatchObject({
        status: 409,
        json: { code: 'expired' },
      })
      await waitFor(async () => ((await read(running, id)).state === 'expired' ? true : null))
      expect(running.target.ledger).toEqual([])
    })

    test('after one denial nothing can be approved any more', async () => {
      const running = await open()
      const id = await running.askSomething()
      const [alice, carol] = [await running.as('alice'), await running.as('carol')]
      const { digest } = await read(running, id)
      expect((await carol.post(`/api/v1/approvals/${id}/votes`, { decision: 'deny', digest, reason: 'migration' })).json).toMatchObject({
        state: 'denied',
        reason: 'migration',
      })
      expect((await alice.post(`/api/v1/approvals/${id}/votes`, { decision: 'approve', digest })).json.code).toBe('already-decided')
      expect(running.target.ledger).toEqual([])
    })

    test('after a restart the request still waits, the session still holds, and the click counts', async () => {
      const first = await open()
      const id = await first.askSomething()
      const alice = await first.as('alice')
      await opened.pop()?.close()
      const second = await open()
      second.target.state.version = 'v2'
      const again = second.client()
      again.cookie = alice.cookie
      const { digest, state } = await read(second, id)
      expect(state).toBe('pending')
      expect((await again.post(`/api/v1/approvals/${id}/votes`, { decision: 'approve', digest })).status).toBe(200)
      await waitFor(async () => ((await read(second, id)).state === 'done' ? true : null))
      expect(second.target.ledger).toHaveLength(1)
    })
  })

  describe('beside the click', () => {
    test('whoever may cancels, and the viewer may not', async () => {
      const running = await open()
      const id = await running.askSomething()
      const [alice, bob] = [await running.as('alice'), await running.as('bob')]
      expect(await bob.post(`/api/v1/approvals/${id}/cancel`, { reason: 'no' })).toMatchObject({
        status: 403,
        json: { code: 'not-authorised' },
      })
      expect(await alice.post(`/api/v1/approvals/${id}/cancel`, {})).toMatchObject({ status: 400 })
      expect(await alice.post(`/api/v1/approvals/${id}/cancel`, { reason: 'by hand' })).toMatchObject({
        status: 200,
        json: { state: 'cancelled', reason: 'by hand' },
      })
      expect((await alice.post(`/api/v1/approvals/${id}/cancel`, { reason: 'again' })).status).toBe(409)
    })

    test('keep is not due before anything failed, and check again asks afresh once it is over', async () => {
      const running = await open()
      const id = await running.askSomething()
      const alice = await running.as('alice')
      expect(await alice.post(`/api/v1/approvals/${id}/keep`)).toMatchObject({ status: 409, json: { code: 'undo-not-due' } })
      await alice.post(`/api/v1/approvals/${id}/cancel`, { reason: 'by hand' })
      const fresh = await alice.post(`/api/v1/approvals/${id}/check-again`)
      expect(fresh).toMatchObject({ status: 200, json: { state: 'pending' } })
      expect(fresh.json.id).not.toBe(id)
    })

    test('a denial is final: nothing is asked again', async () => {
      const running = await open()
      const id = await running.askSomething()
      const alice = await running.as('alice')
      expect(await alice.post(`/api/v1/approvals/${id}/check-again`)).toMatchObject({ status: 409, json: { code: 'nothing-to-ask' } })
      const { digest } = await read(running, id)
      await alice.post(`/api/v1/approvals/${id}/votes`, { decision: 'deny', digest })
      expect(await alice.post(`/api/v1/approvals/${id}/check-again`)).toMatchObject({ status: 409, json: { code: 'denied' } })
    })

    test('a responder of another environment cancels, checks and resolves nothing here', async () => {
      const dora: ConfiguredPerson = { id: 'dora', name: 'Dora', roles: ['responder'], environments: ['staging'], links: [] }
      const eve: ConfiguredPerson = { id: 'eve', name: 'Eve', roles: ['responder'], environments: ['local'], links: [] }
      const people: ConfiguredPerson[] = [dora, eve, { id: 'alice', name: 'Alice', roles: ['approver'], environments: null, links: [] }]
      const running = await open({ people })
      const id = await running.askSomething()
      const [elsewhere, here] = [await running.as('dora'), await running.as('eve')]
      const { incident } = await read(running, id)
      const calls = [
        [`/api/v1/approvals/${id}/cancel`, { reason: 'x' }],
        [`/api/v1/approvals/${id}/check-again`, undefined],
        [`/api/v1/incidents/${incident}/resolve`, {}],
      ] as const
      for (const [path, body] of calls)
        expect(await elsewhere.post(path, body)).toMatchObject({ status: 403, json: { code: 'not-authorised' } })
      expect((await read(running, id)).state).toBe('pending')
      expect(await here.post(`/api/v1/approvals/${id}/cancel`, { reason: 'x' })).toMatchObject({ status: 200 })
    })

    test('a vote that is recorded is answered, although its incident cannot be moved', async () => {
      const running = await open()
      const id = await running.askSomething()
      const alice = await running.as('alice')
      const { digest } = await read(running, id)
      await sql`create function no_events() returns trigger language plpgsql as $$ begin raise exception 'no room'; end $$`.execute(
        database().db,
      )
      await sql`create trigger no_events before insert on incident_event for each row execute function no_events()`.execute(database().db)
      expect(await alice.post(`/api/v1/approvals/${id}/votes`, { decision: 'deny', digest })).toMatchObject({
        status: 200,
        json: { state: 'denied' },
      })
      expect(running.lines.map(({ message }) => message)).toContain('a vote was not followed yet')
      await sql`drop trigger no_events on incident_event`.execute(database().db)
      await waitFor(async () => ((await running.stores.incidents.get('inc-1'))?.state === 'observing' ? true : null))
    })

    test('a page of a state after the decision is full, wherever those that fit lie', async () => {
      const running = await open()
      const done = await running.askSomething()
      const alice = await running.as('alice')
      await alice.post(`/api/v1/approvals/${done}/votes`, { decision: 'approve', digest: (await read(running, done)).digest })
      await waitFor(async () => ((await read(running, done)).state === 'done' ? true : null))
      const stored = await running.agent.approval(done)
      if (!stored) throw new Error('it is not there')
      const idOf = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
      // Newest first: 250 that wait for their executor, among them one in sixty that is done.
      const rows = Array.from({ length: 250 }, (_, n) => ({ ...stored, id: idOf(n), ...(n % 60 === 59 ? {} : { execution: null }) }))
      const crowded = await open({
        change: (deps) =>
          withAnswers(deps, {
            approvals: async ({ limit, cursor }) => {
              const from = cursor === undefined ? 0 : rows.findIndex(({ id }) => id === cursor) + 1
              const items = rows.slice(from, from + limit)
              return { items, next: from + limit < rows.length ? (items.at(-1)?.id ?? null) : null }
            },
          }),
      })
      const page = async (cursor: string | null) =>
        (await crowded.client().get(`/api/v1/approvals?state=done&limit=3${cursor === null ? '' : `&cursor=${cursor}`}`)).json
      const first = await page(null)
      expect(first.items.map(({ id }: { id: string }) => id)).toEqual([59, 119, 179].map(idOf))
      const second = await page(first.next)
      expect([second.items.map(({ id }: { id: string }) => id), second.next]).toEqual([[idOf(239)], null])
    })

    test('lists by state find what is where it is', async () => {
      const running = await open()
      const id = await running.askSomething()
      const alice = await running.as('alice')
      const find = async (state: string) =>
        (await alice.get(`/api/v1/approvals?state=${state}`)).json.items.map((item: { id: string }) => item.id)
      expect([await find('pending'), await find('done')]).toEqual([[id], []])
      const { digest } = await read(running, id)
      await alice.post(`/api/v1/approvals/${id}/votes`, { decision: 'approve', digest })
      await waitFor(async () => ((await read(running, id)).state === 'done' ? true : null))
      expect([await find('pending'), await find('done'), await find('aborted'), await find('authorised')]).toEqual([[], [id], [], []])
    })
  })
})
