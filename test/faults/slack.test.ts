import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { describeDatabases } from '../support/database.ts'
import { waitFor } from '../support/edge/edge-harness.ts'
import { openScene } from '../support/edge/slack-edge.ts'
import { faultOptions } from '../support/fault-options.ts'
import { usableElements } from '../support/slack/elements.ts'
import { blockActions } from '../support/slack/payloads.ts'
import { forgeryKinds } from './slack/forgeries.ts'
import { sendForgeries } from './slack/send-forgeries.ts'

const { interactions, seed } = faultOptions()
/** Far more than one takes on a busy machine. */
const EACH_MS = 100
/** So that none is refused merely for coming late. */
const TTL_SECONDS = 6 * 3_600

describeDatabases('interactions that must not count', (store) => {
  const database = store.perTest()
  const count = async (query: ReturnType<typeof sql<{ n: number }>>): Promise<number> =>
    Number((await query.execute(database().db)).rows[0]?.n)
  const votes = () => count(sql`select count(*) as n from vote`)
  const waiting = () => count(sql`select count(*) as n from inbox where source = 'slack' and state = 'received'`)
  const drained = async (seconds: number): Promise<void> =>
    void (await waitFor(async () => ((await waiting()) === 0 ? true : null), seconds))

  test('none of them is a vote, and the one that may be is', { timeout: 180_000 + interactions * EACH_MS }, async () => {
    const { slack, running, channel, alice, bob, carol, mallory, message, says } = await openScene(database(), { ttlSeconds: TTL_SECONDS })
    carol.user.role = 'deactivated'
    await running.askSomething()
    const card = await message('Approve?')
    const approve = usableElements(card.blocks).find(({ label }) => label === 'Approve')
    if (approve === undefined) throw new Error('there is nothing to approve')
    const on = { message: card, channel, responseUrl: `${slack.apiUrl}none` }
    const click = blockActions(slack.world, { user: alice.user, used: approve.used, triggerId: '1.1', on })
    const others = { viewer: bob.id, unlinked: mallory.id, deactivated: carol.id, otherChannel: slack.channel('elsewhere', [alice]).id }

    const kinds = forgeryKinds(slack, { click, ...others })
    const report = await sendForgeries({ slack, click, kinds, count: interactions, seed })
    await drained(60 + (report.signed * EACH_MS) / 1_000)
    const counted = await votes()
    // biome-ignore lint/suspicious/noConsole: the figures are what this lane is run for
    console.log(inOneLine(report, counted))
    expect(counted).toBe(0)
    expect([...report.taken]).toEqual([])
    expect(running.target.ledger).toEqual([])

    // The press that all of them imitate does count, once, however often its bytes come again.
    const request = slack.encode('interaction', click)
    const timestamp = Math.floor(slack.world.now().getTime() / 1_000)
    for (const _ of [1, 2, 3]) expect((await slack.forge({ ...request, timestamp })).status).toBe(200)
    await says(card, 'Verified')
    await drained(60)
    expect(await votes()).toBe(1)
    expect(running.target.ledger).toHaveLength(1)
    // The server objects where the product does: to what is no view, no channel, no user of its own making.
    expect(slack.violations).toEqual([])
  })
})

function inOneLine({ sent, signed, taken, seconds }: Awaited<ReturnType<typeof sendForgeries>>, counted: number): string {
  const total = [...sent.values()].reduce((sum, each) => sum + each, 0)
  const bound = counted === 0 ? `, at most ${(300 / total).toFixed(4)} % at 95 %` : ''
  const kinds = [...sent].sort(([a], [b]) => a.localeCompare(b)).map(([name, each]) => `${name} ${each}`)
  const head = `${total} interactions, seed ${seed}, ${signed} validly signed, ${counted} votes${bound}, ${taken.size} kinds taken without a signature`
  return `${head}; ${(total / seconds).toFixed(0)}/s\n  ${kinds.join(', ')}`
}
