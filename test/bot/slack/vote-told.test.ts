import { expect, test } from 'vitest'
import { describeDatabases } from '../../support/database.ts'
import { linked, openScene, type SceneOptions, type SlackScene } from '../../support/edge/slack-edge.ts'
import type { Fault } from '../../support/slack/faults.ts'
import type { Person } from '../../support/slack/person.ts'

const FAST: SceneOptions = { slackPace: { channelMs: 0, quietMs: 0, slowMs: 60_000 } }
const LONG = { timeout: 25_000 }

describeDatabases('whoever voted is told so directly', (store) => {
  const database = store.perTest()
  const direct = ({ slack }: SlackScene, person: Person): string[] => slack.directMessages(person).messages.map(({ text }) => text)

  test('on each account that is theirs, once for each vote, and nobody else is', async () => {
    const scene = await openScene(database(), {
      ...FAST,
      needed: 2,
      cast: (slack, person) => [
        {
          ...linked('alice', 'Alice', 'approver', slack, person('alice')),
          links: ['alice', 'second'].map((name) => ({ surface: 'slack', tenant: slack.teamId, externalId: person(name).id })),
        },
        linked('carol', 'Carol', 'approver', slack, person('carol')),
      ],
    })
    const { running, message, alice, carol, bob, cast, says } = scene
    await running.askSomething(60)
    const asked = await message('Approve?')
    await alice.click(asked, 'Approve', { confirm: true })
    const approved = expect.stringMatching(
      /^You approved “.*” in local, for inc-1, on Slack at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\. If that was not you, say stop here at once/,
    )
    for (const person of [alice, cast('second')]) await expect.poll(() => direct(scene, person), LONG).toEqual([approved])
    await carol.click(asked, 'Deny')
    await expect.poll(() => carol.modal(), LONG).not.toBeNull()
    await carol.submit({ 'Why (everybody sees it)': 'not now' })
    await says(asked, 'Denied')
    await expect
      .poll(() => direct(scene, carol), LONG)
      .toEqual([expect.stringMatching(/^You denied “.*” in local, for inc-1, on Slack at /)])
    expect(direct(scene, alice)).toEqual([approved])
    expect(direct(scene, bob)).toEqual([])
    expect(scene.slack.violations).toEqual([])
  })

  test('also of a vote in the console, with how to end the session that cast it', async () => {
    const scene = await openScene(database(), {
      ...FAST,
      cast: (slack, person) => {
        const alice = linked('alice', 'Alice', 'approver', slack, person('alice'))
        return [{ ...alice, links: [...alice.links, { surface: 'console', tenant: 'local', externalId: 'alice' }] }]
      },
    })
    const { running, alice } = scene
    const requestId = await running.askSomething(60)
    const { digest = '' } = (await running.agent.approval(requestId)) ?? {}
    const account = { surface: 'console', tenant: 'local', externalId: 'alice' } as const
    const cast = { decision: 'approve', confirm: null, reason: null } as const
    await running.agent.vote({ requestId, digest, ...cast, actor: account, place: 'console', deliveryKey: 'console:1' })
    await expect
      .poll(() => direct(scene, alice), LONG)
      .toEqual([expect.stringMatching(/^You approved “.*” in local, for inc-1, in the console at .*: \/sre admin revoke alice$/)])
  })

  test.each<Fault>([
    { kind: 'error', error: 'missing_scope' },
    { kind: 'error', error: 'no_permission' },
    { kind: 'error', error: 'user_not_found' },
    { kind: 'ratelimited', retryAfter: 600 },
  ])('and where direct messages are not taken (%o), everything else is shown all the same', async (fault) => {
    const scene = await openScene(database(), FAST)
    const { slack, running, message, alice, says } = scene
    slack.faults.next('conversations.open', fault, 1_000)
    await running.askSomething(60)
    const asked = await message('Approve?')
    await alice.click(asked, 'Approve', { confirm: true })
    await says(asked, 'Verified')
    await alice.mention(scene.channel, 'help')
    await message('What you can ask for here')
    expect(direct(scene, alice)).toEqual([])
  })

  test('and once they are taken, of what was done before as well', async () => {
    const scene = await openScene(database(), FAST)
    const { slack, running, message, alice } = scene
    slack.faults.next('conversations.open', { kind: 'error', error: 'user_not_found' }, 2)
    await running.askSomething(60)
    await alice.click(await message('Approve?'), 'Approve', { confirm: true })
    await expect.poll(() => direct(scene, alice), LONG).toEqual([expect.stringMatching(/^You approved /)])
  })
})
