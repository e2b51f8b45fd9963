import { expect, test } from 'vitest'
import { DATA_KINDS } from '../../../agent/domain/model-data.ts'
import { describeDatabases } from '../../support/database.ts'
import { waitFor } from '../../support/edge/edge-harness.ts'
import { openScene, type SlackScene, type Teams, wordsOf } from '../../support/edge/slack-edge.ts'
import { usableElements } from '../../support/slack/elements.ts'
import { blockActions } from '../../support/slack/payloads.ts'
import type { Person } from '../../support/slack/person.ts'
import type { SlackMessage } from '../../support/slack/world.ts'

/** Nothing waits for its turn, and no answer is announced. */
const FAST = { slackPace: { channelMs: 0, quietMs: 0, slowMs: 60_000 } }
const LONG = { timeout: 25_000 }
/** Each test waits for several answers; on a loaded machine that takes longer. */
const PATIENCE_MS = 120_000
const RIGHT = 'The diagnosis is right'
const WRONG = 'The diagnosis is wrong'

const teams: Teams = (channelNamed) => [
  {
    ...{ name: 'pay', services: ['payments'], environments: null, data: DATA_KINDS, keys: [] },
    ...{ people: ['carol'], channels: [channelNamed('pay')] },
  },
]

/** What is said of inc-1: of each person the last word. */
const said = async ({ running }: SlackScene) =>
  (await running.stores.incidents.feedback('inc-1'))
    .map(({ person, verdict, class: cause, component, words }) =>
      [person.id, verdict, cause, component, words].filter((each) => each !== null).join(' '),
    )
    .toSorted()
const bars = ({ blocks }: SlackMessage): number => blocks.filter(({ type }) => type === 'context_actions').length

/** An answer below the card that tells of its diagnosis. */
async function whyOf(scene: SlackScene, by: Person): Promise<SlackMessage> {
  const card = await scene.message('Sev ')
  const question = await by.mention(scene.channel, 'why', card)
  const isAnswer = ({ threadTs, ts, metadata }: SlackMessage): boolean =>
    threadTs === card.ts && ts > question.ts && JSON.stringify(metadata).includes('"answer:')
  return await waitFor(async () => scene.slack.posted(scene.channel).find(isAnswer) ?? null, 25)
}

/** A press of the bar, changed on its way by somebody who can sign. */
function pressed({ slack, channel, alice }: SlackScene, on: SlackMessage, from: SlackMessage, change: (value: string) => string) {
  const used = usableElements(from.blocks).find(({ label }) => label === RIGHT)?.used
  if (used === undefined) throw new Error('there is no bar')
  const place = { message: on, channel, responseUrl: `${slack.apiUrl}none` }
  const changed = { ...used, value: change(String(used['value'])) }
  return slack.interaction(blockActions(slack.world, { user: alice.user, used: changed, triggerId: '1.1', on: place }))
}

