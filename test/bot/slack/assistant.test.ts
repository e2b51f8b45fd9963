import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { DATA_KINDS } from '../../../agent/domain/model-data.ts'
import { describeDatabases } from '../../support/database.ts'
import { openScene, type Teams } from '../../support/edge/slack-edge.ts'
import type { SlackServer } from '../../support/slack/server.ts'

const teams: Teams = (channelNamed) => {
  const team = (name: string, services: string[]) => ({
    ...{ name, services, environments: null, data: DATA_KINDS, keys: [] },
    ...{ people: ['alice', 'carol'], channels: [channelNamed(name)] },
  })
  return [team('pay', ['payments']), team('shop', ['storefront'])]
}

describeDatabases('the assistant of Slack', (store) => {
  const database = store.perTest()
  const callsOf = ({ calls }: SlackServer, name: string): Record<string, unknown>[] =>
    calls.filter(({ method }) => method === name).map(({ args }) => args)
  const offered = (slack: SlackServer): string[] =>
    JSON.stringify(callsOf(slack, 'assistant.threads.setSuggestedPrompts').at(-1)?.['prompts'] ?? '').match(/(?<=message\W+)[\w -]+/g) ?? []

  test.each(['HTTP', 'Socket Mode'] as const)('in %s: offers what may be asked, and answers in its thread', async (mode) => {
    const { slack, alice, told } = await openScene(database(), { mode })
    const thread = await alice.openAssistant()
    await expect.poll(() => offered(slack), { timeout: 25_000 }).toEqual(['incidents', 'handover', 'help'])
    await alice.dm('status', thread)
    const answer = await told(alice, 'No open incidents')
    expect(answer).toMatchObject({ threadTs: thread.ts, ephemeralFor: null })
    const at = { channel_id: thread.channel, thread_ts: thread.ts }
    await expect
      .poll(() => callsOf(slack, 'assistant.threads.setStatus'), { timeout: 25_000 })
      .toEqual([{ ...at, status: expect.stringContaining('is looking') }])
    await expect.poll(() => callsOf(slack, 'assistant.threads.setTitle'), { timeout: 25_000 }).toEqual([{ ...at, title: 'status' }])
    expect(slack.violations).toEqual([])
  })

  test('carries out what is said before Slack has taken that it is being looked at', async () => {
    const { slack, running, carol } = await openScene(database())
    const thread = await carol.openAssistant()
    await expect.poll(() => offered(slack), { timeout: 25_000 }).not.toEqual([])
    for (const method of ['setStatus', 'setTitle']) slack.faults.next(`assistant.threads.${method}`, { kind: 'stall' })
    const everybodys = running.agent.seenBy({ kind: 'nobody' }, null)
    const failed = (): number => running.lines.filter(({ message }) => message.includes('around an answer in the assistant')).length
    const failedBefore: number[] = []
    const { stop } = everybodys.control
    everybodys.control.stop = async (...args) => {
      failedBefore.push(failed())
      return await stop(...args)
    }
    await carol.dm('stop', thread)
    // A call that is not answered is given up after ten seconds: whoever waits for it comes after that.
    await expect.poll(() => failedBefore, { timeout: 25_000 }).toEqual([0])
    slack.faults.down()
    slack.faults.release()
  })

  test('offers what is open and what waits, only as far as it is seen by who asks, in the channel that they look at', async () => {
    const { slack, running, rooms, alice, bob } = await openScene(database(), { teams })
    await running.askSomething(60)
    const [pay, shop] = [rooms.get('pay'), rooms.get('shop')]
    if (!pay || !shop) throw new Error('there are no rooms')
    const thread = await alice.openAssistant(pay)
    await expect.poll(() => offered(slack), { timeout: 25_000 }).toEqual(['approvals', 'why inc-1', 'incidents', 'handover'])
    await alice.moveAssistant(thread, shop)
    await expect.poll(() => offered(slack), { timeout: 25_000 }).toEqual(['incidents', 'handover', 'help'])
    await bob.openAssistant(pay)
    await expect.poll(() => callsOf(slack, 'assistant.threads.setSuggestedPrompts').length, { timeout: 25_000 }).toBe(3)
    expect(offered(slack)).toEqual(['incidents', 'handover', 'help'])
    expect(slack.violations).toEqual([])
  })

  test('tells who is linked to nobody how to be, and offers nothing', async () => {
    const { slack, mallory, channel, told } = await openScene(database())
    const thread = await mallory.openAssistant()
    await told(mallory, 'not linked')
    const times = (): number => slack.directMessages(mallory).messages.filter(({ text }) => text.includes('not linked')).length
    await mallory.moveAssistant(thread, channel)
    const left = async (): Promise<number> =>
      (await sql`select from job where kind like 'slack%' and finished_at is null`.execute(database().db)).rows.length
    await expect.poll(left, { timeout: 25_000 }).toBe(0)
    expect(times()).toBe(1)
    await mallory.dm('status', thread)
    await expect.poll(times, { timeout: 25_000 }).toBe(2)
    expect(slack.calls.filter(({ method }) => method.startsWith('assistant.'))).toEqual([])
  })

  test('answers where it may not say that it is looking, and says so to who runs it once', async () => {
    const scopes = [
      'chat:write',
      'im:history',
      'im:write',
      'users:read',
      'channels:read',
      'channels:history',
      'commands',
      'app_mentions:read',
    ]
    const { slack, running, alice, told } = await openScene(database(), { server: { scopes } })
    const thread = await alice.openAssistant()
    for (const question of ['status', 'help']) await alice.dm(question, thread)
    await told(alice, 'No open incidents')
    await told(alice, 'What you can ask for here')
    const said = () => running.lines.filter(({ message }) => message.includes('around an answer in the assistant'))
    await expect.poll(said, { timeout: 25_000 }).toHaveLength(1)
    expect(slack.calls.filter(({ method, outcome }) => method === 'assistant.threads.setTitle' && outcome === 'ok')).toEqual([])
  })
})
