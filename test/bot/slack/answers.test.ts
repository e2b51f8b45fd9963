import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { describeDatabases } from '../../support/database.ts'
import type { RunningEdge } from '../../support/edge/edge-harness.ts'
import { openScene, wordsOf } from '../../support/edge/slack-edge.ts'

/** Every answer is slow at once. */
const SLOW = { slackPace: { channelMs: 0, quietMs: 0, slowMs: 0 } }

/** What `status` is made of comes only once this says so, each time it is asked. */
function holdUp({ agent }: RunningEdge, until: () => Promise<void>): void {
  // Without workspaces everybody is answered by this one.
  const everybodys = agent.seenBy({ kind: 'nobody' }, null)
  const read = everybodys.mode
  everybodys.mode = async () => {
    await until()
    return await read()
  }
}

describeDatabases('answers that take long', (store) => {
  const database = store.perTest()

  test('are announced, and take the place of the announcement, once, also when the work is done again', async () => {
    const { slack, running, bob, channel, message, says } = await openScene(database(), SLOW)
    const gate = Promise.withResolvers<void>()
    let asked = 0
    holdUp(running, async () => {
      asked += 1
      await gate.promise
      if (asked === 1) throw new Error('the first attempt ends like a process that dies')
    })
    const question = await bob.mention(channel, 'status')
    const announced = await message('Looking at what is stored')
    expect(announced.threadTs).toBe(question.ts)
    gate.resolve()
    await says(announced, 'No open incidents')
    expect(wordsOf(announced)).not.toContain('Looking')
    expect(asked).toBe(2)
    expect(slack.posted(channel)).toEqual([announced])
    expect(slack.violations).toEqual([])
  })

  test('are not left announced when they are given up', async () => {
    const { slack, running, bob, channel, message, says, told } = await openScene(database(), SLOW)
    const gate = Promise.withResolvers<void>()
    holdUp(running, async () => {
      await gate.promise
      await sql`update job set max_attempts = 1 where kind = 'slack' and finished_at is null`.execute(database().db)
      throw new Error('it never works')
    })
    await bob.mention(channel, 'status')
    const announced = await message('Looking at what is stored')
    gate.resolve()
    await says(announced, 'This was not answered')
    await told(bob, 'Something went wrong here')
    expect(slack.posted(channel).filter(({ threadTs }) => threadTs !== null)).toEqual([announced])
    expect(slack.violations).toEqual([])
  })

  test.each([
    ['given up', sql`update job set max_attempts = 1 where kind like 'slack%' and finished_at is null`, 'Something went wrong here'],
    ['too late', sql`update inbox set received_at = received_at - interval '1 hour' where state = 'received'`, 'came too late'],
  ])('to a form are not left announced when it is %s', async (_how, happens, words) => {
    const { slack, running, alice, message, says, told } = await openScene(database(), SLOW)
    await running.askSomething(60)
    await alice.click(await message('Approve?'), 'Ask')
    await expect.poll(() => alice.modal(), { timeout: 25_000 }).not.toBeNull()
    const gate = Promise.withResolvers<void>()
    holdUp(running, async () => {
      await gate.promise
      await happens.execute(database().db)
      throw new Error('the process ends here')
    })
    await alice.submit({ Question: 'is anything stopped?' })
    const announced = await message('Looking at what is stored')
    gate.resolve()
    await says(announced, 'This was not answered')
    await told(alice, words)
    expect(slack.violations).toEqual([])
  })
})
