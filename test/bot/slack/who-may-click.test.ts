import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { describeDatabases } from '../../support/database.ts'
import { linked, openScene, type SceneOptions, type SlackScene } from '../../support/edge/slack-edge.ts'
import { usableElements } from '../../support/slack/elements.ts'
import type { Json } from '../../support/slack/json.ts'
import { blockActions } from '../../support/slack/payloads.ts'
import type { Person } from '../../support/slack/person.ts'
import type { SlackMessage } from '../../support/slack/world.ts'

const FAST: SceneOptions = { slackPace: { channelMs: 0, quietMs: 0, slowMs: 60_000 } }
const LONG = { timeout: 25_000 }
/** Each test waits for several answers; on a loaded machine that takes longer. */
const PATIENCE_MS = 120_000

describeDatabases(
  'a click that Slack signed counts for whoever may',
  (store) => {
    const database = store.perTest()
    const votes = async (): Promise<string[]> => {
      const { rows } = await sql<{ who: string }>`select principal_id || ' ' || decision as who from vote order by at`.execute(
        database().db,
      )
      return rows.map(({ who }) => who)
    }
    const waiting = async (): Promise<number> =>
      (await sql`select from inbox where source = 'slack' and state = 'received'`.execute(database().db)).rows.length
    const openWith = async (options: SceneOptions = {}): Promise<SlackScene & { asked: SlackMessage }> => {
      const scene = await openScene(database(), { ...FAST, ...options })
      await scene.running.askSomething(60)
      return { ...scene, asked: await scene.message('Approve?') }
    }
    /** A press of Approve, changed on its way as only Slack could. */
    const press = async ({ slack, channel }: SlackScene, on: SlackMessage, by: Person, change: (click: Json) => Json): Promise<void> => {
      const used = usableElements(on.blocks).find(({ label }) => label === 'Approve')?.used
      if (used === undefined) throw new Error('there is nothing to approve')
      const place = { message: on, channel, responseUrl: `${slack.apiUrl}none` }
      const click = blockActions(slack.world, { user: by.user, used, triggerId: '1.1', on: place })
      expect((await slack.interaction(change(click))).status).toBe(200)
    }
    const refusalsOf = ({ channel }: SlackScene, { id }: Pick<Person, 'id'>): number =>
      channel.messages.filter(({ ephemeralFor }) => ephemeralFor === id).length

    test('and of nobody else, whatever of a card is pressed', async () => {
      const scene = await openWith({
        needed: 2,
        cast: (slack, person) => [
          linked('vera', 'Vera', 'viewer', slack, person('vera')),
          linked('rex', 'Rex', 'responder', slack, person('rex')),
          { ...linked('otto', 'Otto', 'approver', slack, person('otto')), environments: ['elsewhere'] },
          linked('alice', 'Alice', 'approver', slack, person('alice')),
          linked('carol', 'Carol', 'approver', slack, person('carol')),
        ],
      })
      const { asked, told, message, running, alice, mallory, cast } = scene
      const card = await message('Sev ')
      const [vera, rex, otto] = [cast('vera'), cast('rex'), cast('otto')]
      for (const [person, words] of [
        [vera, 'You do not hold the role'],
        [rex, 'You do not hold the role'],
        [otto, 'You do not hold the role'],
        [mallory, 'not linked'],
      ] as const) {
        await person.click(asked, 'Approve', { confirm: true })
        await told(person, words)
        const before = refusalsOf(scene, person)
        await person.click(asked, 'Deny')
        // Who is linked to nobody is asked nothing.
        if (person !== mallory) {
          await expect.poll(() => person.modal(), LONG).not.toBeNull()
          await person.submit({ 'Why (everybody sees it)': 'no' })
        }
        await expect.poll(() => refusalsOf(scene, person), LONG).toBe(before + 1)
      }
      for (const person of [vera, mallory]) {
        const before = refusalsOf(scene, person)
        await person.click(card, 'Take')
        await expect.poll(() => refusalsOf(scene, person), LONG).toBe(before + 1)
      }
      expect(await votes()).toEqual([])
      expect((await running.agent.incident('inc-1'))?.handling.taken).toBeNull()

      await alice.click(asked, 'Approve', { confirm: true })
      await told(alice, '1 of 2 approved so far')
      expect(await votes()).toEqual(['alice approve'])
    })

    test('and of nobody at all once nobody holds a role', async () => {
      const { asked, alice, carol, told, running } = await openWith()
      await sql`update role_grant set revoked_at = clk()`.execute(database().db)
      for (const person of [alice, carol]) {
        await person.click(asked, 'Approve', { confirm: true })
        await told(person, 'You do not hold the role')
      }
      expect(await votes()).toEqual([])
      expect(running.target.ledger).toEqual([])
    })

    test('as this account of this workspace, and not as the same one of another', async () => {
      const elsewhere = 'T0ELSEWHERE'
      const scene = await openWith({
        needed: 2,
        cast: (slack, person) => [
          linked('alice', 'Alice', 'approver', slack, person('alice')),
          linked('carol', 'Carol', 'approver', slack, person('carol')),
          // The id of Bob's account here is that of an approver's there.
          {
            ...linked('dora', 'Dora', 'approver', slack, person('bob')),
            links: [{ surface: 'slack', tenant: elsewhere, externalId: person('bob').id }],
          },
        ],
      })
      const { asked, bob, alice, told } = scene
      await bob.click(asked, 'Approve', { confirm: true })
      await told(bob, 'not linked')
      for (const person of [bob, alice]) {
        const before = refusalsOf(scene, person)
        await press(scene, asked, person, (click) => ({
          ...click,
          user: { id: person.id, team_id: elsewhere },
          team: { id: elsewhere, domain: 'elsewhere' },
        }))
        await expect.poll(() => refusalsOf(scene, person), LONG).toBe(before + 1)
      }
      await told(alice, 'your account is of another one')
      expect(await votes()).toEqual([])
    })

    test('whatever somebody calls themselves', async () => {
      const { asked, alice, bob, mallory, told } = await openWith()
      for (const { user } of [bob, mallory])
        Object.assign(user, { name: alice.user.name, realName: alice.user.realName, email: alice.user.email })
      await bob.click(asked, 'Approve', { confirm: true })
      await told(bob, 'You do not hold the role')
      await mallory.click(asked, 'Approve', { confirm: true })
      await told(mallory, 'not linked')
      expect(await votes()).toEqual([])
    })

    test('of somebody else than asked for it', async () => {
      const scene = await openScene(database(), FAST)
      const { alice, carol, channel, message, told, says, running } = scene
      await alice.mention(channel, 'do fake.set-version payments version=v1')
      const asked = await message('Approve?')
      await alice.click(asked, 'Approve', { confirm: true })
      await told(alice, /somebody else has to approve it.*Who may: Carol/)
      expect(await votes()).toEqual([])
      await carol.click(asked, 'Approve', { confirm: true })
      await says(asked, 'Verified')
      expect([await votes(), running.target.ledger.length]).toEqual([['carol approve'], 1])
    })

    test('once, with however many accounts', async () => {
      const { asked, alice, carol, told, running, cast } = await openWith({
        needed: 2,
        cast: (slack, person) => {
          const account = (name: string) => ({ surface: 'slack', tenant: slack.teamId, externalId: person(name).id }) as const
          return [
            { ...linked('alice', 'Alice', 'approver', slack, person('alice')), links: [account('alice'), account('second')] },
            linked('carol', 'Carol', 'approver', slack, person('carol')),
          ]
        },
      })
      await alice.click(asked, 'Approve', { confirm: true })
      await told(alice, '1 of 2 approved so far')
      await cast('second').click(asked, 'Approve', { confirm: true })
      await told(cast('second'), /You approved this at \d\d:\d\d UTC/)
      expect(await votes()).toEqual(['alice approve'])
      expect(running.target.ledger).toEqual([])
      await carol.click(asked, 'Approve', { confirm: true })
      await told(carol, 'It runs now, once')
    })

    test('and not of a program, Steadyhand itself included', async () => {
      const scene = await openWith({
        cast: (slack, person) => [
          linked('alice', 'Alice', 'approver', slack, person('alice')),
          // A slip of whoever wrote the settings: the account of the bot, as if it were a person's.
          linked('carol', 'Carol', 'approver', slack, { id: slack.botUser }),
        ],
      })
      const { slack, asked, alice, channel, running } = scene
      const own = { id: slack.botUser }
      await press(scene, asked, alice, (click) => ({ ...click, user: { ...own, team_id: slack.teamId } }))
      await expect.poll(() => refusalsOf(scene, own), LONG).toBe(1)
      expect(channel.messages.find(({ ephemeralFor }) => ephemeralFor === own.id)?.text).toContain('Only people may do this')
      // What a bot writes is no command, and there is none for a vote.
      const bot = slack.person('helper', 'bot')
      for (const words of ['approve', 'yes', `approve ${asked.ts}`])
        await slack.post(channel, { by: bot, text: `<@${slack.botUser}> ${words}` })
      await alice.mention(channel, 'approve it', asked)
      const isAnswer = ({ metadata }: SlackMessage): boolean => JSON.stringify(metadata).includes('"answer:')
      await expect.poll(() => slack.posted(channel).filter(isAnswer).length, LONG).toBe(1)
      await expect.poll(waiting, LONG).toBe(0)
      expect(await votes()).toEqual([])
      expect(running.target.ledger).toEqual([])
    })

    test('with an account that was stolen as well: what has to be typed takes two, is told where it stays, and is void without the account', async () => {
      const scene = await openWith({
        needed: 2,
        typed: true,
        cast: (slack, person) => [
          linked('alice', 'Alice', 'approver', slack, person('alice')),
          linked('carol', 'Carol', 'approver', slack, person('carol')),
          linked('max', 'Max', 'admin', slack, person('max')),
        ],
      })
      const { slack, asked, alice, carol, told, running, channel, cast } = scene
      const confirm = (await running.agent.approvals({ state: 'pending', limit: 1 })).items[0]?.plan.approval.confirm
      const typed = async (person: Person): Promise<void> => {
        await person.click(asked, 'Approve')
        await expect.poll(() => person.modal(), LONG).not.toBeNull()
        await person.submit({ Confirmation: confirm ?? '' })
      }
      await typed(alice)
      const toOwner = (): string[] => slack.directMessages(alice).messages.map(({ text }) => text)
      await expect
        .poll(toOwner, LONG)
        .toEqual([
          expect.stringMatching(/^You approved “.*” in local, for inc-1, on Slack at .*If that was not you, say stop here at once/),
        ])
      const unlink = `admin unlink slack ${slack.teamId} ${alice.id}`
      expect(toOwner()[0]).toContain(unlink)

      await cast('max').command('/sre', unlink, channel)
      const standing = async () => (await running.agent.approvals({ state: 'pending', limit: 1 })).items[0]?.votes
      await expect.poll(standing, LONG).toEqual([])
      await typed(carol)
      await told(carol, '1 of 2 approved so far')
      await alice.click(asked, 'Approve')
      await told(alice, 'not linked')
      expect(running.target.ledger).toEqual([])
    })
  },
  PATIENCE_MS,
)
