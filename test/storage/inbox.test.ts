import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { openDatabase } from '../../storage/database.ts'
import { createInbox, type Delivery, InboxFull } from '../../storage/inbox.ts'
import { describeDatabases } from '../support/database.ts'

const delivery = (deliveryKey: string, more: Partial<Delivery> = {}): Delivery => ({
  source: 'alertmanager',
  deliveryKey,
  body: new TextEncoder().encode(`{"key":"${deliveryKey}"}`),
  headers: { 'content-type': 'application/json' },
  ...more,
})

describeDatabases('inbox', (store) => {
  const database = store.perTest()

  test('keeps a delivery byte for byte', async () => {
    const inbox = createInbox(database())
    const body = Uint8Array.from({ length: 1_000 }, (_, index) => index % 256)
    const { id, duplicate } = await inbox.accept(delivery('one', { body }))
    expect(duplicate).toBe(false)
    expect(await inbox.get(id)).toEqual({
      id,
      source: 'alertmanager',
      deliveryKey: 'one',
      body,
      bodySha: createHash('sha256').update(body).digest('hex'),
      headers: { 'content-type': 'application/json' },
      receivedAt: expect.any(Date),
      state: 'received',
      error: null,
      attempts: 0,
    })
    expect(await inbox.get(id + 1)).toBeNull()
  })

  test('takes the same delivery of the same source once', async () => {
    const inbox = createInbox(database())
    const first = await inbox.accept(delivery('one'))
    expect(await inbox.accept(delivery('one', { body: new Uint8Array(3) }))).toEqual({ id: first.id, duplicate: true })
    expect((await inbox.accept(delivery('one', { source: 'slack' }))).duplicate).toBe(false)
    expect((await inbox.get(first.id))?.body.byteLength).toBe(13)
  })

  test('gives some of many, the oldest first, as far as a bound of bytes allows', async () => {
    const inbox = createInbox(database())
    const body = new Uint8Array(3 * 1024 * 1024)
    const ids: number[] = []
    for (const key of ['a', 'b', 'c']) ids.push((await inbox.accept(delivery(key, { body }))).id)
    const small = (await inbox.accept(delivery('d'))).id
    const read = async (...wanted: number[]) => (await inbox.some(wanted)).map(({ id }) => id)
    expect(await read(small, ...ids)).toEqual(ids.slice(0, 2))
    expect(await read(...ids.slice(2), small, 999_999)).toEqual([ids[2], small])
    expect(await read()).toEqual([])
  })

  test('stores many waiting deliveries in few commits, each once and in order', async () => {
    const { db } = database()
    const inbox = createInbox({ db })
    const keys = Array.from({ length: 200 }, (_, index) => `k${index % 150}`)
    const results = await Promise.all(keys.map((key) => inbox.accept(delivery(key, { jobKind: 'absorb' }))))
    expect(results.filter(({ duplicate }) => duplicate)).toHaveLength(50)
    expect(new Set(results.map(({ id }) => id)).size).toBe(150)
    expect(results[150]).toEqual({ id: results[0]?.id, duplicate: true })
    const commits = await sql`select 1 from inbox group by xmin::text`.execute(db)
    expect(commits.rows.length).toBeLessThan(10)
    expect((await inbox.waiting(1_000)).map(({ deliveryKey }) => deliveryKey)).toEqual(keys.slice(0, 150))
    expect((await sql`select count(*) as jobs from job where kind = 'absorb'`.execute(db)).rows).toEqual([{ jobs: 150 }])
  })

  test('takes a delivery once through two replicas at once', async () => {
    const { db } = database()
    const [one, other] = [createInbox({ db }), createInbox({ db })]
    const results = await Promise.all(
      Array.from({ length: 100 }, (_, index) => (index % 2 === 0 ? one : other).accept(delivery(`k${index >> 1}`, { jobKind: 'absorb' }))),
    )
    expect(results.filter(({ duplicate }) => !duplicate)).toHaveLength(50)
    expect(new Set(results.map(({ id }) => id)).size).toBe(50)
    expect((await sql`select count(*) as jobs from job`.execute(db)).rows).toEqual([{ jobs: 50 }])
  })

  test('enqueues the job of a delivery with it', async () => {
    const { db } = database()
    const { id } = await createInbox({ db }).accept(delivery('one', { jobKind: 'absorb' }))
    expect((await sql`select kind, payload, dedupe from job`.execute(db)).rows).toEqual([
      { kind: 'absorb', payload: { inboxId: id }, dedupe: `inbox:${id}` },
    ])
  })

  test('lets one bad delivery spoil none of its neighbours', async () => {
    const inbox = createInbox(database())
    const results = await Promise.allSettled([
      inbox.accept(delivery('first')),
      inbox.accept(delivery('good')),
      inbox.accept(delivery('zero\0byte')),
      inbox.accept(delivery('x'.repeat(600))),
      inbox.accept(delivery('also good')),
    ])
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'rejected', 'fulfilled'])
    expect((await inbox.waiting(10)).map(({ deliveryKey }) => deliveryKey)).toEqual(['first', 'good', 'also good'])
  })

  test('refuses a body that is too large', async () => {
    const body = new Uint8Array(16 * 1024 * 1024 + 1)
    await expect(createInbox(database()).accept(delivery('huge', { body }))).rejects.toThrow('inbox_body_bounded')
  })

  test('says that it is full rather than hold ever more in memory', async () => {
    const inbox = createInbox(database())
    const results = await Promise.allSettled(Array.from({ length: 1_100 }, (_, index) => inbox.accept(delivery(`k${index}`))))
    const refused = results.filter((result) => result.status === 'rejected')
    expect(refused.length).toBeGreaterThan(50)
    expect(refused.every(({ reason }) => reason instanceof InboxFull)).toBe(true)
    expect(await inbox.counts()).toMatchObject({ received: 1_100 - refused.length })
  })

  test('stores what somebody waits for before what programs have sent, also when their line is full', async () => {
    const inbox = createInbox(database())
    const order: string[] = []
    const told = (key: string, more: Partial<Delivery> = {}): Promise<void> =>
      inbox.accept(delivery(key, more)).then(
        () => void order.push(key),
        () => {},
      )
    const alerts = Array.from({ length: 1_100 }, (_, index) => told(`k${index}`))
    await Promise.all([...alerts, told('click', { source: 'slack', urgent: true })])
    // Behind the batch that was being stored, and before the hundreds that waited.
    expect(order.indexOf('click')).toBeGreaterThanOrEqual(0)
    expect(order.indexOf('click')).toBeLessThan(200)
    expect(order.length).toBeGreaterThan(900)
  })

  test('lets what somebody waits for go before all else that waits for the database', async () => {
    const { db } = database()
    const inbox = createInbox(database())
    const order: string[] = []
    const done = (name: string) => () => void order.push(name)
    const held = Promise.withResolvers<void>()
    const begun = Promise.withResolvers<void>()
    const transaction = db.transaction().execute(async () => {
      begun.resolve()
      await held.promise
    })
    await begun.promise
    const others = Array.from({ length: 30 }, () => sql`select 1`.execute(db).then(done('other')))
    const alert = inbox.accept(delivery('alert')).then(done('alert'))
    const click = inbox.accept(delivery('click', { source: 'slack', urgent: true })).then(done('click'))
    held.resolve()
    await Promise.all([transaction, ...others, alert, click])
    expect(order.length).toBe(32)
    if (store.kind === 'pglite') expect(order[0]).toBe('click')
  })

  test('counts what became of deliveries, and replays what failed', async () => {
    const { db } = database()
    const inbox = createInbox({ db })
    const ids: number[] = []
    for (const key of ['a', 'b', 'c', 'd']) ids.push((await inbox.accept(delivery(key, { jobKind: 'absorb' }))).id)
    const [a = 0, b = 0, c = 0] = ids
    await inbox.markProcessed(a)
    await inbox.markProcessed()
    await inbox.markFailed(b, 'x'.repeat(5_000))
    await inbox.markRejected(c, 'not signed')
    expect(await inbox.counts()).toEqual({ received: 1, processed: 1, failed: 1, rejected: 1 })
    expect(await inbox.get(b)).toMatchObject({ state: 'failed', error: 'x'.repeat(2_000), attempts: 1 })

    await sql`update job set finished_at = clk()`.execute(db)
    expect(await inbox.replay({ source: 'alertmanager' })).toEqual([b])
    expect(await inbox.replay({ id: a })).toEqual([a])
    expect(await inbox.replay({ id: 999_999 })).toEqual([])
    expect(await inbox.counts()).toEqual({ received: 3, processed: 0, failed: 0, rejected: 1 })
    expect((await sql`select dedupe from job where finished_at is null order by id`.execute(db)).rows).toEqual([
      { dedupe: `inbox:${b}` },
      { dedupe: `inbox:${a}` },
    ])
  })
})

describe('inbox without a database', () => {
  test('reports each delivery that could not be stored', async () => {
    const database = await openDatabase({ dataDir: ':memory:', now: () => new Date() })
    await database.close()
    const inbox = createInbox(database)
    const results = await Promise.allSettled([inbox.accept(delivery('a')), inbox.accept(delivery('b'))])
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  })
})
