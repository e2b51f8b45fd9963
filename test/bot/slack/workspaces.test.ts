import { expect, test } from 'vitest'
import { DATA_KINDS } from '../../../agent/domain/model-data.ts'
import type { Workspace } from '../../../agent/domain/workspace.ts'
import { pageNotice } from '../../../bot/page-notice.ts'
import { describeDatabases } from '../../support/database.ts'
import { waitFor } from '../../support/edge/edge-harness.ts'
import { openScene, type SlackScene, type Teams, wordsOf } from '../../support/edge/slack-edge.ts'
import type { Conversation, SlackMessage } from '../../support/slack/world.ts'

const SECONDS = 25
/** Each test waits for several answers; on a loaded machine that takes longer. */
const PATIENCE_MS = 120_000

/** Alice and Bob look after payments, Carol after another service; everybody sits in every channel. */
const teams: Teams = (channelNamed) => [
  team('pay', 'payments', ['alice', 'bob'], channelNamed('payroom')),
  team('shop', 'basket', ['carol'], channelNamed('shoproom')),
]

function team(name: string, service: string, people: string[], ...channels: string[]): Workspace {
  return { name, services: [service], environments: null, data: DATA_KINDS, people, keys: [], channels }
}

describeDatabases(
  'workspaces on Slack',
  (store) => {
    const database = store.perTest()

    const roomOf = ({ rooms }: SlackScene, name: string): Conversation => {
      const room = rooms.get(name)
      if (!room) throw new Error(`there is no ${name}`)
      return room
    }
    /** The one message of a channel with these words, once it is there. */
    const saidIn = async ({ slack }: SlackScene, room: Conversation, words: string | RegExp): Promise<SlackMessage> =>
      await waitFor(async () => slack.posted(room).find((each) => wordsOf(each).match(words)) ?? null, SECONDS)

    test('an incident is shown in the channel of its workspace, and decided by its people alone', async () => {
      const scene = await openScene(database(), { teams })
      const { slack, running, channel, alice, carol, told } = scene
      await running.askSomething(60)
      const asked = await saidIn(scene, roomOf(scene, 'payroom'), /Approve\?/)
      expect(wordsOf(asked)).toContain(alice.id)
      expect(wordsOf(asked)).not.toContain(carol.id)
      expect([...slack.posted(channel), ...slack.posted(roomOf(scene, 'shoproom'))]).toEqual([])

      await carol.click(asked, 'Approve', { confirm: true })
      const refused = async (): Promise<true | null> =>
        roomOf(scene, 'payroom').messages.some(
          (each) => each.ephemeralFor === carol.id && wordsOf(each).includes('There is no such approval'),
        )
          ? true
          : null
      await waitFor(refused, SECONDS)
      expect(running.target.ledger).toEqual([])

      await alice.click(asked, 'Approve', { confirm: true })
      await waitFor(async () => (wordsOf(asked).includes('Verified') ? true : null), SECONDS)
      expect(running.target.ledger).toHaveLength(1)
      await alice.dm('incidents all')
      await told(alice, 'payments')
      expect([...slack.posted(channel), ...slack.posted(roomOf(scene, 'shoproom'))]).toEqual([])
      expect(slack.violations).toEqual([])
    })

    test('what is new of an incident from before there were workspaces is told in its own channel alone', async () => {
      const scene = await openScene(database())
      const { slack, running, channel, message, restartIn } = scene
      const id = await running.askSomething(60)
      await message('Approve?')
      const before = slack.posted(channel).length
      const browser = await (await restartIn(channel, { teams })).as('alice')
      const { json } = await browser.get(`/api/v1/approvals/${id}`)
      await browser.post(`/api/v1/approvals/${id}/votes`, { decision: 'deny', digest: json.digest })
      const denied = await saidIn(scene, roomOf(scene, 'payroom'), /^Denied/)
      const card = await saidIn(scene, roomOf(scene, 'payroom'), /^Sev/)
      expect(denied.threadTs).toBe(card.ts)
      expect([slack.posted(channel).length, slack.posted(roomOf(scene, 'shoproom')).length]).toEqual([before, 0])
      expect(slack.violations).toEqual([])
    })

    test('what stood in a channel that takes nothing any more moves to the channel of its workspace, not to that of everybody', async () => {
      const scene = await openScene(database(), { teams })
      const { slack, running, channel, restartIn } = scene
      const id = await running.askSomething(60)
      await saidIn(scene, roomOf(scene, 'payroom'), /Approve\?/)
      const moved: Teams = (channelNamed) => [
        team('pay', 'payments', ['alice', 'bob'], channelNamed('newroom'), channelNamed('payroom')),
        team('shop', 'basket', ['carol'], channelNamed('shoproom')),
      ]
      const archive = (): void => {
        roomOf(scene, 'payroom').archived = true
      }
      const browser = await (await restartIn(channel, { teams: moved, meanwhile: archive })).as('alice')
      const { json } = await browser.get(`/api/v1/approvals/${id}`)
      await browser.post(`/api/v1/approvals/${id}/votes`, { decision: 'deny', digest: json.digest })
      const denied = await saidIn(scene, roomOf(scene, 'newroom'), /^Denied/)
      const card = await saidIn(scene, roomOf(scene, 'newroom'), /^Sev/)
      expect(denied.threadTs).toBe(card.ts)
      expect(slack.posted(channel).filter((each) => /payments|Sev|Denied/.test(wordsOf(each)))).toEqual([])
      expect(slack.posted(roomOf(scene, 'shoproom'))).toEqual([])
    })

    test('a page is told where its incident is, a freeze where what is frozen is, and neither in the channel of another team', async () => {
      const scene = await openScene(database(), { teams })
      const { slack, running, message, restartIn } = scene
      const [payroom, shoproom] = [roomOf(scene, 'payroom'), roomOf(scene, 'shoproom')]
      const page = async (words: string, incidentId: string | null): Promise<void> =>
        void (await running.stores.outbox.enqueue(database().db, pageNotice(words, new Date(), incidentId)))
      await running.askSomething(60)
      await saidIn(scene, payroom, /Approve\?/)
      await page('The disk of the whole is full.', null)
      await message('The disk')
      const { agent } = await restartIn(shoproom)
      await page('The disk of the whole is full again.', null)
      await page('What was said of payments was given up.', 'inc-1')
      const hour = new Date(Date.now() + 3_600_000)
      await agent.control.freeze({
        scope: 'resource:fake/local/service/payments',
        from: null,
        to: hour,
        reason: 'for the test',
        by: 'alice',
      })
      await agent.control.stop('*', 'alice')
      const [paged] = [
        await saidIn(scene, payroom, 'was given up'),
        await saidIn(scene, payroom, /^Frozen/),
        await saidIn(scene, shoproom, /^Stopped/),
      ]
      expect(paged.threadTs).toBe((await saidIn(scene, payroom, /^Sev/)).ts)
      expect(slack.posted(shoproom).map(({ text }) => text)).toEqual([expect.stringMatching(/^Stopped/)])
    })

    test('in another channel it is answered like one that is not there, also to whoever may see it elsewhere', async () => {
      const scene = await openScene(database(), { teams })
      const { running, channel, alice, carol } = scene
      await running.askSomething(60)
      for (const [person, room] of [
        [alice, roomOf(scene, 'shoproom')],
        [carol, roomOf(scene, 'shoproom')],
        [alice, channel],
      ] as const)
        for (const words of ['brief INC', 'incidents', 'approvals', 'logs payments', 'who may approve what waits?']) {
          const answerTo = async (incident: string): Promise<string> => {
            const asked = await person.mention(room, words.replace('INC', incident))
            const answer = await waitFor(async () => room.messages.find(({ threadTs }) => threadTs === asked.ts) ?? null, SECONDS)
            return answer.text
          }
          const said = await answerTo('inc-1')
          expect(said).not.toMatch(/Set payments|HighErrorRatio|Sev /)
          expect(said).toBe(await answerTo('inc-99'))
        }
    })
  },
  PATIENCE_MS,
)
