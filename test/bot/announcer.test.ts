import { sql } from 'kysely'
import { beforeEach, describe, expect, test } from 'vitest'
import { createEventHub } from '../../agent/events.ts'
import { type AnnouncerDeps, createAnnouncer } from '../../bot/announcer.ts'
import type { SpokenNotice, Surface } from '../../bot/surface.ts'
import { createOutbox, OUTBOX_ATTEMPTS } from '../../storage/outbox.ts'
import { anApproval, anIncidentView } from '../support/builders.ts'
import { describeDatabases, moveClock } from '../support/database.ts'

/** A chat that writes down what it was told, and can be down. */
function createChat(): Surface & { told: string[]; said: SpokenNotice[]; down: Error | null } {
  const chat = {
    name: 'chat',
    told: [] as string[],
    said: [] as SpokenNotice[],
    down: null as Error | null,
    refreshIncident: async (id: string) => tell(`incident ${id}`),
    refreshApproval: async (id: string) => tell(`approval ${id}`),
    say: async (notice: SpokenNotice) => {
      tell(`say ${notice.code}`)
      chat.said.push(notice)
    },
  }
  const tell = (what: string): void => {
    if (chat.down) throw chat.down
    chat.told.push(what)
  }
  return chat
}

describeDatabases('the announcer', (store) => {
  const database = store.perTest()
  const setUp = () => {
    const outbox = createOutbox({ db: database().db })
    const chat = createChat()
    const hub = createEventHub()
    const events: unknown[] = []
    hub.subscribe((event) => events.push(event))
    const counts: string[] = []
    const lines: string[] = []
    const deps: AnnouncerDeps = {
      queue: outbox,
      agent: {
        incident: async () => anIncidentView(),
        approval: async (id) => (id === 'none' ? null : anApproval({ id })),
        people: async () => [],
      },
      surfaces: [chat],
      hub,
      metrics: { countNotice: (result) => counts.push(result) },
      now: () => new Date(),
      log: { warn: (_, message) => lines.push(message), error: (_, message) => lines.push(message) },
    }
    return { outbox, chat, events, counts, lines, deps, announcer: createAnnouncer(deps) }
  }
  const queue = (
    outbox: ReturnType<typeof createOutbox>,
    dedupe: string,
    topic: string,
    body: Record<string, unknown>,
    incidentId: string | null = 'inc-1',
  ) => outbox.enqueue(database().db, { dedupe, topic, incidentId, body })
  const drain = async (announcer: ReturnType<typeof createAnnouncer>): Promise<void> => {
    while ((await announcer.runOnce()) > 0);
  }
  beforeEach(() => sql`delete from outbox`.execute(database().db))

  test('tells in the order of the incident, publishes events, and is done', async () => {
    const { outbox, chat, events, announcer } = setUp()
    await queue(outbox, 'a', 'incident-changed', { incidentId: 'inc-1' })
    await queue(outbox, 'b', 'approval-changed', { incidentId: 'inc-1', requestId: 'r1' })
    await queue(outbox, 'c', 'notice', { incidentId: 'inc-1', requestId: 'r1', code: 'request-pending' })
    await drain(announcer)
    expect(chat.told).toEqual(['incident inc-1', 'approval r1', 'say request-pending'])
    expect(chat.said[0]).toMatchObject({
      ref: 'c',
      kind: 'notice',
      incidentId: 'inc-1',
      requestId: 'r1',
      text: expect.stringMatching(/^Approve\? Roll back/),
    })
    expect(events).toEqual([
      { type: 'incident-changed', incidentId: 'inc-1' },
      { type: 'approval-changed', incidentId: 'inc-1', requestId: 'r1' },
      { type: 'message-posted', incidentId: 'inc-1' },
    ])
    expect(await outbox.oldestUnsent()).toBeNull()
  })

  test('a hundred changes of one incident are shown once, and notices between them in their order', async () => {
    const { outbox, chat, announcer } = setUp()
    for (let n = 0; n < 50; n += 1) await queue(outbox, `x${n}`, 'incident-changed', { incidentId: 'inc-1' })
    await queue(outbox, 'n', 'notice', { incidentId: 'inc-1', requestId: 'r1', code: 'request-pending' })
    for (let n = 0; n < 50; n += 1) await queue(outbox, `y${n}`, 'incident-changed', { incidentId: 'inc-1' })
    await drain(announcer)
    expect(chat.told).toEqual(['incident inc-1', 'say request-pending'])
  })

  test('what an event of an incident says to its thread is said in its words, cleaned', async () => {
    const { outbox, chat, announcer } = setUp()
    const words = 'Pull request #7 was merged.\u202e <!channel>'
    await queue(outbox, 'a', 'notice', { incidentId: 'inc-1', requestId: null, code: 'incident-told', words })
    await drain(announcer)
    expect(chat.said).toMatchObject([{ incidentId: 'inc-1', requestId: null, code: 'incident-told', kind: 'notice' }])
    expect(chat.said[0]?.text).toBe('Pull request #7 was merged. <!channel>')
  })

  test('what a chat that is down was not told is told when it is back, in order and once', async () => {
    const { outbox, chat, counts, announcer } = setUp()
    await queue(outbox, 'a', 'approval-changed', { incidentId: 'inc-1', requestId: 'r1' })
    await queue(outbox, 'b', 'notice', { incidentId: 'inc-1', requestId: 'r1', code: 'request-pending' })
    chat.down = new Error('503')
    await drain(announcer)
    expect([chat.told, counts]).toEqual([[], ['retried']])
    chat.down = null
    await moveClock(database(), 120)
    await drain(announcer)
    expect(chat.told).toEqual(['approval r1', 'say request-pending'])
  })

  test('waits as long as the chat asks to', async () => {
    const { outbox, chat, announcer } = setUp()
    await queue(outbox, 'a', 'incident-changed', { incidentId: 'inc-1' })
    chat.down = Object.assign(new Error('429'), { retryAfter: 90 })
    await drain(announcer)
    chat.down = null
    await moveClock(database(), 60)
    await drain(announcer)
    expect(chat.told).toEqual([])
    await moveClock(database(), 120)
    await drain(announcer)
    expect(chat.told).toEqual(['incident inc-1'])
  })

  test('gives up after twelve attempts, counts it, and goes on with the next', async () => {
    const { outbox, chat, counts, announcer } = setUp()
    await queue(outbox, 'a', 'incident-changed', { incidentId: 'inc-1' })
    await queue(outbox, 'b', 'approval-changed', { incidentId: 'inc-1', requestId: 'r1' })
    chat.down = new Error('gone')
    for (let attempt = 0; attempt < OUTBOX_ATTEMPTS; attempt += 1) {
      await announcer.runOnce()
      await moveClock(database(), (attempt + 1) * 120)
    }
    expect(counts.at(-1)).toBe('dead')
    chat.down = null
    await drain(announcer)
    expect(chat.told).toEqual(['approval r1'])
    expect((await outbox.deadLetters(5)).map(({ dedupe }) => dedupe)).toEqual(['a'])
  })

  test('one chat that is down keeps no other from being told', async () => {
    const { outbox, chat, deps } = setUp()
    const broken = createChat()
    broken.down = new Error('down')
    await queue(outbox, 'a', 'incident-changed', { incidentId: 'inc-1' })
    await createAnnouncer({ ...deps, surfaces: [broken, chat] }).runOnce()
    expect(chat.told).toEqual(['incident inc-1'])
  })

  test.each([
    ['a topic nobody knows', 'gossip', {}],
    ['a body of another shape', 'notice', { incidentId: 4 }],
    ['a request that is not there', 'notice', { incidentId: 'inc-1', requestId: 'none', code: 'request-pending' }],
    ['a code nobody knows', 'notice', { incidentId: null, requestId: null, code: 'rumour' }],
  ])('%s is given up at once and keeps nothing waiting', async (_, topic, body) => {
    const { outbox, chat, counts, announcer } = setUp()
    await queue(outbox, 'a', topic, body)
    await queue(outbox, 'b', 'incident-changed', { incidentId: 'inc-1' })
    await drain(announcer)
    expect([counts, chat.told]).toEqual([['dead', 'sent'], ['incident inc-1']])
  })

  test('a page is said to everybody and logged', async () => {
    const { outbox, chat, lines, events, announcer } = setUp()
    await queue(outbox, 'p', 'page', { text: 'A notice waits for six minutes.' }, null)
    await drain(announcer)
    const text = 'A notice waits for six minutes.'
    expect(chat.said).toEqual([{ kind: 'page', ref: 'p', incidentId: null, requestId: null, code: 'page', text, audience: 'installation' }])
    expect([lines, events]).toEqual([['somebody has to look'], [{ type: 'mode-changed' }]])
  })

  describe('the loop', () => {
    test('tells as soon as it is woken, and stops', async () => {
      const { outbox, chat, announcer } = setUp()
      announcer.start()
      await queue(outbox, 'a', 'incident-changed', { incidentId: 'inc-1' })
      announcer.wake()
      await expect.poll(() => chat.told, { timeout: 5_000 }).toEqual(['incident inc-1'])
      await announcer.stop()
      await queue(outbox, 'b', 'incident-changed', { incidentId: 'inc-2' }, 'inc-2')
      announcer.wake()
      expect(chat.told).toHaveLength(1)
    })

    test('survives a database that is away', async () => {
      const { outbox, chat, lines, deps } = setUp()
      let away = true
      const claimBatch: AnnouncerDeps['queue']['claimBatch'] = async (options) => {
        if (away) throw new Error('connection refused')
        return await outbox.claimBatch(options)
      }
      const announcer = createAnnouncer({ ...deps, queue: { ...outbox, claimBatch } })
      await queue(outbox, 'a', 'incident-changed', { incidentId: 'inc-1' })
      announcer.start()
      await expect.poll(() => lines.length, { timeout: 5_000 }).toBeGreaterThan(0)
      away = false
      await expect.poll(() => chat.told, { timeout: 5_000 }).toEqual(['incident inc-1'])
      await announcer.stop()
    })
  })
})
