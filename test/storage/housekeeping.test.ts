import { sql } from 'kysely'
import { beforeEach, expect, test } from 'vitest'
import { createHousekeeping } from '../../storage/housekeeping.ts'
import { createJobQueue } from '../../storage/job-queue.ts'
import { createMessageStore } from '../../storage/messages.ts'
import { createOutbox } from '../../storage/outbox.ts'
import { createPostings } from '../../storage/postings.ts'
import { createRetained, RETENTION, type RetentionSettings } from '../../storage/retention.ts'
import { createTelemetry } from '../../storage/telemetry.ts'
import { describeKernel, tampers, verified, violationsOf } from '../support/kernel.ts'
import { behind, countOf, outcomeOf } from '../support/kernel-sql.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

describeKernel('housekeeping', (kernel) => {
  let now: Date
  beforeEach(() => {
    now = new Date()
  })
  /** Tidies up as it would be done so many days from now. */
  async function tidy(inDays: number, retention?: RetentionSettings): Promise<void> {
    const { db } = kernel()
    const later = (): Date => new Date(now.getTime() + inDays * DAY_MS)
    const queue = createJobQueue({ db, now: later, log: { warn() {}, error() {} }, workerId: 'test', soleWorker: true })
    const retained = createRetained({ db })
    await createHousekeeping({ telemetry: createTelemetry({ db }), queue, outbox: createOutbox({ db }), retained, retention, now: later })()
  }
  const run = (statement: string) => sql.raw(statement).execute(kernel().db)

  test('drops telemetry older than two hours, and keeps the rest', async () => {
    const telemetry = createTelemetry({ db: kernel().db })
    const hoursBefore = (hours: number): Date => new Date(now.getTime() - hours * HOUR_MS)
    const scrape = { target: 'local', service: 'payments', instance: 'payments-1', version: 'v41', samples: { up: 1 } }
    await telemetry.append([3, 2.1, 1.9, 0].map((hours) => ({ ...scrape, at: hoursBefore(hours) })))
    await tidy(0)
    const left = await telemetry.read({ service: 'payments', from: hoursBefore(24), to: now, limit: 10 })
    expect(left.map(({ at }) => at)).toEqual([hoursBefore(1.9), hoursBefore(0)])
  })

  test('the log and every ending verify the same when their notices are forgotten; what was never told is not forgotten', async () => {
    const { carryOut, propose, audit, db } = kernel()
    await carryOut({}, 'intent', 'sent', 'succeeded', 'verified')
    await propose({ incident: 'inc-2' })
    await run(`update outbox set done_at = clk() where incident_id = 'inc-1'`)
    await run(`update outbox set dead_at = clk() where incident_id = 'inc-2' and topic = 'approval-changed'`)
    const before = await audit.verify()
    await tidy(RETENTION.noticesDays - 1)
    expect(await countOf(db, 'told_notice')).toBe(0)
    await tidy(RETENTION.noticesDays + 1)
    const { rows } = await sql<{
      incident: string
    }>`select distinct incident_id as incident from outbox where incident_id is not null`.execute(db)
    expect(rows).toEqual([{ incident: 'inc-2' }])
    expect(await countOf(db, 'told_notice')).toBeGreaterThan(2)
    expect(await audit.verify()).toEqual(before)
  })

  test('that a notice was told cannot be taken back, and where it is gone that is found', async () => {
    const { carryOut, db } = tampers(kernel())
    const { executionId } = await carryOut({}, 'intent', 'sent', 'succeeded', 'verified')
    await run('update outbox set done_at = clk()')
    await tidy(31)
    expect(await outcomeOf(run('delete from told_notice'))).toBe('kept told_notice is append-only')
    expect(await outcomeOf(run(`update told_notice set dedupe = 'x'`))).toBe('kept told_notice is append-only')
    await behind(db, (tx) => sql`delete from told_notice where dedupe like 'notice:execution:%'`.execute(tx))
    expect(await violationsOf(kernel())).toEqual([expect.stringContaining(`${executionId} ended verified without a notice`)])
  })

  test('deliveries go when they are old and over, by the setting', async () => {
    await run(`insert into inbox (source, delivery_key, body, state, processed_at) values
      ('generic', 'read', 'x', 'processed', clk()), ('generic', 'refused', 'x', 'rejected', clk()), ('generic', 'waits', 'x', 'received', null)`)
    await tidy(RETENTION.deliveriesDays - 1)
    expect(await countOf(kernel().db, 'inbox')).toBe(3)
    await tidy(3, { deliveriesDays: 2 })
    const { rows } = await sql`select delivery_key from inbox`.execute(kernel().db)
    expect(rows).toEqual([{ delivery_key: 'waits' }])
  })

  test('evidence of an incident that is over loses its content and keeps its digest; of one that is not, nothing', async () => {
    const { db } = kernel()
    await run(`update incident set state = 'resolved', ended_at = clk() where id = 'inc-1'`)
    await run(`insert into evidence select i || '-E1', i, 1, 'metrics', 'prometheus', 'metric', 'ok', 'errors rose', 'rate(x)', clk(), clk(), null,
      '{"a": [1, 2]}', repeat('a', 64), clk() from unnest(array['inc-1', 'inc-2']) i`)
    await tidy(RETENTION.evidenceDays - 1)
    await tidy(RETENTION.evidenceDays + 1)
    await tidy(RETENTION.evidenceDays + 1)
    const { rows } = await sql<{ content: object }>`select id, content, summary, hash from evidence order by id`.execute(db)
    const kept = { summary: 'errors rose', hash: 'a'.repeat(64) }
    expect(rows).toEqual([
      { id: 'inc-1-E1', content: { forgotten: expect.any(String) }, ...kept },
      { id: 'inc-2-E1', content: { a: [1, 2] }, ...kept },
    ])
  })

  test.each([
    ['another summary', `summary = 'x', content = '{"forgotten": 1}'`, 'inc-1'],
    ['other content', `content = '{"forgotten": 1, "a": 2}'`, 'inc-1'],
    ['no object', `content = '"forgotten"'`, 'inc-1'],
    ['an incident that is not over', `content = '{"forgotten": 1}'`, 'inc-2'],
  ])('evidence is not changed otherwise: %s', async (_, change, incident) => {
    await run(`update incident set state = 'resolved', ended_at = clk() where id = 'inc-1'`)
    await run(
      `insert into evidence values ('e', '${incident}', 1, 'metrics', 'prometheus', 'metric', 'ok', 's', 'q', clk(), clk(), null, '{}', repeat('a', 64), clk())`,
    )
    expect(await outcomeOf(run(`update evidence set ${change}`))).toMatch(/^kept evidence is append-only/)
  })

  test('what was said goes with its incident, and sessions at their end', async () => {
    const messages = createMessageStore({ db: kernel().db })
    await run(`update incident set state = 'resolved', ended_at = clk() where id = 'inc-1'`)
    for (const incidentId of ['inc-1', 'inc-2', null])
      await messages.say('console', { incidentId, kind: 'notice', ref: `${incidentId}`, text: 'x', blocks: [] })
    await run(`insert into session (token_hash, person_id, method, created_at, expires_at) values
      (repeat('a', 64), 'ada', 'named', clk() - interval '2 hours', clk() - interval '1 hour'), (repeat('b', 64), 'ada', 'named', clk(), clk() + interval '1 hour')`)
    const postings = createPostings({ db: kernel().db })
    for (const ref of ['inc-1', 'inc-2']) await postings.draw('slack', { kind: 'incident', ref, incidentId: ref, priority: 1, place: 'C1' })
    await tidy(RETENTION.messagesDays + 1)
    expect((await sql`select ref from posting`.execute(kernel().db)).rows).toEqual([{ ref: 'inc-2' }])
    const { rows } = await sql`select incident_id from surface_message`.execute(kernel().db)
    expect(rows).toEqual([{ incident_id: 'inc-2' }])
    expect(await countOf(kernel().db, 'session')).toBe(1)
    await verified(kernel())
  })
})
