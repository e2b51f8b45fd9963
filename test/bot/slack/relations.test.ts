import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { pageNotice } from '../../../bot/page-notice.ts'
import { describeDatabases } from '../../support/database.ts'
import { anAlert } from '../../support/edge/edge-harness.ts'
import { openScene, type SlackScene, wordsOf } from '../../support/edge/slack-edge.ts'
import type { SlackMessage } from '../../support/slack/world.ts'

const AGAIN = anAlert('2026-03-01T11:42:00Z')
const ELSEWHERE = JSON.parse(JSON.stringify(anAlert()).replace('c0ffee', 'beef').replace('"payments"', '"elsewhere"'))

describeDatabases('incidents that belong together, on Slack', (store) => {
  const database = store.perTest()
  const cards = ({ slack, channel }: SlackScene): SlackMessage[] => slack.posted(channel).filter(({ text }) => /^Sev \d, /.test(text))
  const send = async ({ running }: SlackScene, alert: unknown): Promise<void> => {
    expect((await running.client().post('/webhooks/alertmanager', alert)).status).toBe(202)
  }
  const allIsShown = async (): Promise<void> => {
    const left = async (): Promise<number> =>
      (await sql`select from posting where wanted > shown and dead_at is null`.execute(database().db)).rows.length
    await expect.poll(left, { timeout: 25_000 }).toBe(0)
  }
  /** The card of the incident that is over, and the one that came after it. */
  const comeBack = async (scene: SlackScene, meanwhile = (): void => {}): Promise<{ first: SlackMessage; second: SlackMessage }> => {
    const first = await scene.message('Sev ')
    const alice = await scene.running.as('alice')
    expect((await alice.post('/api/v1/incidents/inc-1/resolve', { reason: 'done' })).status).toBe(200)
    await scene.says(first, 'Resolved')
    await allIsShown()
    meanwhile()
    await send(scene, AGAIN)
    await expect.poll(() => cards(scene).length, { timeout: 25_000 }).toBe(2)
    const second = cards(scene).find((card) => card !== first)
    if (second === undefined) throw new Error('nothing came back')
    return { first, second }
  }

  test('what comes back is a reply to what it was before, once each time, and the thread is about it from then on', async () => {
    const scene = await openScene(database())
    const { slack, running, alice, channel, says, message } = scene
    await running.askSomething(60)
    const { first, second } = await comeBack(scene)
    expect(second).toMatchObject({ threadTs: first.ts, broadcast: true })
    await says(second, '2nd time since')
    await says(second, 'inc-1')
    await says(first, 'It came back')
    await says(first, 'inc-2')
    const asked = await message('Approve?')
    expect(asked.threadTs).toBe(first.ts)
    await alice.mention(channel, 'snooze 1h', first)
    await says(second, 'Snoozed')
    const browser = await running.as('alice')
    expect((await browser.post('/api/v1/incidents/inc-2/resolve', { reason: 'done' })).status).toBe(200)
    await says(second, 'Resolved')
    await allIsShown()
    slack.faults.next('chat.postMessage', { kind: 'lost' })
    await send(scene, anAlert('2026-03-01T12:42:00Z'))
    await expect.poll(() => cards(scene).length, { timeout: 25_000 }).toBe(3)
    const third = cards(scene).find((card) => card !== first && card !== second)
    expect(third).toMatchObject({ threadTs: first.ts, broadcast: true })
    await expect.poll(() => third && wordsOf(third), { timeout: 25_000 }).toContain('3rd time since')
    await allIsShown()
    expect(cards(scene)).toHaveLength(3)
    expect(slack.violations).toEqual([])
  })

  test('what comes back stands by itself where the thread is gone', async () => {
    const scene = await openScene(database())
    const { slack, running } = scene
    await running.askSomething(60)
    const { second } = await comeBack(scene, () => slack.faults.next('chat.postMessage', { kind: 'error', error: 'thread_not_found' }))
    expect(second).toMatchObject({ threadTs: null })
    await allIsShown()
    expect(cards(scene)).toHaveLength(2)
  })

  test('a request and a page of what came back stand in the channel where the thread is gone', async () => {
    const scene = await openScene(database())
    const { slack, running, channel } = scene
    const { postings, outbox } = running.stores
    await running.askSomething(60)
    const { first } = await comeBack(scene)
    const request = async () => (await running.stores.approvals.approvals({ incidentId: 'inc-2', limit: 1 })).items[0]
    await expect.poll(request, { timeout: 25_000 }).toBeDefined()
    const { id: requestId = '' } = (await request()) ?? {}
    const shown = async () => (await postings.find('slack', 'approval', requestId))?.message ?? null
    await expect.poll(shown, { timeout: 25_000 }).not.toBeNull()
    await allIsShown()
    const alone = (words: string) => slack.posted(channel).filter((each) => each.threadTs === null && wordsOf(each).includes(words))

    channel.messages.splice(channel.messages.indexOf(first), 1)
    const asked = await postings.find('slack', 'approval', requestId)
    await postings.move(asked?.id ?? 0, channel.id)
    await expect.poll(() => alone('Approve?').length, { timeout: 25_000 }).toBe(1)

    // The process that posted it in the channel never learnt so.
    slack.faults.next('chat.postMessage', { kind: 'error', error: 'thread_not_found' })
    slack.faults.next('chat.postMessage', { kind: 'lost' })
    await outbox.enqueue(database().db, pageNotice('Somebody has to look', new Date(), 'inc-2'))
    await expect.poll(() => alone('Somebody has to look').length, { timeout: 25_000 }).toBe(1)
    await allIsShown()
    expect(alone('Somebody has to look')).toHaveLength(1)
    const buried = await sql`select from posting where dead_at is not null`.execute(database().db)
    expect(buried.rows).toEqual([])
    expect(slack.violations).toEqual([])
  })

  test('what became a part of another folds to the way there, and its thread is about the whole', async () => {
    const scene = await openScene(database())
    const { slack, running, alice, channel, says } = scene
    await running.askSomething(60)
    const whole = await scene.message('Sev ')
    await send(scene, ELSEWHERE)
    await expect.poll(() => cards(scene).length, { timeout: 25_000 }).toBe(2)
    const part = cards(scene).find((card) => card !== whole) as SlackMessage
    expect(part.threadTs).toBeNull()
    const browser = await running.as('alice')
    expect((await browser.post('/api/v1/incidents/inc-2/merge', { into: 'inc-1' })).status).toBe(200)
    await says(part, 'Alice merged it into inc-1')
    const link = slack.calls.find(({ method }) => method === 'chat.getPermalink')
    expect(link).toMatchObject({ outcome: 'ok' })
    expect(JSON.stringify(part.blocks)).toContain(`p${whole.ts.replace('.', '')}`)
    expect(JSON.stringify(part.blocks)).not.toContain('"actions"')
    expect(part.blocks.length).toBeLessThanOrEqual(2)
    await says(whole, 'Merged into it')
    await says(whole, 'inc-2')
    await alice.mention(channel, 'snooze 1h', part)
    await says(whole, 'Snoozed')
    expect(slack.violations).toEqual([])
  })

  test('what became a part of another before it was shown has its place below that', async () => {
    const scene = await openScene(database())
    const { slack, running } = scene
    await running.askSomething(60)
    const whole = await scene.message('Sev ')
    slack.faults.down()
    await send(scene, ELSEWHERE)
    const browser = await running.as('alice')
    const isThere = async (): Promise<number> => (await browser.get('/api/v1/incidents/inc-2')).status
    await expect.poll(isThere, { timeout: 25_000 }).toBe(200)
    expect((await browser.post('/api/v1/incidents/inc-2/merge', { into: 'inc-1' })).status).toBe(200)
    slack.faults.up()
    const below = () => slack.posted(scene.channel).find((each) => wordsOf(each).includes('Alice merged it into inc-1'))
    await expect.poll(below, { timeout: 25_000 }).toMatchObject({ threadTs: whole.ts, broadcast: false })
    expect(cards(scene)).toHaveLength(1)
    expect(slack.violations).toEqual([])
  })
})
