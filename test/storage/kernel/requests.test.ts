import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { approvalState } from '../../../agent/domain/approval.ts'
import { Refusal } from '../../../agent/domain/refusal.ts'
import { type Asked, CHANNEL, clickOf, describeKernel, type Kernel, RENDER_HASH } from '../../support/kernel.ts'
import { type PlanOptions, samplePlan } from '../../support/kernel-plans.ts'
import { insertRow, type Row } from '../../support/kernel-rows.ts'
import { insertPlan, outcomeOf, rehearse, rehearseUnguarded } from '../../support/kernel-sql.ts'

describeKernel('requests: asking', (kernel) => {
  test('a card is asked once, with its plan, its undo and where it is shown', async () => {
    const { approvals, propose, db } = kernel()
    const { requestId, parent, undo } = await propose()
    const approval = await approvals.approval(requestId)
    expect(approval).toMatchObject({
      id: requestId,
      incidentId: 'inc-1',
      plan: parent.plan,
      digest: parent.digest,
      requestState: 'pending',
      reason: null,
      votes: [],
      decidedAt: null,
      execution: null,
      undoExecution: null,
      undoFrom: null,
      keptBy: null,
      undoLapsed: false,
    })
    expect(approval && approvalState(approval)).toBe('pending')
    expect(await db.selectFrom('plan').select('id').orderBy('created_at').execute()).toEqual([
      { id: undo?.plan.id },
      { id: parent.plan.id },
    ])
    expect(await db.selectFrom('presentation').selectAll().execute()).toEqual([{ request_id: requestId, ...CHANNEL }])
  })

  test('a newer plan of the incident supersedes the one that waits, and no other', async () => {
    const { approvals, propose } = kernel()
    const [first, elsewhere] = [await propose(), await propose({ incident: 'inc-2' })]
    const second = await propose()
    const states = await Promise.all(
      [first, elsewhere, second].map(async ({ requestId }) => (await approvals.approval(requestId))?.requestState),
    )
    expect(states).toEqual(['superseded', 'pending', 'pending'])
  })

  test('whom the agent asked how often lately about what could wait is counted, and nothing else is', async () => {
    const { approvals, propose, db, later } = kernel()
    await sql`insert into incident (id, number, title, service, environment, severity, severity_reason, opened_at, drill_run)
      values ('inc-10', 10, 'errors', 'payments', 'shop', 3, 'rule', clk(), 'run-1')`.execute(db)
    const canWait = { over: { severity: 3 } }
    await propose(canWait)
    await propose({ ...canWait, incident: 'inc-2', role: 'admin' })
    await propose({ incident: 'inc-3' })
    await propose({ ...canWait, incident: 'inc-4', requester: 'ada' })
    await propose({ ...canWait, incident: 'inc-10' })
    expect(await approvals.askedOften(1)).toEqual(['ada', 'ben', 'cleo', 'max', 'nora'])
    expect(await approvals.askedOften(2)).toEqual(['max', 'nora'])
    expect(await approvals.askedOften(3)).toEqual([])
    await later(3_601)
    expect(await approvals.askedOften(1)).toEqual([])
  })

  test('nothing is left of a card that may not be asked', async () => {
    const { approvals, propose, now } = kernel()
    const first = await propose()
    const { parent, undo } = samplePlan(now(), { needed: 5, requester: 'ada' })
    const asking = approvals.propose({ parent, undo, presentations: [CHANNEL], renderHash: RENDER_HASH, renderVersion: 1 })
    expect(await outcomeOf(asking)).toBe('refused nobody-may-approve')
    expect((await approvals.approval(first.requestId))?.requestState).toBe('pending')
    expect(await kernel().db.selectFrom('plan').select('id').where('id', '=', parent.plan.id).execute()).toEqual([])
  })

  test.each<[string, PlanOptions, boolean]>([
    ['as many as there are', { needed: 5 }, true],
    ['one more than there are without the requester', { needed: 5, requester: 'ada' }, false],
    ['the requester counts where the plan says so', { needed: 5, requester: 'ada', requesterMayApprove: true }, true],
    ['admins alone', { needed: 2, role: 'admin' }, true],
    ['more admins than there are', { needed: 3, role: 'admin' }, false],
    ['an environment of the admins and one approver', { needed: 4, target: { environment: 'other' } }, false],
  ])('enough people have to be there: %s', async (_, options, enough) => {
    expect(await outcomeOf(kernel().propose(options))).toBe(enough ? 'done' : 'refused nobody-may-approve')
  })

  test('who may decide is told by name', async () => {
    const { approvals, propose } = kernel()
    const names = async (options: PlanOptions) => (await approvals.whoMay((await propose(options)).requestId)).map(({ id }) => id)
    expect(await names({})).toEqual(['ada', 'ben', 'cleo', 'max', 'nora'])
    expect(await names({ requester: 'ben' })).toEqual(['ada', 'cleo', 'max', 'nora'])
    expect(await names({ role: 'admin' })).toEqual(['max', 'nora'])
    expect(await approvals.whoMay('no-uuid')).toEqual([])
    expect(await approvals.whoMay(randomUUID())).toEqual([])
  })

  test('pages are whole, newest first, by state and incident', async () => {
    const { approvals, propose } = kernel()
    const asked: string[] = []
    for (let n = 1; n <= 5; n += 1) asked.unshift((await propose({ incident: `inc-${n}` })).requestId)
    const first = await approvals.approvals({ limit: 2 })
    const second = await approvals.approvals({ limit: 2, ...(first.next ? { cursor: first.next } : {}) })
    const third = await approvals.approvals({ limit: 2, ...(second.next ? { cursor: second.next } : {}) })
    expect([...first.items, ...second.items, ...third.items].map(({ id }) => id)).toEqual(asked)
    expect(third.next).toBeNull()
    expect((await approvals.approvals({ limit: 10, incidentId: 'inc-3' })).items.map(({ id }) => id)).toEqual([asked[2]])
    await approvals.cancel(asked[0] ?? '', 'ada', 'no need')
    expect((await approvals.approvals({ limit: 10, state: 'cancelled' })).items.map(({ id }) => id)).toEqual([asked[0]])
    expect((await approvals.approvals({ limit: 10, cursor: "'; drop table plan" })).items).toHaveLength(5)
  })

  test('what was carried out on a resource, and nothing that was only asked for', async () => {
    const { approvals, carryOut, propose } = kernel()
    const older = await carryOut({ incident: 'inc-1' }, 'aborted')
    const newer = await carryOut({ incident: 'inc-2' }, 'intent', 'sent', 'failed')
    await carryOut({ incident: 'inc-3', target: { name: 'checkout' } }, 'intent', 'sent')
    await propose({ incident: 'inc-4' })
    const on = async (resource: string) => (await approvals.approvals({ limit: 10, carriedOutOn: resource })).items.map(({ id }) => id)
    expect(await on('sample/shop/service/payments')).toEqual([newer.requestId, older.requestId])
    expect(await on('sample/shop/service/pay')).toEqual([])
  })
})

