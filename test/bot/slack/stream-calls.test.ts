import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createStreams, type Live } from '../../../bot/slack/streams.ts'
import { createSlackWeb } from '../../../bot/slack/web-client.ts'
import { hostileText } from '../../support/hostile-text.ts'
import { startSlack } from '../../support/slack/harness.ts'

const POSTING = 1

async function arrange() {
  const slack = await startSlack()
  const alice = slack.person('alice')
  const channel = slack.channel('incidents', [alice])
  const asked = await slack.post(channel, { by: alice, text: 'why?' })
  const warnings: string[] = []
  const log = { warn: (_: object, words: string) => void warnings.push(words), error: () => {} }
  const web = createSlackWeb({ token: slack.botToken, apiUrl: slack.apiUrl, log: { warn: () => {}, error: () => {} } })
  const streams = createStreams({ web, now: () => new Date(), log })
  const live = (...steps: Live['steps'][number][]): Live => ({ steps, asker: { userId: alice.id, teamId: slack.teamId } })
  const where = { channel: channel.id, thread: asked.ts }
  const begin = async (...steps: Live['steps'][number][]) => {
    const message = (await streams.begin(POSTING, where, live(...steps))) ?? ''
    const said = { text: 'Because.', blocks: [{ type: 'divider' as const }], channel: channel.id, message, name: 'answer:1:x' }
    return { said, stands: slack.posted(channel).find(({ ts }) => ts === message) }
  }
  return { slack, streams, live, begin, where, warnings, channel }
}

const step = (id: string, title: string, status: 'in_progress' | 'complete' | 'error' = 'in_progress') => ({ id, title, status })

test('only what changed of the steps is sent again, and none is left under way at the end', async () => {
  const { slack, streams, live, begin } = await arrange()
  const { said, stands } = await begin(step('a', 'Read logs'))
  await streams.show(POSTING, { ...said, live: live(step('a', 'Read logs', 'error'), step('b', 'Read metrics')) })
  await streams.show(POSTING, { ...said, live: live(step('a', 'Read logs', 'error'), step('b', 'Read metrics')) })
  expect(slack.calls.filter(({ method }) => method === 'chat.appendStream')).toHaveLength(1)
  expect(streams.isOpen(POSTING)).toBe(true)
  await streams.show(POSTING, { ...said, live: null })
  expect(streams.isOpen(POSTING)).toBe(false)
  expect(stands?.blocks).toMatchObject([
    { type: 'plan', title: 'What was looked at', tasks: [{ status: 'error' }, { status: 'complete' }] },
    { type: 'divider' },
  ])
  expect(slack.violations).toEqual([])
})

test('a step that Slack takes later leaves the stream open, and one that it never takes goes on as an edit', async () => {
  const { slack, streams, live, begin } = await arrange()
  const { said, stands } = await begin(step('a', 'Read logs'))
  slack.faults.next('chat.appendStream', { kind: 'ratelimited', retryAfter: 7 })
  const more = { ...said, live: live(step('a', 'Read logs', 'complete')) }
  await expect(streams.show(POSTING, more)).rejects.toMatchObject({ kind: 'busy', retryAfter: 7 })
  expect(streams.isOpen(POSTING)).toBe(true)
  slack.faults.next('chat.appendStream', { kind: 'error', error: 'message_not_in_streaming_state' })
  await streams.show(POSTING, more)
  expect([streams.isOpen(POSTING), stands?.stream?.open, stands?.text]).toEqual([false, false, 'Because.'])
  await streams.show(POSTING, { ...said, text: 'At last.', live: null })
  expect(stands).toMatchObject({ text: 'At last.', blocks: [{ type: 'divider' }] })
  expect(slack.violations).toEqual([])
})

test.each(['invalid_chunks', 'message_not_in_streaming_state'])('where the end is refused (%s) the answer is an edit', async (code) => {
  const { slack, streams, begin } = await arrange()
  const { said, stands } = await begin(step('a', 'Read logs'))
  slack.faults.next('chat.stopStream', { kind: 'error', error: code })
  await streams.show(POSTING, { ...said, live: null })
  expect(stands).toMatchObject({ text: 'Because.', stream: { open: false }, blocks: [{ type: 'divider' }] })
  slack.faults.next('chat.update', { kind: 'error', error: 'message_not_found' })
  await expect(streams.show(POSTING, { ...said, live: null })).rejects.toMatchObject({ code: 'message_not_found' })
})

test('words of others would be shown as they are, cut, and do nothing', async () => {
  const { slack, streams, live, begin, channel } = await arrange()
  const { said } = await begin(step('a', 'x'.repeat(1_000)))
  const texts = fc.sample(hostileText(400), { numRuns: 60, seed: 7 })
  for (let from = 0; from < texts.length; from += 10) {
    const steps = texts.slice(from, from + 10).map((text, nth) => step(`${from}-${nth}`, text))
    await streams.show(POSTING, { ...said, live: live(...steps) })
  }
  const shown = JSON.stringify(slack.posted(channel).map(({ blocks }) => blocks))
  expect(shown).not.toMatch(/<[@!#]|https?:\/\/|[\u202a-\u202e\u2066-\u2069\u200b]/)
  expect(slack.violations).toEqual([])
})

test('a Slack that is away, a channel that takes nothing, or a thread that takes no stream is no reason to do without streams elsewhere', async () => {
  const { slack, streams, live, where, warnings } = await arrange()
  slack.faults.next('chat.startStream', { kind: 'http', status: 503 })
  await expect(streams.begin(POSTING, where, live(step('a', 'x')))).rejects.toMatchObject({ kind: 'away' })
  slack.faults.next('chat.startStream', { kind: 'error', error: 'is_archived' })
  await expect(streams.begin(POSTING, where, live(step('a', 'x')))).rejects.toMatchObject({ kind: 'place' })
  expect(warnings).toEqual([])
  const ofOneThread = ['thread_not_found', 'user_not_found', 'missing_recipient_team_id', 'channel_type_not_supported', 'a_new_word']
  for (const error of ofOneThread) {
    slack.faults.next('chat.startStream', { kind: 'error', error })
    expect(await streams.begin(POSTING, where, live(step('a', 'x')))).toBeNull()
  }
  expect(warnings).toEqual(ofOneThread.map(() => 'Slack takes no stream in this thread; its answer is edited in place'))
  expect(await streams.begin(POSTING, where, live(step('a', 'x')))).not.toBeNull()
})

test.each(['unknown_method', 'feature_not_enabled', 'not_allowed', 'missing_scope', 'access_denied'])(
  'what Slack says of the workspace or the app (%s) holds for every thread',
  async (error) => {
    const { slack, streams, live, where, warnings } = await arrange()
    slack.faults.next('chat.startStream', { kind: 'error', error })
    for (const thread of [where.thread, '1.000001'])
      expect(await streams.begin(POSTING, { ...where, thread }, live(step('a', 'x')))).toBeNull()
    expect(slack.calls.filter(({ method }) => method === 'chat.startStream')).toHaveLength(1)
    expect(warnings).toEqual(['Slack takes no stream at the moment; answers are edited in place'])
  },
)
