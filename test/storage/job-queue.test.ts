import { sql } from 'kysely'
import { afterEach, expect, test } from 'vitest'
import { createJobQueue, type JobQueue, type JobQueueDeps } from '../../storage/job-queue.ts'
import { claimJobs, enqueueJob, JOB_CHANNEL } from '../../storage/job-rows.ts'
import { HopelessJob, JobAborted } from '../../storage/job-run.ts'
import { createJobWorker } from '../../storage/job-worker.ts'
import { describeDatabases, moveClock, stopClock } from '../support/database.ts'

/** Longer than any test: whoever waits for the poll waits in vain. */
const NEVER_MS = 3_600_000

interface LogLine {
  level: string
  message: string
}

describeDatabases('job queue', (store) => {
  const database = store.perTest()
  const queues: JobQueue[] = []
  let lines: LogLine[] = []

  afterEach(async () => {
    await Promise.all(queues.splice(0).map((queue) => queue.stop(0)))
    lines = []
  })

  function createQueue(workerId: string, more: Partial<JobQueueDeps> = {}): JobQueue {
    const write = (level: string) => (_: object, message: string) => void lines.push({ level, message })
    const log = { info: write('info'), warn: write('warn'), error: write('error') }
    const queue = createJobQueue({ db: database().db, now: () => new Date(), log, workerId, random: () => 0, ...more })
    queues.push(queue)
    return queue
  }

  const rows = async (): Promise<Record<string, unknown>[]> =>
    (await sql<Record<string, unknown>>`select * from job order by id`.execute(database().db)).rows

  test('runs what was enqueued, with its payload, once', async () => {
    const queue = createQueue('a')
    const ran: unknown[] = []
    queue.handle(
      'greet',
      async (payload, { attempt, jobId, signal }) => void ran.push({ payload, attempt, jobId, aborted: signal.aborted }),
    )
    await queue.start()
    const { id } = await queue.enqueue(database().db, { kind: 'greet', payload: { name: 'anna' } })
    await expect.poll(queue.counts).toEqual({ waiting: 0, running: 0, dead: 0 })
    expect(ran).toEqual([{ payload: { name: 'anna' }, attempt: 1, jobId: id, aborted: false }])
    expect(await rows()).toMatchObject([{ id, attempts: 1, claimed_by: null, last_error: null, finished_at: expect.any(Date) }])
  })

  test('gives a handler that takes several all that waits, the oldest first, and no more than it may', async () => {
    const queue = createQueue('a', { pollMs: NEVER_MS })
    const groups: unknown[][] = []
    queue.handleTogether('count', async (payloads) => void groups.push(payloads.map(({ number }) => number)), 3)
    await database()
      .db.transaction()
      .execute(async (tx) => {
        for (let number = 1; number <= 7; number += 1) await queue.enqueue(tx, { kind: 'count', payload: { number } })
      })
    await queue.start()
    await expect.poll(queue.counts).toEqual({ waiting: 0, running: 0, dead: 0 })
    expect(groups).toEqual([[1, 2, 3], [4, 5, 6], [7]])
    expect((await rows()).every(({ attempts, finished_at }) => attempts === 1 && finished_at !== null)).toBe(true)
  })

  test('of several that fail together each is tried alone: one fails, the others are done', async () => {
    const queue = createQueue('a', { pollMs: NEVER_MS })
    const done: unknown[] = []
    queue.handleTogether(
      'count',
      async (payloads) => {
        if (payloads.some(({ number }) => number === 2)) throw new HopelessJob('two is one too many')
        done.push(...payloads.map(({ number }) => number))
      },
      10,
    )
    await database()
      .db.transaction()
      .execute(async (tx) => {
        for (const number of [1, 2, 3]) await queue.enqueue(tx, { kind: 'count', payload: { number } })
      })
    await queue.start()
    await expect.poll(queue.counts).toEqual({ waiting: 0, running: 0, dead: 1 })
    expect(done).toEqual([1, 3])
    expect(await queue.deadLetters(9)).toMatchObject([{ payload: { number: 2 }, lastError: 'HopelessJob: two is one too many' }])
  })

  test('while several are tried one by one, what is over already ends none of the others', async () => {
    const { db } = database()
    const log = { warn: () => {}, error: () => {} }
    const over = Promise.withResolvers<void>()
    const worker = createJobWorker({ db, now: () => new Date(), log, workerId: 'a' }, over.resolve)
    const aborted: boolean[] = []
    worker.handleTogether(
      'count',
      async (payloads, signal) => {
        if (payloads.length > 1) throw new Error('not together')
        await worker.renew()
        aborted.push(signal.aborted)
      },
      10,
    )
    for (const number of [1, 2, 3]) await enqueueJob(db, { kind: 'count', payload: { number } })
    const { claimed } = await claimJobs(db, { workerId: 'a', free: worker.free(), leaseSeconds: 60 })
    worker.begin(claimed)
    expect(worker.free()).toEqual(new Map())
    await over.promise
    expect(aborted).toEqual([false, false, false])
    expect((await rows()).every(({ attempts, finished_at }) => attempts === 1 && finished_at !== null)).toBe(true)
  })

  test('starts at once, not at the next poll', async () => {
    const queue = createQueue('a', { pollMs: NEVER_MS })
    const ran = Promise.withResolvers<void>()
    queue.handle('greet', async () => ran.resolve())
    await queue.start()
    await queue.enqueue(database().db, { kind: 'greet', payload: {} })
    await ran.promise
  })

  test('starts at once what was enqueued in a transaction, or by the database itself', async () => {
    const { db, listen } = database()
    const queue = createQueue('a', { pollMs: NEVER_MS, onEnqueued: (wake) => listen(JOB_CHANNEL, wake) })
    let ran = 0
    queue.handle('greet', async () => {
      ran += 1
    })
    await queue.start()
    for (let index = 0; index < 5; index += 1) {
      await db.transaction().execute(async (tx) => {
        await queue.enqueue(tx, { kind: 'greet', payload: {} })
        await sql`select pg_sleep(0.02)`.execute(tx)
      })
      await sql`insert into job (kind, payload) values ('greet', '{}')`.execute(db)
      await expect.poll(() => ran).toBe(index * 2 + 2)
    }
  })

  test('runs nothing for a transaction that is rolled back', async () => {
    const queue = createQueue('a')
    queue.handle('greet', async () => {})
    const failing = database()
      .db.transaction()
      .execute(async (tx) => {
        await queue.enqueue(tx, { kind: 'greet', payload: {} })
        throw new Error('undone')
      })
    await expect(failing).rejects.toThrow('undone')
    expect(await rows()).toEqual([])
  })

  test('keeps one of several equal jobs while it waits, and takes it again when it is over', async () => {
    const { db } = database()
    const queue = createQueue('a')
    const job = { kind: 'greet', payload: {}, dedupe: 'greet:anna' }
    const first = await queue.enqueue(db, job)
    expect(first.duplicate).toBe(false)
    expect(await queue.enqueue(db, job)).toEqual({ id: first.id, duplicate: true })
    const racing = await Promise.all(Array.from({ length: 10 }, () => queue.enqueue(db, { ...job, dedupe: 'greet:ben' })))
    expect(racing.filter(({ duplicate }) => !duplicate)).toHaveLength(1)
    queue.handle('greet', async () => {})
    await queue.start()
    await expect.poll(queue.counts).toMatchObject({ waiting: 0, running: 0 })
    expect((await queue.enqueue(db, job)).duplicate).toBe(false)
  })

  test('gives each job to one of several workers', async () => {
    const ran: number[] = []
    for (const workerId of ['a', 'b', 'c']) {
      createQueue(workerId).handle('count', async ({ number }) => void ran.push(Number(number)), { concurrency: 4 })
    }
    for (let number = 0; number < 100; number += 1) await queues[0]?.enqueue(database().db, { kind: 'count', payload: { number } })
    await Promise.all(queues.map((queue) => queue.start()))
    await expect.poll(() => ran.length, { timeout: 10_000 }).toBe(100)
    expect(new Set(ran).size).toBe(100)
  })

  test('runs at most as many of a kind at once as it may, and other kinds beside them', async () => {
    const queue = createQueue('a')
    const release = Promise.withResolvers<void>()
    let most = 0
    let now = 0
    let other = 0
    const slow = async (): Promise<void> => {
      now += 1
      most = Math.max(most, now)
      await release.promise
      now -= 1
    }
    queue.handle('slow', slow, { concurrency: 2 })
    queue.handle('quick', async () => {
      other += 1
    })
    for (let index = 0; index < 6; index += 1) await queue.enqueue(database().db, { kind: 'slow', payload: {} })
    await queue.enqueue(database().db, { kind: 'quick', payload: {} })
    await queue.start()
    await expect.poll(() => other).toBe(1)
    await expect.poll(queue.counts).toEqual({ waiting: 4, running: 2, dead: 0 })
    release.resolve()
    await expect.poll(queue.counts).toEqual({ waiting: 0, running: 0, dead: 0 })
    expect(most).toBe(2)
  })

  test('leaves kinds that it has no handler for, and jobs that are not due', async () => {
    const { db } = database()
    const queue = createQueue('a')
    let ran = 0
    queue.handle('greet', async () => {
      ran += 1
    })
    await queue.enqueue(db, { kind: 'other', payload: {} })
    await queue.enqueue(db, { kind: 'greet', payload: {}, runAt: new Date(Date.now() + 60_000) })
    await queue.enqueue(db, { kind: 'greet', payload: {} })
    await queue.start()
    await expect.poll(() => ran).toBe(1)
    expect(await queue.counts()).toMatchObject({ waiting: 2 })
    await moveClock(database(), 61)
    await expect.poll(() => ran).toBe(2)
  })

  test('tries again with growing pauses, and gives up after the last attempt', async () => {
    const { db } = database()
    const dead: string[] = []
    const queue = createQueue('a', { onDead: ({ kind }, error) => void dead.push(`${kind}: ${error}`) })
    let attempts = 0
    let gate = Promise.resolve()
    queue.handle('fail', async (_, { attempt }) => {
      attempts = attempt
      await gate
      throw new Error(`no ${attempt}`)
    })
    const { id } = await queue.enqueue(db, { kind: 'fail', payload: {}, maxAttempts: 3 })
    await queue.start()
    await expect.poll(queue.counts).toEqual({ waiting: 0, running: 0, dead: 1 })
    expect(attempts).toBe(3)
    expect(dead).toEqual(['fail: Error: no 3'])
    expect(await queue.deadLetters(10)).toMatchObject([
      { id, kind: 'fail', attempts: 3, lastError: 'Error: no 3', deadAt: expect.any(Date) },
    ])
    expect(lines.map(({ level, message }) => `${level}: ${message}`)).toEqual([
      'warn: a job failed',
      'warn: a job failed',
      'error: a job was given up',
    ])

    const { promise, resolve } = Promise.withResolvers<void>()
    gate = promise
    expect(await queue.replay(id)).toBe(true)
    expect(await queue.replay(id)).toBe(false)
    resolve()
    await expect.poll(queue.counts).toEqual({ waiting: 0, running: 0, dead: 1 })
    expect(dead).toHaveLength(2)
  })

  test.each([
    [1, 1],
    [4, 8],
    [11, 60],
  ])('after attempt %i waits at most %i seconds', async (attempt, seconds) => {
    const { db } = database()
    const queue = createQueue('a', { random: () => 0.999_999 })
    queue.handle('fail', async () => {
      throw new Error('no')
    })
    const { id } = await queue.enqueue(db, { kind: 'fail', payload: {} })
    await sql`update job set attempts = ${attempt - 1} where id = ${id}`.execute(db)
    await stopClock(database(), new Date(Date.now() + 1_000))
    await queue.start()
    await expect.poll(async () => (await rows())[0]?.['last_error']).toBe('Error: no')
    const { rows: waits } = await sql<{ wait: number }>`select extract(epoch from run_at - clk())::float8 as wait from job`.execute(db)
    expect(waits[0]?.wait).toBeGreaterThan(seconds - 2)
    expect(waits[0]?.wait).toBeLessThanOrEqual(seconds)
  })

  test('gives up at once what is hopeless', async () => {
    const queue = createQueue('a')
    queue.handle('fail', async () => {
      throw new HopelessJob('the payload makes no sense')
    })
    await queue.enqueue(database().db, { kind: 'fail', payload: {} })
    await queue.start()
    await expect.poll(() => queue.deadLetters(1)).toMatchObject([{ attempts: 1, lastError: 'HopelessJob: the payload makes no sense' }])
  })

  test('aborts a job that takes too long, and tries again', async () => {
    const queue = createQueue('a')
    const reasons: unknown[] = []
    const hang = (signal: AbortSignal): Promise<void> =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('stopped'))))
    queue.handle(
      'hang',
      async (_, { signal, attempt }) => {
        if (attempt === 1) await hang(signal).finally(() => reasons.push(signal.reason))
      },
      { timeoutMs: 50 },
    )
    await queue.enqueue(database().db, { kind: 'hang', payload: {} })
    await queue.start()
    await expect.poll(async () => (await rows())[0]?.['finished_at']).toBeInstanceOf(Date)
    expect(reasons).toMatchObject([{ code: 'timeout' }])
    expect((await rows())[0]).toMatchObject({ attempts: 2 })
  })

  test('gives up a job whose workers are killed each time', async () => {
    const { db } = database()
    const queue = createQueue('a')
    queue.handle('kill', async () => {})
    await queue.enqueue(db, { kind: 'kill', payload: {}, maxAttempts: 2 })
    await sql`update job set attempts = 2, claimed_by = 'dead worker', claimed_until = clk() - interval '1 second'`.execute(db)
    await queue.start()
    await expect.poll(() => queue.deadLetters(1)).toMatchObject([{ lastError: 'no attempt came to an end' }])
  })

  test("takes up a dead worker's job when its claim ends; the only worker at once", async () => {
    const { db } = database()
    const ran: string[] = []
    await createQueue('x').enqueue(db, { kind: 'greet', payload: {} })
    const claim = sql`update job set attempts = 1, claimed_by = 'dead worker', claimed_until = clk() + interval '30 seconds'`
    await claim.execute(db)
    const one = createQueue('one')
    one.handle('greet', async () => void ran.push('one'))
    await one.start()
    await one.stop()
    expect(ran).toEqual([])
    const sole = createQueue('sole', { soleWorker: true })
    sole.handle('greet', async (_, { attempt }) => void ran.push(`sole ${attempt}`))
    await sole.start()
    await expect.poll(() => ran).toEqual(['sole 2'])
  })

  test('records nothing for a claim that was lost', async () => {
    const { db } = database()
    const queue = createQueue('a')
    const begun = Promise.withResolvers<void>()
    const release = Promise.withResolvers<void>()
    queue.handle('slow', async () => {
      begun.resolve()
      await release.promise
    })
    await queue.enqueue(db, { kind: 'slow', payload: {} })
    await queue.start()
    await begun.promise
    await sql`update job set claimed_by = 'other', attempts = 2`.execute(db)
    release.resolve()
    await expect.poll(() => lines.map(({ message }) => message)).toEqual(['a job ended after its claim was lost'])
    expect(await rows()).toMatchObject([{ claimed_by: 'other', finished_at: null }])
  })

  test('finishes what was begun before it stops, and takes nothing new', async () => {
    const queue = createQueue('a')
    const begun = Promise.withResolvers<void>()
    const release = Promise.withResolvers<void>()
    queue.handle('slow', async () => {
      begun.resolve()
      await release.promise
    })
    await queue.enqueue(database().db, { kind: 'slow', payload: {} })
    await queue.enqueue(database().db, { kind: 'slow', payload: {} })
    await queue.start()
    await begun.promise
    const stopping = queue.stop()
    release.resolve()
    await stopping
    expect(await queue.counts()).toEqual({ waiting: 1, running: 0, dead: 0 })
  })

  test('gives back what does not end in time, without counting the attempt', async () => {
    const queue = createQueue('a')
    const begun = Promise.withResolvers<void>()
    const reason = Promise.withResolvers<unknown>()
    queue.handle('slow', async (_, { signal }) => {
      begun.resolve()
      await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    })
    queue.handle('other', async () => reason.resolve(null))
    await queue.enqueue(database().db, { kind: 'slow', payload: {} })
    await queue.start()
    await begun.promise
    await queue.stop(10)
    expect(await rows()).toMatchObject([{ attempts: 0, claimed_by: null, finished_at: null }])
  })

  test('refuses a second handler of a kind', () => {
    const queue = createQueue('a')
    queue.handle('greet', async () => {})
    expect(() => queue.handle('greet', async () => {})).toThrow('greet')
  })

  test('forgets jobs that were finished long ago', async () => {
    const { db } = database()
    const queue = createQueue('a')
    await queue.enqueue(db, { kind: 'done', payload: {} })
    await queue.enqueue(db, { kind: 'waiting', payload: {} })
    await sql`update job set finished_at = clk() where kind = 'done'`.execute(db)
    expect(await queue.prune(new Date(Date.now() - 60_000))).toBe(0)
    expect(await queue.prune(new Date(Date.now() + 60_000))).toBe(1)
    expect(await rows()).toMatchObject([{ kind: 'waiting' }])
  })

  test('goes on after the database could not be read', async () => {
    const { db } = database()
    const queue = createQueue('a')
    let ran = 0
    queue.handle('greet', async () => {
      ran += 1
    })
    await sql`alter table job rename to job_away`.execute(db)
    await queue.start()
    await expect.poll(() => lines.map(({ message }) => message)).toContain('the job queue could not be read')
    await sql`alter table job_away rename to job`.execute(db)
    await queue.enqueue(db, { kind: 'greet', payload: {} })
    await expect.poll(() => ran).toBe(1)
  })

  test('names why a job was aborted', () => {
    expect(new JobAborted('timeout', 'not done within 5 ms')).toMatchObject({ name: 'JobAborted', code: 'timeout' })
  })
})
