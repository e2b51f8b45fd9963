import { sql } from 'kysely'
import { beforeEach, expect, test } from 'vitest'
import { createOutbox, type NewNotice, OUTBOX_ATTEMPTS, OUTBOX_CHANNEL } from '../../storage/outbox.ts'
import { describeDatabases, moveClock } from '../support/database.ts'

const notice = (dedupe: string, more: Partial<NewNotice> = {}): NewNotice => ({
  dedupe,
  topic: 'notice',
  incidentId: null,
  body: { dedupe },
  ...more,
})
const PAST = new Date('2020-01-01T00:00:00Z')

describeDatabases('outbox', (store) => {
  const database = store.perTest()
  // The migrations may have queued notices of their own.
  beforeEach(() => sql`delete from outbox`.execute(database().db))

  test('queues a notice once', async () => {
    const { db } = database()
    const outbox = createOutbox({ db })
    const id = await outbox.enqueue(db, notice('one'))
    expect(id).toEqual(expect.any(Number))
    expect(await outbox.enqueue(db, notice('one', { topic: 'other' }))).toBeNull()
    expect(await outbox.claimBatch({ limit: 10, leaseSeconds: 30 })).toEqual([
      { id, dedupe: 'one', topic: 'notice', incidentId: null, body: { dedupe: 'one' }, priority: 5, at: expect.any(Date), attempts: 1 },
    ])
  })

  test('queues nothing for a transaction that is rolled back', async () => {
    const { db } = database()
    const outbox = createOutbox({ db })
    const failing = db.transaction().execute(async (tx) => {
      await outbox.enqueue(tx, notice('one'))
      throw new Error('undone')
    })
    await expect(failing).rejects.toThrow('undone')
    expect(await outbox.oldestUnsent()).toBeNull()
  })

  test('gives urgent notices first', async () => {
    const { db } = database()
    const outbox = createOutbox({ db })
    await outbox.enqueue(db, notice('later', { priority: 9 }))
    await outbox.enqueue(db, notice('usual'))
    await outbox.enqueue(db, notice('page', { priority: 1 }))
    const claimed = await outbox.claimBatch({ limit: 2, leaseSeconds: 30 })
    expect(claimed.map(({ dedupe }) => dedupe)).toEqual(['page', 'usual'])
  })

  test('keeps the order of an incident, whatever the priorities and however long one takes', async () => {
    const { db } = database()
    const outbox = createOutbox({ db })
    await outbox.enqueue(db, notice('a1', { incidentId: 'a' }))
    await outbox.enqueue(db, notice('a2', { incidentId: 'a', priority: 1 }))
    await outbox.enqueue(db, notice('b1', { incidentId: 'b' }))
    const claim = async () => (await outbox.claimBatch({ limit: 10, leaseSeconds: 30 })).map(({ id, dedupe }) => ({ id, dedupe }))
    const [a1, b1] = await claim()
    expect([a1?.dedupe, b1?.dedupe]).toEqual(['a1', 'b1'])
    expect(await claim()).toEqual([])
    await outbox.retry(a1?.id ?? 0, 'chat is away', PAST)
    expect(await claim()).toEqual([a1])
    await outbox.done(a1?.id ?? 0)
    expect((await claim()).map(({ dedupe }) => dedupe)).toEqual(['a2'])
  })

  test('gives each notice to one of many claimers', async () => {
    const { db } = database()
    const outbox = createOutbox({ db })
    for (let index = 0; index < 60; index += 1) await outbox.enqueue(db, notice(`n${index}`, { incidentId: `i${index % 20}` }))
    const batches = await Promise.all(Array.from({ length: 8 }, () => outbox.claimBatch({ limit: 5, leaseSeconds: 30 })))
    const claimed = batches.flat()
    expect(new Set(claimed.map(({ id }) => id)).size).toBe(claimed.length)
    expect(new Set(claimed.map(({ incidentId }) => incidentId)).size).toBe(claimed.length)
    const rest = await outbox.claimBatch({ limit: 100, leaseSeconds: 30 })
    expect(claimed.length + rest.length).toBe(20)
  })

  test('gives a notice again when whoever took it never came back', async () => {
    const { db } = database()
    const outbox = createOutbox({ db })
    await outbox.enqueue(db, notice('one'))
    await outbox.claimBatch({ limit: 1, leaseSeconds: 30 })
    await moveClock(database(), 29)
    expect(await outbox.claimBatch({ limit: 1, leaseSeconds: 30 })).toEqual([])
    await moveClock(database(), 31)
    expect(await outbox.claimBatch({ limit: 1, leaseSeconds: 30 })).toMatchObject([{ dedupe: 'one', attempts: 2 }])
  })

  test('waits until a notice may be sent', async () => {
    const { db } = database()
    const outbox = createOutbox({ db })
    await outbox.enqueue(db, notice('one', { notBefore: new Date(Date.now() + 60_000) }))
    expect(await outbox.claimBatch({ limit: 1, leaseSeconds: 30 })).toEqual([])
    await moveClock(database(), 61)
    expect(await outbox.claimBatch({ limit: 1, leaseSeconds: 30 })).toHaveLength(1)
  })

  test('gives up after twelve attempts, and then lets the incident go on', async () => {
    const { db } = database()
    const outbox = createOutbox({ db })
    await outbox.enqueue(db, notice('stuck', { topic: 'incident-changed', incidentId: 'a' }))
    await outbox.enqueue(db, notice('next', { incidentId: 'a' }))
    const ends: string[] = []
    for (let attempt = 1; attempt <= OUTBOX_ATTEMPTS; attempt += 1) {
      const [claimed] = await outbox.claimBatch({ limit: 1, leaseSeconds: 30 })
      expect(claimed).toMatchObject({ dedupe: 'stuck', attempts: attempt })
      ends.push(await outbox.retry(claimed?.id ?? 0, `error ${attempt}`, PAST))
    }
    expect(ends).toEqual([...Array.from({ length: OUTBOX_ATTEMPTS - 1 }, () => 'waiting'), 'dead'])
    const [dead] = await outbox.deadLetters(10)
    expect(await outbox.countDead()).toBe(1)
    expect(dead).toMatchObject({ dedupe: 'stuck', lastError: 'error 12', deadAt: expect.any(Date) })
    expect(await outbox.claimBatch({ limit: 9, leaseSeconds: 30 })).toMatchObject([{ dedupe: 'next' }])

    expect(await outbox.replay(dead?.id ?? 0)).toBe(true)
    expect(await outbox.replay(dead?.id ?? 0)).toBe(false)
    expect(await outbox.claimBatch({ limit: 9, leaseSeconds: 30 })).toMatchObject([{ dedupe: 'stuck', attempts: 1 }])
  })

  test('gives up a notice whose senders are killed twelve times', async () => {
    const { db } = database()
    const outbox = createOutbox({ db })
    await outbox.enqueue(db, notice('killer', { topic: 'incident-changed' }))
    for (let attempt = 0; attempt <= OUTBOX_ATTEMPTS; attempt += 1) {
      await moveClock(database(), attempt * 60)
      await outbox.claimBatch({ limit: 1, leaseSeconds: 30 })
    }
    expect(await outbox.deadLetters(10)).toMatchObject([{ dedupe: 'killer', lastError: 'no attempt came to an end' }])
  })

  test.each(['notice', 'page'])('a %s is never given up, however often it fails or its senders are killed', async (topic) => {
    const { db } = database()
    const outbox = createOutbox({ db })
    await outbox.enqueue(db, notice('told', { topic }))
    for (let attempt = 1; attempt <= OUTBOX_ATTEMPTS + 2; attempt += 1) {
      const [claimed] = await outbox.claimBatch({ limit: 1, leaseSeconds: 30 })
      expect(claimed).toMatchObject({ dedupe: 'told', attempts: attempt })
      if (attempt % 2 === 0) expect(await outbox.retry(claimed?.id ?? 0, 'chat is away', PAST)).toBe('waiting')
      else await moveClock(database(), attempt * 60)
    }
    expect(await outbox.deadLetters(10)).toEqual([])
  })

  test('ends a notice once: what is sent or buried stays so', async () => {
    const { db } = database()
    const outbox = createOutbox({ db })
    const sent = (await outbox.enqueue(db, notice('sent'))) ?? 0
    const buried = (await outbox.enqueue(db, notice('buried'))) ?? 0
    await outbox.done(sent)
    await outbox.bury(sent, 'too late')
    expect(await outbox.retry(sent, 'too late', PAST)).toBe('waiting')
    await outbox.bury(buried, 'the channel is archived')
    await outbox.done(buried)
    expect(await outbox.claimBatch({ limit: 9, leaseSeconds: 30 })).toEqual([])
    expect(await outbox.deadLetters(9)).toMatchObject([{ dedupe: 'buried', lastError: 'the channel is archived' }])
  })

  test('says how long the oldest unsent notice waits', async () => {
    const { db } = database()
    const outbox = createOutbox({ db })
    await outbox.enqueue(db, notice('first', { topic: 'page' }))
    await outbox.enqueue(db, notice('second'))
    await moveClock(database(), 300)
    const oldest = await outbox.oldestUnsent()
    expect(oldest).toMatchObject({ topic: 'page', waiting: 2 })
    expect(oldest?.waitedSeconds).toBeGreaterThanOrEqual(300)
    expect(oldest?.waitedSeconds).toBeLessThan(330)
  })

  test('forgets what was sent long ago, and nothing else', async () => {
    const { db } = database()
    const outbox = createOutbox({ db })
    await outbox.done((await outbox.enqueue(db, notice('sent'))) ?? 0)
    await outbox.enqueue(db, notice('waiting'))
    expect(await outbox.prune(PAST)).toBe(0)
    expect(await outbox.prune(new Date(Date.now() + 60_000))).toBe(1)
    expect((await sql`select dedupe from outbox`.execute(db)).rows).toEqual([{ dedupe: 'waiting' }])
  })

  test('wakes the sender when a notice is committed', async () => {
    const { db, listen } = database()
    let woken = 0
    const stop = await listen(OUTBOX_CHANNEL, () => {
      woken += 1
    })
    await db.transaction().execute((tx) => createOutbox({ db }).enqueue(tx, notice('one')))
    await expect.poll(() => woken).toBe(1)
    stop()
  })

  test.each([
    ['a priority beyond 9', sql`insert into outbox (dedupe, topic, body, priority) values ('x', 'notice', '{}', 10)`],
    ['both ends at once', sql`insert into outbox (dedupe, topic, body, done_at, dead_at) values ('x', 'notice', '{}', clk(), clk())`],
  ])('holds in the database: %s', async (_, statement) => {
    await expect(statement.execute(database().db)).rejects.toMatchObject({ code: '23514' })
  })
})
