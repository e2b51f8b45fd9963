import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { createLeases } from '../../../storage/leases.ts'
import { describeKernel, type Kernel } from '../../support/kernel.ts'
import { insertRow, type Row } from '../../support/kernel-rows.ts'
import { countOf, outcomeOf, rehearse, rehearseUnguarded } from '../../support/kernel-sql.ts'

const executionRow = async ({ db, epoch }: Kernel, authorisationId: string, over: Row = {}): Promise<Row> => {
  const { rows } =
    await sql<Row>`select a.plan_id, a.digest, p.resource from authorisation a join plan p on p.id = a.plan_id where a.id = ${authorisationId}`.execute(
      db,
    )
  return { authorisation_id: authorisationId, ...rows[0], epoch, ...over }
}

describeKernel('execution: claiming', (kernel) => {
  test('takes what was authorised, oldest first, once', async () => {
    const { authorise, executions, epoch } = kernel()
    const first = await authorise()
    const second = await authorise({ incident: 'inc-2', target: { name: 'checkout' } })
    expect(await executions.claimable(10)).toEqual(
      [first, second].map((asked) => ({
        authorisationId: asked.authorisationId,
        requestId: asked.requestId,
        planId: asked.parent.plan.id,
        undoOf: null,
      })),
    )
    expect(await executions.claimable(1)).toHaveLength(1)
    const claimed = await executions.claim(first.authorisationId, epoch)
    expect(claimed.plan).toEqual(first.parent)
    expect(await executions.claimable(10)).toHaveLength(1)
    expect(await outcomeOf(executions.claim(first.authorisationId, epoch))).toBe('refused in-flight')
    await kernel().advance(claimed.executionId, 'aborted', { reason: 'test' })
    expect(await outcomeOf(executions.claim(first.authorisationId, epoch))).toBe('refused already-sent')
  })

  test('leaves out what waits for its resource, so that one that is stuck keeps no other waiting', async () => {
    const { authorise, carryOut, executions } = kernel()
    await carryOut({}, 'intent', 'sent')
    await authorise({ incident: 'inc-2' })
    const other = await authorise({ incident: 'inc-3', target: { name: 'checkout' } })
    expect(await executions.claimable(1)).toMatchObject([{ authorisationId: other.authorisationId }])
  })

  test('one thing at a time on a resource, until it was verified or is over', async () => {
    const { authorise, carryOut, executions, epoch, advance } = kernel()
    const { executionId } = await carryOut({ incident: 'inc-2' })
    const next = await authorise()
    for (const step of ['intent', 'sent', 'unknown', 'succeeded', 'verified'] as const) {
      expect(await outcomeOf(executions.claim(next.authorisationId, epoch))).toBe('refused in-flight')
      await advance(executionId, step, { samples: 3 })
    }
    expect(await outcomeOf(executions.claim(next.authorisationId, epoch))).toBe('done')
  })

  test('resources do not wait for each other', async () => {
    const { carryOut } = kernel()
    await carryOut({}, 'intent', 'sent')
    expect(await outcomeOf(carryOut({ incident: 'inc-2', target: { name: 'checkout' } }, 'intent', 'sent'))).toBe('done')
  })

  test('what is not authorised, or does not exist, is no claim', async () => {
    const { executions, epoch } = kernel()
    await expect(executions.claim(randomUUID(), epoch)).rejects.toThrow()
    expect(await countOf(kernel().db, 'execution')).toBe(0)
  })

  const lapse: [string, (kernel: Kernel) => Promise<unknown>, number][] = [
    ['another epoch', async () => {}, 2],
    ['an earlier epoch', async ({ db }) => await takeOver(db), 1],
    ['a lease that has lapsed', async ({ later }) => await later(86_401), 1],
  ]
  test.each(lapse)('under %s it is fenced', async (_, change, epoch) => {
    const { authorise, executions } = kernel()
    const { authorisationId } = await authorise({ ttlSeconds: 60 })
    await change(kernel())
    expect(await outcomeOf(executions.claim(authorisationId, epoch))).toBe('refused fenced')
  })

  test('who is fenced is told so, also where nothing could be claimed any more', async () => {
    const { authorise, approvals, later, db } = kernel()
    const { authorisationId } = await authorise({ ttlSeconds: 60 })
    await later(61)
    await approvals.expireDue()
    const row = await executionRow(kernel(), authorisationId, { epoch: 2 })
    expect(await rehearse(db, (tx) => insertRow(tx, 'execution', row))).toBe('refused fenced')
  })

  test('what expired or lapsed of something else does not matter', async () => {
    const { authorise, carryOut, approvals, executions, later, epoch } = kernel()
    const failed = await carryOut(
      { incident: 'inc-2', target: { name: 'checkout' }, undoTtlSeconds: 120 },
      'intent',
      'sent',
      'succeeded',
      'failed',
    )
    await authorise({ incident: 'inc-3', target: { name: 'inventory' }, ttlSeconds: 60 })
    await later(61)
    await executions.authoriseUndo(failed.executionId)
    await later(121)
    expect(await executions.settleUndos(epoch)).toBe(1)
    await approvals.expireDue()
    const { authorisationId } = await authorise()
    expect(await outcomeOf(executions.claim(authorisationId, epoch))).toBe('done')
  })

  test('the lease of another name is none', async () => {
    const { authorise, executions, db } = kernel()
    const { authorisationId } = await authorise()
    await createLeases({ db }).acquire('notifier', 'test', 60)
    await sql`update lease set epoch = 7 where name = 'notifier'`.execute(db)
    expect(await outcomeOf(executions.claim(authorisationId, 7))).toBe('refused fenced')
  })
})

