import { expect, test } from 'vitest'
import { describeDatabases } from '../../support/database.ts'
import { anAlert, waitFor } from '../../support/edge/edge-harness.ts'
import { openScene, wordsOf } from '../../support/edge/slack-edge.ts'
import { usableElements } from '../../support/slack/elements.ts'

/** Long enough to be shown first, also on a loaded machine; a card that is shown late is shown as it is by then. */
const TTL_SECONDS = 5
const FAST = { slackPace: { channelMs: 0, quietMs: 0, slowMs: 60_000 } }

describeDatabases('a request that came to nothing, on Slack', (store) => {
  const database = store.perTest()

  test('loses its buttons but one, and whoever may has it asked anew, on a card of its own', async () => {
    const scene = await openScene(database(), { ...FAST, ttlSeconds: TTL_SECONDS })
    const { slack, running, channel, alice, bob, mallory, message, told } = scene
    await running.client().post('/webhooks/alertmanager', anAlert())
    const expired = await message(/^Expired/)
    const labels = (): string[] => usableElements(expired.blocks).map(({ label }) => label)
    await expect.poll(labels, { timeout: 25_000 }).toEqual(['Check again'])

    const asked = async (): Promise<number> => (await running.stores.approvals.approvals({ limit: 10 })).items.length
    await bob.click(expired, 'Check again')
    await told(bob, 'You do not hold the role')
    await mallory.click(expired, 'Check again')
    await told(mallory, 'not linked')
    expect(await asked()).toBe(1)

    await alice.click(expired, 'Check again')
    await told(alice, 'Looked again')
    await expect.poll(asked, { timeout: 25_000 }).toBe(2)
    const anew = await waitFor(async () => {
      const found = slack.posted(channel).find((each) => each !== expired && /^(Approve\?|Expired)/.test(wordsOf(each)))
      return found ?? null
    }, 25)
    expect(anew.threadTs).toBe(expired.threadTs)
    expect(running.target.ledger).toEqual([])
    expect(slack.violations).toEqual([])
  }, 120_000)
})