describeKernel('requests: what the table refuses', (kernel) => {
  /** A plan without a request, and the row that would ask for it. */
  const waiting = async (options: PlanOptions = {}): Promise<Row> => {
    const { db, now } = kernel()
    const { parent, undo } = samplePlan(now(), options)
    await db.transaction().execute(async (tx) => {
      if (undo) await insertPlan(tx, undo)
      await insertPlan(tx, parent)
    })
    return {
      plan_id: parent.plan.id,
      digest: parent.digest,
      incident_id: parent.plan.incident,
      render_hash: RENDER_HASH,
      render_version: 1,
    }
  }
  const asking = async (over: Row, options: PlanOptions = {}): Promise<string> => {
    const row = { ...(await waiting(options)), ...over }
    return await rehearse(kernel().db, (tx) => insertRow(tx, 'request', row))
  }

  test.each<[string, Row, string]>([
    ['nothing else', {}, 'done'],
    ['another digest', { digest: 'a'.repeat(64) }, 'constraint request_is_for_these_bytes'],
    ['another incident', { incident_id: 'inc-2' }, 'constraint request_is_of_the_plans_incident'],
    ['a render hash that is none', { render_hash: 'C'.repeat(64) }, 'constraint request_render_hash'],
    ['an end from the beginning', { decided_at: new Date() }, 'constraint request_end_has_a_time'],
  ])('%s', async (_, over, expected) => {
    expect(await asking(over)).toBe(expected)
  })

  test('a request for an undo', async () => {
    const row = await waiting()
    const undo = await kernel()
      .db.selectFrom('plan')
      .select(['id', 'digest'])
      .where('undo_of', '=', String(row['plan_id']))
      .executeTakeFirstOrThrow()
    const request = rehearse(kernel().db, (tx) => insertRow(tx, 'request', { ...row, plan_id: undo.id, digest: undo.digest }))
    expect(await request).toBe('refused policy-denied: an undo is approved with its plan')
  })

  test('a request whose time is over', async () => {
    const row = await waiting()
    await kernel().later(601)
    expect(await rehearse(kernel().db, (tx) => insertRow(tx, 'request', row))).toBe('refused expired')
  })

  test('a request that nobody may approve', async () => {
    expect(await asking({}, { needed: 5, requester: 'ada' })).toBe('refused nobody-may-approve')
  })

  test('a second one that waits for the same incident', async () => {
    await kernel().propose()
    expect(await asking({})).toBe('constraint one_pending_request_per_incident')
  })

  test('a second one for the same plan', async () => {
    const { propose, approvals, db } = kernel()
    const { requestId } = await propose()
    await approvals.cancel(requestId, 'ada', 'no need')
    const again = sql`insert into request (plan_id, digest, incident_id, render_hash, render_version)
      select plan_id, digest, incident_id, render_hash, render_version from request`
    expect(await rehearse(db, (tx) => again.execute(tx))).toBe('constraint request_plan_id_key')
  })

  test('it begins as pending, by nobody, now, whatever the statement says', async () => {
    const { db } = kernel()
    const row = await waiting()
    await insertRow(db, 'request', { ...row, state: 'authorised', decided_by: 'mallory', reason: 'trust me', created_at: new Date(0) })
    const written = await db.selectFrom('request').selectAll().executeTakeFirstOrThrow()
    expect(written).toMatchObject({ state: 'pending', decided_by: null, reason: null })
    expect(written.created_at.getTime()).toBeGreaterThan(Date.now() - 60_000)
    await insertRow(db, 'presentation', { request_id: written.id, ...CHANNEL })
  })

  test.each<[string, Row, string]>([
    ['another state', { state: 'granted', decided_at: new Date() }, 'constraint request_state'],
    ['an end without a time', { state: 'cancelled' }, 'constraint request_end_has_a_time'],
    ['a reason of 501 characters', { reason: 'x'.repeat(501) }, 'constraint request_reason_is_short'],
  ])('where no guard looks: %s', async (_, over, expected) => {
    const row = await waiting()
    expect(await rehearseUnguarded(kernel().db, ['request'], (tx) => insertRow(tx, 'request', { ...row, ...over }))).toBe(expected)
  })

  test('a card on an unknown surface, or of no request', async () => {
    const { db, propose } = kernel()
    const { requestId } = await propose()
    const shown = (over: Row) =>
      rehearse(db, (tx) => insertRow(tx, 'presentation', { request_id: requestId, ...CHANNEL, place: 'C2', ...over }))
    expect(await shown({})).toBe('done')
    expect(await shown({ surface: 'mail' })).toBe('constraint presentation_surface')
    expect(await shown({ request_id: randomUUID() })).toBe('constraint presentation_request_id_fkey')
  })
})

