import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { createSlackWeb } from '../../../bot/slack/bolt.ts'
import { alert } from '../../support/alerts.ts'
import { aHypothesis } from '../../support/builders.ts'
import { describeDatabases } from '../../support/database.ts'
import { anAlert, waitFor } from '../../support/edge/edge-harness.ts'
import { openScene, type SlackScene } from '../../support/edge/slack-edge.ts'

describeDatabases('what is shown on Slack', (store) => {
  const database = store.perTest()
  const beginnings = ({ slack, channel }: SlackScene): string[] => slack.posted(channel).map(({ text }) => text.split(/[:,?]/)[0] ?? '')

  test('is posted once, also when the answer to the posting was lost', async () => {
    const scene = await openScene(database())
    const { slack, running, message, says } = scene
    slack.faults.next('chat.postMessage', { kind: 'lost' })
    await running.askSomething(60)
    const asked = await message('Approve?')
    slack.faults.next('chat.update', { kind: 'lost' })
    const alice = await running.as('alice')
    const { json } = await alice.get('/api/v1/approvals')
    const [{ id, digest }] = json.items
    await alice.post(`/api/v1/approvals/${id}/votes`, { decision: 'approve', digest })
    await says(asked, 'Verified')
    const ends = (): string[] => beginnings(scene).filter((words) => words !== 'Approved')
    await expect.poll(() => ends().toSorted(), { timeout: 25_000 }).toEqual(['Sev 1', 'Verified', 'Verified'])
    expect(beginnings(scene).filter((words) => words.startsWith('Sev'))).toHaveLength(1)
    expect(slack.calls.some(({ method }) => method === 'conversations.history')).toBe(true)
    expect(slack.violations).toEqual([])
  })

  test('is posted anew when somebody deleted it', async () => {
    const scene = await openScene(database())
    const { slack, running, message } = scene
    await running.askSomething(60)
    const asked = await message('Approve?')
    asked.deleted = true
    const alice = await running.as('alice')
    const [{ id, digest }] = (await alice.get('/api/v1/approvals')).json.items
    await alice.post(`/api/v1/approvals/${id}/votes`, { decision: 'deny', digest })
    // The card, and what became of it.
    await expect.poll(() => beginnings(scene).toSorted(), { timeout: 25_000 }).toEqual(['Denied', 'Denied', 'Sev 1'])
    expect(slack.posted(scene.channel).filter(({ blocks }) => blocks.some(({ type }) => type === 'header'))).toHaveLength(2)
  })

  test.each([
    ['with how far its investigation is', null, 1],
    ['without that where the workspace knows no plan', 'invalid_blocks', 0],
  ] as const)('is the card of an incident, %s, and of its diagnosis after that', async (_how, error, plans) => {
    // Nobody investigates here: it is as far as this test says.
    const parts = { edge: true, agent: false, executor: false }
    const scene = await openScene(database(), { parts, slackPace: { channelMs: 0, quietMs: 0, slowMs: 60_000 } })
    const { slack, running, message } = scene
    if (error !== null) slack.faults.next('chat.postMessage', { kind: 'error', error })
    const opened = {
      title: 'payments fails',
      service: 'payments',
      environment: 'local',
      severity: 2,
      severityReason: 'x',
      drillRun: null,
    } as const
    await running.stores.incidents.absorb(alert({ key: 'a', service: 'payments' }), null, () => ({ do: 'open', ...opened, reason: 'x' }))
    const card = await message('Sev 2, just opened')
    const shown = (): number => card.blocks.filter(({ type }) => type === 'plan').length
    expect(shown()).toBe(plans)
    await running.stores.incidents.saveHypotheses('inc-1', [aHypothesis({ class: 'bad_release', component: 'service/payments' })])
    await running.stores.incidents.record('inc-1', { kind: 'diagnosed', text: 'x', detail: {}, state: 'observing', from: ['open'] })
    await scene.says(card, 'a bad release')
    expect([shown(), slack.posted(scene.channel).filter(({ threadTs }) => threadTs === null)]).toEqual([0, [card]])
    expect(slack.violations).toEqual([])
  })

  test('waits while Slack is away, and is shown as things stand then', async () => {
    const scene = await openScene(database())
    const { slack, running } = scene
    slack.faults.down()
    const id = await running.askSomething(60)
    const alice = await running.as('alice')
    const { json } = await alice.get(`/api/v1/approvals/${id}`)
    await alice.post(`/api/v1/approvals/${id}/votes`, { decision: 'approve', digest: json.digest })
    await waitFor(async () => ((await alice.get(`/api/v1/approvals/${id}`)).json.state === 'done' ? true : null), 30)
    expect(slack.posted(scene.channel)).toEqual([])
    slack.faults.up()
    // That it is about to run is no news any more.
    await expect.poll(() => beginnings(scene).toSorted(), { timeout: 25_000 }).toEqual(['Sev 1', 'Verified', 'Verified'])
    expect(running.target.ledger).toHaveLength(1)
    expect(slack.violations).toEqual([])
  })

  test('keeps to Slack’s limits, however many alerts there are', async () => {
    const scene = await openScene(database(), {
      server: { rateLimits: true },
      slackPace: { channelMs: 1_000, quietMs: 30_000, slowMs: 60_000 },
    })
    const { slack, running, message } = scene
    const client = running.client()
    for (let minute = 10; minute < 50; minute += 1) {
      const sent = await client.post('/webhooks/alertmanager', anAlert(`2026-03-01T10:${minute}:00Z`))
      expect(sent.status).toBe(202)
    }
    await message('Approve?')
    const made = slack.calls.filter(({ method }) => method !== 'auth.test' && method !== 'conversations.info')
    expect(made.length).toBeLessThanOrEqual(20)
    expect(made.filter(({ outcome }) => outcome !== 'ok')).toEqual([])
    expect(beginnings(scene).filter((words) => words.startsWith('Sev'))).toHaveLength(1)
    expect(slack.violations).toEqual([])
  })

  test('of a channel that takes no more waits, and of the others does not', async () => {
    const scene = await openScene(database(), { slackPace: { channelMs: 0, quietMs: 0, slowMs: 60_000 } })
    const { slack, running, alice, message } = scene
    const elsewhere = slack.channel('elsewhere', [alice])
    // Longer than this test waits for anything.
    slack.faults.next('chat.postMessage', { kind: 'ratelimited', retryAfter: 600 })
    await alice.mention(elsewhere, 'status')
    const limited = (): boolean => slack.calls.some(({ outcome }) => outcome === 'ratelimited')
    await expect.poll(limited, { timeout: 25_000 }).toBe(true)
    await running.askSomething(60)
    await message('Approve?')
    expect(slack.posted(elsewhere)).toEqual([])
  })

  test('is found again among whatever others wrote meanwhile', async () => {
    const { slack, channel, alice } = await openScene(database())
    const web = createSlackWeb({ token: slack.botToken, apiUrl: slack.apiUrl, log: { warn: () => {}, error: () => {} } })
    const said = { text: 'x', blocks: [], channel: channel.id, thread: null, broadcast: false }
    const ts = await web.post({ ...said, name: 'incident:inc-1:abc' })
    for (let number = 0; number < 450; number += 1) await slack.post(channel, { by: alice, text: `${number}` })
    const since = new Date(Date.now() - 600_000)
    expect(await web.search({ channel: channel.id, thread: null, name: 'incident:inc-1:abc', since })).toBe(ts)
    expect(await web.search({ channel: channel.id, thread: null, name: 'incident:inc-2:abc', since })).toBeNull()
  })

  test('is given up and told elsewhere when Slack will never take it; what an operator can mend waits', async () => {
    const scene = await openScene(database())
    const { slack, running, message } = scene
    slack.faults.next('chat.postMessage', { kind: 'error', error: 'msg_too_long' })
    await running.askSomething(60)
    const browser = await running.as('alice')
    const said = await waitFor(async () => {
      const { json } = await browser.get('/api/v1/messages')
      return json.items.find(({ text }: { text: string }) => text.includes('could not be shown on Slack')) ?? null
    }, 30)
    expect(said.text).toContain('msg_too_long')
    await message('Approve?')
  })

  test('is never told elsewhere again when it was itself a page', async () => {
    const scene = await openScene(database())
    const { slack, running } = scene
    slack.faults.down({ kind: 'error', error: 'msg_too_long' })
    const id = await running.askSomething(60)
    const givenUp = async (): Promise<number> =>
      (await sql`select from posting where kind = 'page' and dead_at is not null`.execute(database().db)).rows.length
    // The incident, the request and whatever was said of both.
    await expect.poll(givenUp, { timeout: 25_000 }).toBeGreaterThan(1)
    slack.faults.up()
    const alice = await running.as('alice')
    const { json } = await alice.get(`/api/v1/approvals/${id}`)
    await alice.post(`/api/v1/approvals/${id}/votes`, { decision: 'deny', digest: json.digest })
    await expect.poll(() => beginnings(scene), { timeout: 25_000 }).toContain('Denied')
    const { items } = (await alice.get('/api/v1/messages')).json
    expect(items.filter(({ text }: { text: string }) => text.includes('given up (page'))).toEqual([])
  })

  test('waits for the channel for incidents to be mended, and is answered elsewhere meanwhile', async () => {
    const { slack, running, channel, alice } = await openScene(database())
    const other = slack.channel('elsewhere', [alice])
    slack.faults.next('chat.postMessage', { kind: 'error', error: 'not_in_channel' })
    await running.askSomething(60)
    const attempted = async (): Promise<number> =>
      (await sql`select from posting where kind = 'incident' and attempts > 0`.execute(database().db)).rows.length
    await expect.poll(attempted, { timeout: 25_000 }).toBe(1)
    await alice.mention(other, 'help')
    await expect.poll(() => slack.posted(other).length, { timeout: 25_000 }).toBe(1)
    expect(slack.posted(channel)).toEqual([])
  })

  test('stays where it is when another channel is named, and what is new goes there', async () => {
    const { slack, running, channel, alice, carol, message, says, restartIn } = await openScene(database())
    await running.askSomething(60)
    const asked = await message('Approve?')
    const card = await message('Sev ')
    const other = slack.channel('new-incidents', [alice, carol])
    await restartIn(other)
    await alice.click(asked, 'Approve', { confirm: true })
    await says(asked, 'Verified')
    await carol.command('/sre', 'freeze 2h closing', other)
    await expect.poll(() => slack.posted(other).map(({ text }) => text), { timeout: 25_000 }).toEqual([expect.stringContaining('rozen')])
    const outcome = (): boolean =>
      slack.posted(channel).some(({ threadTs, text, ts }) => threadTs === card.ts && text.startsWith('Verified') && ts !== asked.ts)
    await expect.poll(outcome, { timeout: 25_000 }).toBe(true)
    expect(slack.violations).toEqual([])
  })

  test('moves with its thread to the channel that is named now, when the old one takes nothing any more', async () => {
    const { slack, running, channel, alice, carol, message, restartIn } = await openScene(database())
    const id = await running.askSomething(60)
    await message('Approve?')
    const other = slack.channel('new-incidents', [alice, carol])
    const archive = (): void => {
      channel.archived = true
    }
    const browser = await (await restartIn(other, { meanwhile: archive })).as('alice')
    const { json } = await browser.get(`/api/v1/approvals/${id}`)
    await browser.post(`/api/v1/approvals/${id}/votes`, { decision: 'deny', digest: json.digest })
    const denied = await waitFor(async () => slack.posted(other).find(({ text }) => text.startsWith('Denied')) ?? null, 25)
    const cards = slack.posted(other).filter(({ text, threadTs }) => text.startsWith('Sev') && threadTs === null)
    expect(cards).toHaveLength(1)
    expect(denied.threadTs).toBe(cards[0]?.ts)
    // The request counted where it was asked; its card there can no longer be told.
    const said = async (): Promise<string[]> => (await browser.get('/api/v1/messages')).json.items.map(({ text }: { text: string }) => text)
    await expect
      .poll(said, { timeout: 25_000 })
      .toContainEqual(expect.stringContaining('The card of an action of inc-1 could not be shown on Slack'))
    const left = async (): Promise<number> =>
      (await sql`select from posting where wanted > shown and dead_at is null`.execute(database().db)).rows.length
    await expect.poll(left, { timeout: 25_000 }).toBe(0)
    expect(slack.posted(other).filter(({ text, threadTs }) => text.startsWith('Sev') && threadTs === null)).toHaveLength(1)
  })

  test('is the chart of the incident too: a file below its card, with words for who cannot see it', async () => {
    const { slack, running, channel, alice, message } = await openScene(database())
    await running.askSomething(60)
    const card = await message('Sev ')
    const measured = { kind: 'metrics', source: 'test', trust: 'metric', status: 'ok', summary: 's', query: 'q', link: null } as const
    await running.stores.incidents.addEvidence('inc-1', [{ ...measured, from: new Date(), to: new Date(), content: [] }])
    await alice.click(card, 'Take')
    const files = () => slack.posted(channel).flatMap(({ threadTs, files }) => (threadTs === card.ts ? files : []))
    await expect.poll(files, { timeout: 25_000 }).toHaveLength(1)
    expect(files()).toMatchObject([
      { name: 'steadyhand-inc-1.png', complete: true, altText: expect.stringMatching(/^Chart of .* of payments/) },
    ])
    // The signature of a PNG.
    expect(files()[0]?.content.subarray(0, 8)).toEqual(Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]))
    expect(slack.violations).toEqual([])
  })

  test('is given up in a channel that the bot was thrown out of', async () => {
    const { slack, alice, channel } = await openScene(database())
    const other = slack.channel('elsewhere', [alice])
    slack.faults.next('chat.postMessage', { kind: 'error', error: 'restricted_action_read_only_channel' })
    slack.faults.next('chat.postMessage', { kind: 'error', error: 'not_in_channel' })
    // On a slow machine an answer begins as a stream, which this is not about.
    for (let answer = 0; answer < 2; answer += 1)
      slack.faults.next('chat.startStream', { kind: 'error', error: 'channel_type_not_supported' })
    await alice.mention(other, 'help')
    await alice.mention(other, 'status')
    const dead = async (): Promise<number> =>
      (await sql`select from posting where kind = 'answer' and dead_at is not null`.execute(database().db)).rows.length
    await expect.poll(dead, { timeout: 25_000 }).toBe(2)
    await alice.mention(channel, 'help')
    await expect.poll(() => slack.posted(channel).some(({ threadTs }) => threadTs !== null), { timeout: 25_000 }).toBe(true)
  })
})
