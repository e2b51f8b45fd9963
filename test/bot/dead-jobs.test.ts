import { sql } from 'kysely'
import { afterEach, expect, test } from 'vitest'
import { describeDatabases } from '../support/database.ts'
import { openEdge, type RunningEdge, waitFor } from '../support/edge/edge-harness.ts'

describeDatabases('a job that is given up', (store) => {
  const database = store.perTest()
  let running: RunningEdge | null = null
  afterEach(async () => {
    await running?.close()
    running = null
  })

  const pages = async (): Promise<string[]> => {
    const { rows } = await sql<{ text: string }>`select body ->> 'text' as text from outbox where topic = 'page'`.execute(database().db)
    return rows.map(({ text }) => text)
  }
  const enqueue = async (kind: string, payload: object, attempts: number): Promise<void> => {
    await sql`insert into job (kind, payload, max_attempts, attempts) values (${kind}, ${JSON.stringify(payload)}, 1, ${attempts})`.execute(
      database().db,
    )
    running?.stores.queue.wake()
  }

  test('of an incident pages about that incident', async () => {
    running = await openEdge(database())
    await enqueue('investigate', { incidentId: 'inc-404', asked: 'of another shape' }, 0)
    const abouts = async () =>
      (await sql<{ about: string }>`select body ->> 'incidentId' as about from outbox where topic = 'page'`.execute(database().db)).rows
    expect(await waitFor(async () => (await abouts())[0] ?? null)).toEqual({ about: 'inc-404' })
  })

  test('pages, and stands in the metrics', async () => {
    running = await openEdge(database())
    await enqueue('investigate', { incident: 'of another shape' }, 0)
    const [words] = await waitFor(async () => ((await pages()).length > 0 ? await pages() : null))
    expect(words).toMatch(/^After one attempt work of the kind "investigate" was given up \(job \d+\): /)
    expect((await running.client().get('/metrics')).text).toMatch(/^steadyhand_jobs_dead 1$/m)
  })

  test('although its process died in the last attempt, and its delivery is found among the failed', async () => {
    const opened = await openEdge(database())
    running = opened
    const body = new TextEncoder().encode('{}')
    const { id } = await opened.stores.inbox.accept({ source: 'generic', deliveryKey: 'lost', body, headers: {} })
    await enqueue('intake', { inboxId: id }, 1)
    const item = await waitFor(async () => {
      const found = await opened.stores.inbox.get(id)
      return found?.state === 'failed' ? found : null
    })
    expect(item.error).toBe('no attempt came to an end')
    expect(await pages()).toEqual([expect.stringContaining(`After one attempt delivery ${id} was not taken in (job `)])
    expect(await opened.stores.inbox.replay({ id })).toEqual([id])
  })
})
