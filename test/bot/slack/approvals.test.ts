import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { describeDatabases } from '../../support/database.ts'
import { waitFor } from '../../support/edge/edge-harness.ts'
import { openScene, wordsOf } from '../../support/edge/slack-edge.ts'

describeDatabases('an approval on Slack', (store) => {
  const database = store.perTest()
  const votes = async (): Promise<string[]> =>
    (
      await sql<{ who: string }>`select principal_id || ' ' || decision || ' ' || surface as who from vote order by at`.execute(
        database().db,
      )
    ).rows.map(({ who }) => who)

  test.each(['HTTP', 'Socket Mode'] as const)('in %s: Bob is refused, Alice approves, and it is carried out once', async (mode) => {
    const { slack, running, channel, alice, bob, message, told, says } = await openScene(database(), { mode })
    await running.askSomething()
    const card = await message('Sev ')
    const asked = await message('Approve?')
    expect(asked.threadTs).toBe(card.ts)
    expect(asked.broadcast).toBe(true)
    expect(asked.text).toMatch(/payments.*Decide until \d\d:\d\d:\d\d UTC/)
    expect(wordsOf(asked)).toContain(alice.id)
    expect(wordsOf(asked)).not.toContain(bob.id)

    await bob.click(asked, 'Approve', { confirm: true })
    await told(bob, /You do not hold the role.*Who may: Alice, Carol/)
    expect(await votes()).toEqual([])

    await alice.click(asked, 'Approve', { confirm: true })
    await told(alice, 'Recorded: you approved')
    await says(asked, 'Verified')
    expect(await votes()).toEqual(['alice approve slack'])
    expect(running.target.ledger).toHaveLength(1)
    expect(JSON.stringify(asked.blocks)).not.toContain('"approve"')
    await waitFor(async () => (slack.posted(channel).some((each) => /^Verified:/.test(each.text) && each !== asked) ? true : null))
    await slack.idle()
    expect(slack.posted(channel).filter(({ text }) => text.startsWith('Sev '))).toHaveLength(1)
    expect(slack.posted(channel).filter(({ text }) => text.startsWith('Approve?'))).toHaveLength(0)
    expect(slack.violations).toEqual([])
  })
})