describeKernel('requests: ending', (kernel) => {
  type State = 'pending' | 'authorised' | 'denied' | 'expired' | 'cancelled' | 'superseded'
  const reach: Record<State, (kernel: Kernel, asked: Asked) => Promise<unknown>> = {
    pending: async () => {},
    authorised: async ({ click }, asked) => await click(asked, 'ada'),
    denied: async ({ click }, asked) => await click(asked, 'ada', { decision: 'deny' }),
    expired: async ({ later, approvals }) => {
      await later(601)
      await approvals.expireDue()
    },
    cancelled: async ({ approvals }, { requestId }) => await approvals.cancel(requestId, 'ada', 'no need'),
    superseded: async ({ propose }) => await propose(),
  }
  const become = async (requestId: string, state: string): Promise<string> =>
    await rehearse(kernel().db, (tx) =>
      sql`update request set state = ${state}, decided_by = 'mallory' where id = ${requestId}`.execute(tx),
    )

  const fromPending: [State, string][] = [
    ['authorised', 'refused quorum-missing'],
    ['denied', 'refused quorum-missing'],
    ['expired', 'refused too-late: not expired yet'],
    ['cancelled', 'done'],
    ['superseded', 'done'],
    ['pending', 'constraint request_end_has_a_time'],
  ]
  test.each(fromPending)('pending to %s by hand: %s', async (state, expected) => {
    expect(await become((await kernel().propose()).requestId, state)).toBe(expected)
  })

  test('the quorum and the denial of another request decide nothing here, and neither does a vote of the other kind', async () => {
    const { propose, authorise, click } = kernel()
    await authorise({ incident: 'inc-2', target: { name: 'checkout' } })
    await click(await propose({ incident: 'inc-3', target: { name: 'inventory' } }), 'ada', { decision: 'deny' })
    const asked = await propose({ needed: 2 })
    for (const state of ['authorised', 'denied']) expect(await become(asked.requestId, state)).toBe('refused quorum-missing')
    await click(asked, 'ada')
    expect(await become(asked.requestId, 'denied')).toBe('refused quorum-missing')
  })

  const ends: State[] = ['authorised', 'denied', 'expired', 'cancelled', 'superseded']
  const pairs = ends.flatMap((from) =>
    (['pending', ...ends] as State[])
      .filter((to) => !(from === 'authorised' && (to === 'cancelled' || to === 'expired')))
      .map((to) => [from, to] as const),
  )
  test.each(pairs)('%s never becomes %s', async (from, to) => {
    const asked = await kernel().propose()
    await reach[from](kernel(), asked)
    expect((await kernel().approvals.approval(asked.requestId))?.requestState).toBe(from)
    expect(await become(asked.requestId, to)).toBe('refused already-decided')
  })

  test('expires when its time is over, without a person', async () => {
    const { approvals, propose, later } = kernel()
    const { requestId } = await propose()
    await later(599)
    expect(await approvals.expireDue()).toEqual([])
    await later(2)
    expect(await approvals.expireDue()).toEqual([requestId])
    expect(await approvals.expireDue()).toEqual([])
    expect(await approvals.approval(requestId)).toMatchObject({ requestState: 'expired', votes: [], reason: null })
  })

  test('expires as well when it was authorised and nobody claimed it in time', async () => {
    const { approvals, authorise, executions, audit, later, epoch, db } = kernel()
    const { requestId, authorisationId } = await authorise()
    expect(await become(requestId, 'expired')).toBe('refused too-late: not expired yet')
    await later(601)
    expect(await audit.overdue()).toContain(`overdue: ${authorisationId} was authorised over 60 s ago and nobody claimed it`)
    expect(await approvals.expireDue()).toEqual([requestId])
    expect(await approvals.expireDue()).toEqual([])
    expect(await approvals.approval(requestId)).toMatchObject({ requestState: 'expired', votes: [{ person: 'ada' }] })
    const { decided_by } = await db.selectFrom('request').select('decided_by').where('id', '=', requestId).executeTakeFirstOrThrow()
    expect(decided_by).toBeNull()
    const notice = db.selectFrom('outbox').select('id').where('dedupe', '=', `notice:request:${requestId}:expired`)
    expect(await notice.execute()).toHaveLength(1)
    expect(await executions.claimable(10)).toEqual([])
    expect(await outcomeOf(executions.claim(authorisationId, epoch))).toBe('refused expired')
    expect(await audit.overdue()).not.toContainEqual(expect.stringContaining('nobody claimed it'))
  })

  test('does not expire once it was claimed', async () => {
    const { approvals, carryOut, later } = kernel()
    const { requestId } = await carryOut({}, 'aborted')
    await later(601)
    expect(await approvals.expireDue()).toEqual([])
    expect(await become(requestId, 'expired')).toBe('refused too-late')
  })

  test.each(['vera', 'otto', 'nobody', 'ina'])('is not cancelled by %s, who is no responder there', async (person) => {
    const { approvals, propose, authorise } = kernel()
    const [waits, decided] = [await propose({ incident: 'inc-1' }), await authorise({ incident: 'inc-2' })]
    for (const { requestId } of [waits, decided])
      await expect(approvals.cancel(requestId, person, 'x')).rejects.toMatchObject({
        code: 'not-authorised',
        needs: { role: 'responder', of: { environment: 'shop' } },
      })
  })

  test('is cancelled with a reason, also after the quorum as long as nothing was sent', async () => {
    const { approvals, propose, authorise, executions, epoch, db } = kernel()
    const [waits, decided] = [await propose({ incident: 'inc-1' }), await authorise({ incident: 'inc-2' })]
    expect(await approvals.cancel(waits.requestId, 'rex', `no\u0000need ${'x'.repeat(600)}`)).toMatchObject({ requestState: 'cancelled' })
    expect(await db.selectFrom('request').select(['decided_by', 'reason']).where('id', '=', waits.requestId).executeTakeFirst()).toEqual({
      decided_by: 'rex',
      reason: expect.stringMatching(/^no\uFFFDneed x{491}…$/),
    })
    const { executionId } = await executions.claim(decided.authorisationId, epoch)
    await approvals.cancel(decided.requestId, 'rex', 'changed my mind')
    expect(await executions.refusalToAct(executionId)).toMatchObject({ code: 'cancelled' })
  })

  test('is cancelled while it is claimed, whatever was sent of another', async () => {
    const { approvals, carryOut } = kernel()
    const claimed = await carryOut({})
    await carryOut({ incident: 'inc-2', target: { name: 'checkout' } }, 'intent', 'sent')
    expect(await approvals.cancel(claimed.requestId, 'rex', 'no need')).toMatchObject({ requestState: 'cancelled' })
  })

  test.each([
    ['sent', ['intent', 'sent'] as const],
    ['aborted', ['aborted'] as const],
    ['verified', ['intent', 'sent', 'succeeded', 'verified'] as const],
  ])('cannot be cancelled once it was %s', async (_, steps) => {
    const { approvals, carryOut } = kernel()
    const { requestId } = await carryOut({}, ...steps)
    expect(await outcomeOf(approvals.cancel(requestId, 'ada', 'stop'))).toBe('refused too-late')
  })

  test('an unknown request is refused in words', async () => {
    const { approvals } = kernel()
    for (const id of [randomUUID(), 'no-uuid', '']) {
      await expect(approvals.cancel(id, 'ada', 'x')).rejects.toThrow(new Refusal('unknown-approval'))
      await expect(approvals.vote({ ...clickOf(await kernel().propose(), 'ada'), requestId: id })).rejects.toThrow(
        new Refusal('unknown-approval'),
      )
      await expect(approvals.keep(id, { surface: 'slack', tenant: 'T1', externalId: 'U-ada' })).rejects.toThrow(
        new Refusal('unknown-approval'),
      )
      expect(await approvals.approval(id)).toBeNull()
    }
  })

  describe('changes nothing else', () => {
    test.each<[string, ReturnType<typeof sql>]>([
      ['id', sql`gen_random_uuid()`],
      ['plan_id', sql`gen_random_uuid()`],
      ['digest', sql`repeat('a', 64)`],
      ['incident_id', sql`'inc-2'`],
      ['created_at', sql`'epoch'`],
      ['render_hash', sql`repeat('a', 64)`],
      ['render_version', sql`2`],
    ])('%s', async (column, value) => {
      const { db, propose } = kernel()
      await propose()
      const change = rehearse(db, (tx) => sql`update request set state = 'cancelled', ${sql.id(column)} = ${value}`.execute(tx))
      expect(await change).toBe('kept a request may only be decided')
    })

    test('the time of the end is the database’s', async () => {
      const { db, propose } = kernel()
      await propose()
      await sql`update request set state = 'cancelled', decided_at = 'epoch'`.execute(db)
      const { decided_at } = await db.selectFrom('request').select('decided_at').executeTakeFirstOrThrow()
      expect(decided_at?.getTime()).toBeGreaterThan(Date.now() - 60_000)
    })
  })
})