describeDatabases(
  'whether a diagnosis was right, said on Slack',
  (store) => {
    const database = store.perTest()

    test('is one press below whatever tells of it, acknowledged at once and answered to that person alone', async () => {
      const scene = await openScene(database(), FAST)
      const { slack, running, alice, carol, told, message, channel } = scene
      await running.askSomething(60)
      const answer = await whyOf(scene, alice)
      expect(bars(answer)).toBe(1)
      expect(await alice.click(answer, RIGHT)).toMatchObject({ status: 200, tries: 1 })
      const noted = await told(alice, 'Noted for')
      expect(noted.ephemeralFor).toBe(alice.id)
      expect(await said(scene)).toEqual(['alice right'])

      await carol.click(answer, WRONG)
      await expect.poll(() => carol.modal(), LONG).not.toBeNull()
      await expect.poll(async () => await said(scene), LONG).toEqual(['alice right', 'carol wrong'])
      await carol.submit({ Cause: 'a memory leak', 'Of which component': 'checkout <!channel>', 'In your words': 'the heap' })
      await expect.poll(async () => await said(scene), LONG).toEqual(['alice right', 'carol wrong memory_leak checkout the heap'])

      // The menu of the card asks the same; that it is wrong once more takes nothing away of what it was.
      await carol.click(await message('Sev '), WRONG)
      await expect.poll(() => carol.modal(), LONG).not.toBeNull()
      await carol.submit({})
      await told(carol, 'Nothing was added')
      expect(await said(scene)).toEqual(['alice right', 'carol wrong memory_leak checkout the heap'])

      await alice.command('/sre', 'resolve inc-1 it was me', channel)
      const ended = await waitFor(async () => slack.posted(channel).find((each) => bars(each) === 1 && each.broadcast) ?? null, 25)
      await alice.click(ended, WRONG)
      await expect.poll(async () => await said(scene), LONG).toEqual(['alice wrong', 'carol wrong memory_leak checkout the heap'])
      expect(slack.violations).toEqual([])
    })

    test('counts from nobody who may not say it', async () => {
      const scene = await openScene(database(), FAST)
      const { slack, running, alice, bob, carol, mallory, told, channel } = scene
      await running.askSomething(60)
      const answer = await whyOf(scene, alice)
      carol.user.role = 'guest'
      const eve = slack.person('eve', 'stranger')
      channel.members.add(eve.id)
      for (const [person, words] of [
        [bob, 'It takes the role responder'],
        [mallory, 'not linked'],
        [carol, 'Guests of this workspace'],
        [eve, 'Only members of this workspace'],
      ] as const) {
        await person.click(answer, WRONG)
        await told(person, words)
        expect(person.modal()).toBeNull()
      }
      expect(await said(scene)).toEqual([])
    })

    test('counts on the message it stands on alone, about the incident it was made for', async () => {
      const scene = await openScene(database(), FAST)
      const { running, alice, bob, told } = scene
      await running.askSomething(60)
      const [first, second] = [await whyOf(scene, alice), await whyOf(scene, bob)]
      const card = await scene.message('Sev ')
      const refusals = (): number => scene.channel.messages.filter(({ ephemeralFor }) => ephemeralFor === alice.id).length
      const attempts: [SlackMessage, (value: string) => string][] = [
        [second, (value) => value],
        [card, (value) => value],
        [first, (value) => value.replace(/^\S+/, 'x'.repeat(24))],
        [first, (value) => value.replace('inc-1', 'inc-2')],
      ]
      for (const [index, [on, change]] of attempts.entries()) {
        expect((await pressed(scene, on, first, change)).status).toBe(200)
        await expect.poll(refusals, LONG).toBe(index + 1)
      }
      await pressed(scene, first, first, () => 'x'.repeat(1_000))
      expect(await said(scene)).toEqual([])
      await alice.click(first, RIGHT)
      await told(alice, 'Noted for')
      expect(await said(scene)).toEqual(['alice right'])
    })

    test('is asked of nobody about what they do not see, and counts from nobody who does not', async () => {
      const scene = await openScene(database(), { ...FAST, teams })
      const { slack, running, rooms, alice, carol } = scene
      const room = rooms.get('pay')
      if (!room) throw new Error('there is no room')
      await running.askSomething(60)
      const inRoom = (words: string): Promise<SlackMessage> =>
        waitFor(async () => slack.posted(room).find((each) => wordsOf(each).includes(words)) ?? null, 25)
      await carol.mention(room, 'why', await inRoom('Sev '))
      const answer = await inRoom('context_actions')
      await alice.click(answer, WRONG)
      await expect.poll(() => room.messages.some(({ ephemeralFor }) => ephemeralFor === alice.id), LONG).toBe(true)
      expect(await said(scene)).toEqual([])
      await carol.click(answer, RIGHT)
      await expect.poll(async () => await said(scene), LONG).toEqual(['carol right'])
    })

    test('stands below nothing where Slack does not know the sign, and the words are there', async () => {
      const scene = await openScene(database(), FAST)
      await scene.running.askSomething(60)
      await scene.message('Approve?')
      scene.slack.faults.next('chat.postMessage', { kind: 'error', error: 'invalid_blocks' })
      const answer = await whyOf(scene, scene.alice)
      expect(bars(answer)).toBe(0)
      expect(scene.slack.violations).toEqual([])
    })
  },
  PATIENCE_MS,
)
