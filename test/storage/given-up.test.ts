import { type Kysely, sql } from 'kysely'
import { expect, test } from 'vitest'
import { createGivenUp, type GivenUpStore } from '../../storage/given-up.ts'
import { createInbox, type Inbox } from '../../storage/inbox.ts'
import { createJobQueue } from '../../storage/job-queue.ts'
import { createOutbox } from '../../storage/outbox.ts'
import { grantProcessRoles } from '../../storage/process-roles.ts'
import type { Database } from '../../storage/schema.ts'
import { describeDatabases } from '../support/database.ts'

describeDatabases('what was given up', (store) => {
  const database = store.perTest()

  const open = (): { db: Kysely<Database>; inbox: Inbox; givenUp: GivenUpStore } => {
    const { db } = database()
    const inbox = createInbox({ db })
    const log = { warn: () => {}, error: () => {} }
    const queue = createJobQueue({ db, now: () => new Date(), log, workerId: 'operator' })
    return { db, inbox, givenUp: createGivenUp({ db, inbox, queue, outbox: createOutbox({ db }) }) }
  }
  const deadJob = async (kind: string, dedupe: string | null = null): Promise<number> => {
    const { rows } = await sql<{ id: number }>`
      insert into job (kind, payload, dedupe, dead_at, last_error, attempts)
      values (${kind}, '{}', ${dedupe}, clk(), 'Error: no', 12) returning id`.execute(database().db)
    return rows[0]?.id ?? 0
  }
  const waitingJobs = async (): Promise<unknown[]> =>
    (await sql`select kind, dedupe, attempts from job where finished_at is null and dead_at is null order by id`.execute(database().db))
      .rows
  /** Taken in by nobody: its job is dead, and it is marked. */
  const failedDelivery = async ({ db, inbox }: ReturnType<typeof open>, key: string, jobKind = 'intake'): Promise<number> => {
    const { id } = await inbox.accept({ source: 'generic', deliveryKey: key, body: new TextEncoder().encode('{}'), headers: {}, jobKind })
    await sql`update job set dead_at = clk() where dedupe = ${`inbox:${id}`}`.execute(db)
    await inbox.markFailed(id, 'the disk was full')
    return id
  }

  test('is listed by kind and why, a delivery once, and what people did last', async () => {
    const parts = open()
    const chat = await deadJob('slack-press')
    const delivery = await failedDelivery(parts, 'a')
    await failedDelivery(parts, 'pressed', 'slack-press')
    const job = await deadJob('investigate')
    const listed = await parts.givenUp.list(10)
    expect(listed.map(({ what, id, kind, why, again }) => [what, id, kind, why, again])).toEqual([
      ['delivery', delivery, 'generic', 'the disk was full', true],
      ['job', job, 'investigate', 'Error: no', true],
      ['job', chat, 'slack-press', 'Error: no', false],
      ['job', expect.any(Number), 'slack-press', null, false],
    ])
    expect(await parts.givenUp.list(2)).toEqual(listed.slice(0, 2))
  })

  test('a delivery waits again in the place of the job that was given up for it, once', async () => {
    const parts = open()
    const id = await failedDelivery(parts, 'a')
    expect([await parts.givenUp.takeUp('delivery', id), await parts.givenUp.takeUp('delivery', id)]).toEqual(['waits', 'unknown'])
    expect(await parts.inbox.get(id)).toMatchObject({ state: 'received', error: null })
    expect(await waitingJobs()).toEqual([{ kind: 'intake', dedupe: `inbox:${id}`, attempts: 0 }])
    expect(await parts.givenUp.list(10)).toEqual([])
  })

  test('a delivery that was taken in is not taken in twice', async () => {
    const { inbox, givenUp } = open()
    const { id } = await inbox.accept({ source: 'generic', deliveryKey: 'a', body: new Uint8Array(1), headers: {}, jobKind: 'intake' })
    await inbox.markProcessed(id)
    expect(await givenUp.takeUp('delivery', id)).toBe('unknown')
    expect(await inbox.get(id)).toMatchObject({ state: 'processed' })
  })

  test('work waits again with all its attempts; where the same waits already it is over', async () => {
    const { givenUp } = open()
    const [first, second] = [await deadJob('investigate', 'investigate:inc-1'), await deadJob('investigate', 'investigate:inc-1')]
    expect(await givenUp.takeUp('job', first)).toBe('waits')
    expect(await givenUp.takeUp('job', second)).toBe('over')
    expect(await waitingJobs()).toEqual([{ kind: 'investigate', dedupe: 'investigate:inc-1', attempts: 0 }])
    expect(await givenUp.list(10)).toEqual([])
    expect(await givenUp.takeUp('job', second)).toBe('unknown')
  })

  test.each(['slack', 'slack-press'])('what somebody did in a chat (%s) is never repeated, and dismissed once', async (kind) => {
    const parts = open()
    const { givenUp } = parts
    const job = await deadJob(kind)
    const delivery = await failedDelivery(parts, 'a', kind)
    expect([await givenUp.takeUp('job', job), await givenUp.takeUp('delivery', delivery)]).toEqual(['never', 'unknown'])
    expect(await waitingJobs()).toEqual([])
    expect([await givenUp.dismiss(job), await givenUp.dismiss(job)]).toEqual([true, false])
    expect((await givenUp.list(10)).map(({ id }) => id)).not.toContain(job)
  })

  test('only what is never repeated is dismissed', async () => {
    const { givenUp } = open()
    const job = await deadJob('investigate')
    expect(await givenUp.dismiss(job)).toBe(false)
    expect(await givenUp.list(10)).toMatchObject([{ id: job }])
  })

  test('a notice is told again', async () => {
    const { db, givenUp } = open()
    const outbox = createOutbox({ db })
    const id = (await outbox.enqueue(db, { dedupe: 'a', topic: 'incident-changed', incidentId: null, body: {} })) ?? 0
    expect(await givenUp.takeUp('notice', id)).toBe('unknown')
    await outbox.bury(id, 'the channel is archived')
    expect(await givenUp.list(10)).toMatchObject([
      { what: 'notice', id, kind: 'incident-changed', why: 'the channel is archived', again: true },
    ])
    expect(await givenUp.takeUp('notice', id)).toBe('waits')
    expect(await outbox.claimBatch({ limit: 9, leaseSeconds: 30 })).toMatchObject([{ id, attempts: 1 }])
  })
})

describeDatabases('what was given up, in one of several processes', (store) => {
  test('is refused, and not said to be unknown: the work of the others is out of its reach', async () => {
    const opened = await store.open()
    try {
      await grantProcessRoles(opened.db)
      await opened.db.connection().execute(async (db) => {
        await sql`set role steadyhand_edge`.execute(db)
        const parts = { inbox: createInbox({ db }), outbox: createOutbox({ db }), queue: { replay: async () => true } }
        const givenUp = createGivenUp({ db, ...parts })
        await expect(givenUp.takeUp('job', 1)).rejects.toMatchObject({ code: 'not-authorised' })
        await expect(givenUp.dismiss(1)).rejects.toMatchObject({ code: 'not-authorised' })
        await sql`reset role`.execute(db)
      })
    } finally {
      await opened.close()
    }
  })
})