describeKernel('execution: rows written past every store', (kernel) => {
  test.each<[string, Row, string, string]>([
    ['nothing forged', {}, 'done', 'done'],
    [
      'no authorisation',
      { authorisation_id: randomUUID() },
      'constraint execution_is_of_the_authorised_bytes',
      'constraint execution_is_of_the_authorised_bytes',
    ],
    [
      'another digest',
      { digest: 'a'.repeat(64) },
      'constraint execution_is_of_the_authorised_bytes',
      'constraint execution_is_of_the_authorised_bytes',
    ],
    [
      'another resource',
      { resource: 'sample/shop/service/checkout' },
      'constraint execution_is_on_the_plans_resource',
      'constraint execution_is_on_the_plans_resource',
    ],
    ['another epoch', { epoch: 2 }, 'refused fenced', 'done'],
    ['another state', { state: 'landed' }, 'done', 'constraint execution_state_fkey'],
  ])('%s', async (_, over, guarded, unguarded) => {
    const { authorise, db } = kernel()
    const { authorisationId } = await authorise()
    const row = await executionRow(kernel(), authorisationId, over)
    expect(await rehearse(db, (tx) => insertRow(tx, 'execution', row))).toBe(guarded)
    expect(await rehearseUnguarded(db, ['execution'], (tx) => insertRow(tx, 'execution', row))).toBe(unguarded)
  })

  test('the plan of another authorisation, with that plan’s digest', async () => {
    const { authorise, db } = kernel()
    const [mine, other] = [await authorise(), await authorise({ incident: 'inc-2', target: { name: 'checkout' } })]
    const row = await executionRow(kernel(), other.authorisationId, { authorisation_id: mine.authorisationId })
    expect(await rehearse(db, (tx) => insertRow(tx, 'execution', row))).toBe('constraint execution_is_of_the_authorised_bytes')
  })

  test('a plan that was only asked for', async () => {
    const { propose, db, epoch } = kernel()
    const { parent } = await propose()
    const row = { authorisation_id: randomUUID(), plan_id: parent.plan.id, digest: parent.digest, resource: parent.plan.resource, epoch }
    expect(await rehearse(db, (tx) => insertRow(tx, 'execution', row))).toBe('constraint execution_is_of_the_authorised_bytes')
  })

  test('it begins as claimed, whatever the statement says', async () => {
    const { authorise, db } = kernel()
    const { authorisationId } = await authorise()
    await insertRow(db, 'execution', await executionRow(kernel(), authorisationId, { state: 'verified' }))
    expect(await db.selectFrom('execution').select('state').executeTakeFirst()).toEqual({ state: 'claimed' })
    expect(await db.selectFrom('execution_event').select(['seq', 'from_state', 'to_state', 'epoch']).execute()).toEqual([
      { seq: 1, from_state: 'none', to_state: 'claimed', epoch: 1 },
    ])
  })

  test('a second execution of an authorisation, of a plan, or in flight on a resource', async () => {
    const { carryOut, authorise, db } = kernel()
    const first = await carryOut({}, 'aborted')
    const again = await executionRow(kernel(), first.authorisationId)
    expect(await rehearse(db, (tx) => insertRow(tx, 'execution', again))).toBe('constraint authorisation_is_used_once')
    const bare = (row: Row) =>
      rehearse(db, async (tx) => {
        await sql`set local session_replication_role = replica`.execute(tx)
        await insertRow(tx, 'execution', row)
      })
    expect(await bare({ ...again, authorisation_id: randomUUID() })).toBe('constraint plan_is_executed_once')
    await carryOut({ incident: 'inc-2' })
    const { authorisationId } = await authorise({ incident: 'inc-3' })
    const second = await executionRow(kernel(), authorisationId)
    expect(await rehearse(db, (tx) => insertRow(tx, 'execution', second))).toBe('refused in-flight')
    for (const state of ['claimed', 'intent', 'sent', 'unknown', 'succeeded'])
      expect(await bare({ ...second, state })).toBe('constraint one_in_flight_per_resource')
    for (const state of ['verified', 'failed', 'undetermined', 'undone', 'aborted']) expect(await bare({ ...second, state })).toBe('done')
  })

  test.each<[string, ReturnType<typeof sql>]>([
    ['its state', sql`update execution set state = 'sent'`],
    ['its epoch', sql`update execution set epoch = 2`],
    ['its id', sql`update execution set id = gen_random_uuid()`],
    ['its authorisation', sql`update execution set authorisation_id = gen_random_uuid()`],
    ['its plan', sql`update execution set plan_id = gen_random_uuid()`],
    ['its digest', sql`update execution set digest = repeat('a', 64)`],
    ['its resource', sql`update execution set resource = 'x'`],
  ])('%s changes only through its events', async (_, statement) => {
    const { carryOut, db } = kernel()
    await carryOut({}, 'intent')
    expect(await rehearse(db, (tx) => statement.execute(tx))).toBe('kept an execution changes only through its events')
  })
})

/** Another process takes the lease: the epoch grows. */
async function takeOver(db: Kernel['db']): Promise<void> {
  await sql`update lease set holder = 'another', epoch = epoch + 1 where name = 'executor'`.execute(db)
}
