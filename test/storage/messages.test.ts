import { sql } from 'kysely'
import { beforeEach, expect, test } from 'vitest'
import { createMessageStore, type NewMessage } from '../../storage/messages.ts'
import { describeDatabases } from '../support/database.ts'

const message = (over: Partial<NewMessage> = {}): NewMessage => ({
  incidentId: 'inc-1',
  kind: 'notice',
  ref: 'approved:1',
  text: 'Alice approved.',
  blocks: [{ type: 'section', text: { type: 'plain_text', text: 'Alice approved.' } }],
  ...over,
})

describeDatabases('messages', (store) => {
  const database = store.perTest()
  beforeEach(async () => {
    await sql`insert into incident (id, number, title, service, environment, severity, severity_reason, opened_at)
      values ('inc-1', 1, 'errors', 'payments', 'local', 2, 'rule', clk()), ('inc-2', 2, 'errors', 'checkout', 'local', 2, 'rule', clk())`.execute(
      database().db,
    )
  })

  test('the same notice is said once on a surface, and once more on another', async () => {
    const messages = createMessageStore(database())
    expect(await messages.say('console', message())).toBe(true)
    expect(await messages.say('console', message({ text: 'Again.' }))).toBe(false)
    expect(await messages.say('slack', message())).toBe(true)
    expect((await messages.thread('console', 'inc-1', 10)).map(({ text }) => text)).toEqual(['Alice approved.'])
  })

  test('twenty at once still say it once', async () => {
    const messages = createMessageStore(database())
    const said = await Promise.all(Array.from({ length: 20 }, () => messages.say('console', message())))
    expect(said.filter(Boolean)).toHaveLength(1)
  })

  test('a thread is its incident only, oldest first, the newest when there are more than asked for', async () => {
    const messages = createMessageStore(database())
    for (const ref of ['a', 'b', 'c']) await messages.say('console', message({ ref, text: ref }))
    await messages.say('console', message({ ref: 'd', incidentId: 'inc-2' }))
    await messages.say('console', message({ ref: 'e', incidentId: null, kind: 'page', blocks: [] }))
    expect((await messages.thread('console', 'inc-1', 2)).map(({ text }) => text)).toEqual(['b', 'c'])
    expect(await messages.general('console', 5)).toMatchObject([{ ref: 'e', kind: 'page', incidentId: null, blocks: [] }])
    expect((await messages.thread('console', 'inc-1', 10))[0]?.blocks).toEqual(message().blocks)
  })
})