describeKernel('requests: the votes they list', (kernel) => {
  const people = async (requestId: string): Promise<string[]> =>
    ((await kernel().approvals.approval(requestId))?.votes ?? []).map(({ person }) => person)
  const taken: [string, string][] = [
    ['account', `update identity_link set revoked_at = clk() where external_id = 'U-ada'`],
    ['role', `update role_grant set revoked_at = clk() where principal_id = 'ada'`],
    ['activity', `update principal set active = false where id = 'ada'`],
  ]

  test.each(taken)('while one waits: not of a person whose %s was taken away', async (_, statement) => {
    const { propose, click, db } = kernel()
    const asked = await propose({ needed: 3 })
    for (const person of ['ada', 'ben']) await click(asked, person)
    expect(await people(asked.requestId)).toEqual(['ada', 'ben'])
    await sql.raw(statement).execute(db)
    expect(await people(asked.requestId)).toEqual(['ben'])
  })

  test('a person whose role was given anew has to click anew', async () => {
    const { propose, click, db } = kernel()
    const asked = await propose({ needed: 2 })
    await click(asked, 'ada')
    await sql`update role_grant set revoked_at = clk() where principal_id = 'ada'`.execute(db)
    await sql`insert into role_grant (principal_id, role, environment, granted_by) values ('ada', 'approver', 'shop', 'configuration')`.execute(
      db,
    )
    expect(await people(asked.requestId)).toEqual([])
    expect(await click(asked, 'ben')).toMatchObject({ requestState: 'pending', votes: [{ person: 'ben' }] })
  })

  test.each(taken)('once one is decided: those that counted then, also of a person whose %s was taken away since', async (_, statement) => {
    const { authorise, db } = kernel()
    const { requestId } = await authorise({ needed: 2 })
    await sql.raw(statement).execute(db)
    expect(await people(requestId)).toEqual(['ada', 'ben'])
  })

  test('and not of an account that was taken away before', async () => {
    const { propose, click, approvals, db } = kernel()
    const asked = await propose({ needed: 2 })
    await click(asked, 'ada')
    await sql`update identity_link set revoked_at = clk() where external_id = 'U-ada'`.execute(db)
    await approvals.cancel(asked.requestId, 'ben', 'x')
    expect(await people(asked.requestId)).toEqual([])
  })
})
