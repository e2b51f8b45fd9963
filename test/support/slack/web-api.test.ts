import { webApi } from '@slack/bolt'
import { describe, expect, test } from 'vitest'
import { startSlack } from './harness.ts'
import type { Json } from './json.ts'
import type { SlackServerOptions } from './server.ts'

const START = Date.parse('2026-03-01T10:00:00Z')

async function arrange(options: SlackServerOptions = {}) {
  const clock = { at: START }
  const slack = await startSlack({ now: () => new Date(clock.at), ...options })
  const settings = { slackApiUrl: slack.apiUrl, logLevel: webApi.LogLevel.ERROR, retryConfig: { retries: 0 }, rejectRateLimitedCalls: true }
  const client = new webApi.WebClient(slack.botToken, { ...settings })
  const [alice, bob] = [slack.person('alice'), slack.person('bob')]
  return { slack, client, settings, clock, alice, bob, channel: slack.channel('incidents', [alice, bob]) }
}

/** What Slack answered to a call that it refused. */
async function refusal(call: Promise<unknown>): Promise<Record<string, unknown>> {
  const error = await call.then(
    () => null,
    (reason: unknown) => reason,
  )
  if (!(error instanceof webApi.WebAPIPlatformError)) throw new Error('it was not refused', { cause: error })
  return { ...error.data }
}

const modal = { type: 'modal' as const, title: { type: 'plain_text' as const, text: 'Why?' }, blocks: [{ type: 'divider' as const }] }

describe('messages', () => {
  test('are edited in place, threaded, found by their metadata, and deleted', async () => {
    const { slack, client, channel, alice } = await arrange()
    const metadata = { event_type: 'card', event_payload: { ref: 'inc-1' } }
    const { ts = '' } = await client.chat.postMessage({ channel: channel.id, text: 'Sev 2', blocks: [{ type: 'divider' }], metadata })
    await client.chat.postMessage({ channel: channel.id, text: 'more', thread_ts: ts })
    await client.chat.postMessage({ channel: channel.id, text: 'done', thread_ts: ts, reply_broadcast: true })
    await client.chat.update({ channel: channel.id, ts, text: 'Sev 1' })

    const { messages = [] } = await client.conversations.history({ channel: channel.id, include_all_metadata: true })
    expect(messages.map(({ text, subtype }) => [text, subtype])).toEqual([
      ['done', 'thread_broadcast'],
      ['Sev 1', undefined],
    ])
    expect(messages[1]).toMatchObject({ metadata, reply_count: 2, blocks: [{ type: 'divider' }] })
    const plain = await client.conversations.history({ channel: channel.id })
    expect(plain.messages?.[1]?.metadata).toBeUndefined()
    const thread = await client.conversations.replies({ channel: channel.id, ts })
    expect(thread.messages?.map(({ text }) => text)).toEqual(['Sev 1', 'more', 'done'])

    await client.chat.delete({ channel: channel.id, ts })
    expect(alice.sees(channel).map(({ text }) => text)).toEqual(['done'])
    expect(await refusal(client.chat.update({ channel: channel.id, ts, text: 'again' }))).toMatchObject({ error: 'message_not_found' })
    expect(slack.violations).toEqual([])
  })

  test('history comes in pages and stretches of time', async () => {
    const { client, channel, clock } = await arrange()
    const stamps: string[] = []
    for (const text of ['one', 'two', 'three']) {
      stamps.push((await client.chat.postMessage({ channel: channel.id, text })).ts ?? '')
      clock.at += 60_000
    }
    const first = await client.conversations.history({ channel: channel.id, limit: 2 })
    const cursor = first.response_metadata?.next_cursor ?? ''
    const second = await client.conversations.history({ channel: channel.id, limit: 2, cursor })
    expect([first, second].map(({ messages = [] }) => messages.map(({ text }) => text))).toEqual([['three', 'two'], ['one']])
    const since = await client.conversations.history({ channel: channel.id, oldest: stamps[1] ?? '', inclusive: true })
    expect(since.messages?.map(({ text }) => text)).toEqual(['three', 'two'])
  })

  test('what one person sees is in nobody else’s channel', async () => {
    const { client, channel, alice, bob, slack } = await arrange()
    await client.chat.postEphemeral({ channel: channel.id, user: bob.id, text: 'You may not.' })
    expect(bob.sees(channel).map(({ text }) => text)).toEqual(['You may not.'])
    expect(alice.sees(channel)).toEqual([])
    expect((await client.conversations.history({ channel: channel.id })).messages).toEqual([])
    const outsider = slack.person('eve')
    expect(await refusal(client.chat.postEphemeral({ channel: channel.id, user: outsider.id, text: 'a' }))).toMatchObject({
      error: 'user_not_in_channel',
    })
  })

  test('are refused with Slack’s own lines, and noted', async () => {
    const { client, channel, slack } = await arrange()
    const blocks = [{ type: 'section', text: { type: 'mrkdwn', text: '' } }]
    expect(await refusal(client.chat.postMessage({ channel: channel.id, text: 'a', blocks }))).toMatchObject({
      error: 'invalid_blocks',
      response_metadata: { messages: ['[ERROR] must be more than 0 characters [json-pointer:/blocks/0/text/text]'] },
    })
    expect(slack.violations).toEqual([
      { method: 'chat.postMessage', problem: 'invalid_blocks: [ERROR] must be more than 0 characters [json-pointer:/blocks/0/text/text]' },
    ])
  })

  test.each([
    ['no_text', { text: '' }],
    ['markdown_text_conflict', { text: 'a', markdown_text: 'b' }],
    ['invalid_blocks_format', { text: 'a', blocks: 'no json' }],
    ['thread_not_found', { text: 'a', thread_ts: '1700000000.000001' }],
    ['invalid_metadata_schema', { text: 'a', metadata: { event_type: 'a' } }],
    ['metadata_too_large', { text: 'a', metadata: { event_type: 'a', event_payload: { a: 'x'.repeat(8_001) } } }],
    ['invalid_arguments', { text: 'a', thread_ts: 'yesterday' }],
  ])('%s', async (error, args) => {
    const { client, channel } = await arrange()
    expect(await refusal(client.apiCall('chat.postMessage', { channel: channel.id, ...args }))).toMatchObject({ error })
  })

  test('too long for an edit, and longer than the product promises', async () => {
    const { client, channel, slack } = await arrange()
    const { ts = '' } = await client.chat.postMessage({ channel: channel.id, text: 'x'.repeat(12_001) })
    expect(await refusal(client.chat.update({ channel: channel.id, ts, text: 'x'.repeat(4_001) }))).toMatchObject({ error: 'msg_too_long' })
    await client.apiCall('chat.postMessage', { channel: channel.id, text: 'a', colour: 'red' })
    expect(slack.violations.map(({ problem }) => problem)).toEqual([
      'the message shows 12001 characters, more than 12000',
      'msg_too_long',
      'there is no argument colour',
    ])
  })
})

describe('who may do what where', () => {
  test('a channel without the app, a private one, an archived one, none', async () => {
    const { slack, client, alice, channel } = await arrange()
    const post = (id: string) => refusal(client.chat.postMessage({ channel: id, text: 'a' }))
    expect(await post(slack.channel('other', [alice], { withApp: false }).id)).toMatchObject({ error: 'not_in_channel' })
    expect(await post(slack.channel('secret', [alice], { kind: 'private', withApp: false }).id)).toMatchObject({
      error: 'channel_not_found',
    })
    expect(await post('C0NONE')).toMatchObject({ error: 'channel_not_found' })
    channel.archived = true
    expect(await post(channel.id)).toMatchObject({ error: 'is_archived' })
    expect((await client.conversations.info({ channel: channel.id })).channel).toMatchObject({ is_archived: true, is_member: true })
  })

  test('tokens and scopes', async () => {
    const { slack, client, settings, alice } = await arrange({ scopes: ['chat:write'] })
    expect(await refusal(client.users.info({ user: alice.id }))).toMatchObject({
      error: 'missing_scope',
      needed: 'users:read',
      provided: 'chat:write',
    })
    expect((await client.auth.test()).response_metadata?.scopes).toEqual(['chat:write'])
    expect(await refusal(client.apps.connections.open())).toMatchObject({ error: 'not_allowed_token_type' })
    expect(await refusal(new webApi.WebClient('xoxb-wrong', settings).auth.test())).toMatchObject({ error: 'invalid_auth' })
    expect(await refusal(new webApi.WebClient(undefined, settings).auth.test())).toMatchObject({ error: 'not_authed' })
    const token = slack.tokens.get(slack.botToken)
    if (token !== undefined) token.refusal = 'token_revoked'
    expect(await refusal(client.auth.test())).toMatchObject({ error: 'token_revoked' })
  })

  test.each([
    ['guest', { is_restricted: true, is_ultra_restricted: false }],
    ['single-channel-guest', { is_restricted: true, is_ultra_restricted: true }],
    ['deactivated', { deleted: true }],
    ['bot', { is_bot: true }],
    ['stranger', { is_stranger: true }],
    ['member', { deleted: false, is_restricted: false, is_bot: false }],
  ] as const)('users.info says that somebody is a %s', async (role, said) => {
    const { slack, client } = await arrange()
    const person = slack.person('eve', role)
    const { user } = await client.users.info({ user: person.id })
    expect(user).toMatchObject(said)
    expect(user?.team_id === slack.teamId).toBe(role !== 'stranger')
    expect(user?.profile?.email).toBeUndefined()
  })
})

describe('views', () => {
  const onCommand = async () => {
    const all = await arrange()
    // Nobody listens: the trigger is in what would have been sent.
    const { payload } = await all.alice.command('/sre', 'status')
    return { ...all, trigger_id: String(payload['trigger_id']) }
  }

  test('a trigger opens one modal, within three seconds', async () => {
    const { client, clock, alice, bob, trigger_id } = await onCommand()
    await client.views.open({ trigger_id, view: modal })
    expect(alice.modal()?.view['title']).toMatchObject({ text: 'Why?' })
    expect(bob.modal()).toBeNull()
    expect(await refusal(client.views.open({ trigger_id, view: modal }))).toMatchObject({ error: 'exchanged_trigger_id' })
    expect(await refusal(client.views.open({ trigger_id: 'made-up', view: modal }))).toMatchObject({ error: 'invalid_trigger_id' })
    const late = String((await bob.command('/sre', 'status')).payload['trigger_id'])
    clock.at += 3_001
    expect(await refusal(client.views.open({ trigger_id: late, view: modal }))).toMatchObject({ error: 'expired_trigger_id' })
  })

  test('an update of what was changed since is refused, and one of what was closed', async () => {
    const { client, alice, trigger_id } = await onCommand()
    const { view } = await client.views.open({ trigger_id, view: modal })
    const [view_id, hash] = [view?.id ?? '', view?.hash ?? '']
    await client.views.update({ view_id, hash, view: modal })
    expect(await refusal(client.views.update({ view_id, hash, view: modal }))).toMatchObject({ error: 'hash_conflict' })
    await alice.closeModal()
    expect(await refusal(client.views.update({ view_id, view: modal }))).toMatchObject({ error: 'not_found' })
  })

  test('three modals lie on each other, not four', async () => {
    const { client, alice, trigger_id } = await onCommand()
    const trigger = async () => String((await alice.command('/sre', 'status')).payload['trigger_id'])
    await client.views.open({ trigger_id, view: modal })
    for (const _ of [2, 3]) await client.views.push({ trigger_id: await trigger(), view: modal })
    expect(await refusal(client.views.push({ trigger_id: await trigger(), view: modal }))).toMatchObject({ error: 'push_limit_reached' })
  })

  test('a view with something wrong in it is refused', async () => {
    const { client, trigger_id } = await onCommand()
    const long = { ...modal, title: { type: 'plain_text' as const, text: 'x'.repeat(25) } }
    expect(await refusal(client.views.open({ trigger_id, view: long }))).toMatchObject({
      error: 'invalid_arguments',
      response_metadata: { messages: ['[ERROR] must be less than 25 characters [json-pointer:/view/title/text]'] },
    })
  })
})

describe('files, streams, threads of the assistant', () => {
  test('a file goes up in three steps and stands in the thread', async () => {
    const { slack, client, channel, alice } = await arrange()
    const { ts = '' } = await client.chat.postMessage({ channel: channel.id, text: 'Sev 2' })
    const described = { filename: 'chart.png', length: 3, alt_txt: 'CPU over an hour' }
    const place: Json = { ...(await client.apiCall('files.getUploadURLExternal', described)) }
    expect((await fetch(String(place['upload_url']), { method: 'POST', body: 'png' })).status).toBe(200)
    const files: [{ id: string; title: string }] = [{ id: String(place['file_id']), title: 'CPU' }]
    await client.files.completeUploadExternal({ files, channel_id: channel.id, thread_ts: ts })
    const [, reply] = alice.sees(channel, slack.posted(channel)[0])
    expect(reply?.files).toMatchObject([{ name: 'chart.png', title: 'CPU', altText: 'CPU over an hour', complete: true }])
    expect(reply?.files[0]?.content.toString()).toBe('png')
    expect(slack.violations).toEqual([])
    // The SDK's own upload describes a picture in a field that Slack does not read.
    await client.files.uploadV2({ filename: 'chart.png', file: Buffer.from('png'), alt_text: 'CPU over an hour' })
    expect(slack.violations).toEqual([{ method: 'files.completeUploadExternal', problem: 'the image chart.png has no alternative text' }])
  })

  test('a streamed answer grows, and is closed once', async () => {
    const { slack, client, channel, alice } = await arrange()
    const asked = await alice.mention(channel, 'why?')
    const to = { channel: channel.id, thread_ts: asked.ts, recipient_team_id: slack.teamId, recipient_user_id: alice.id }
    const stream = client.chatStream({ ...to, buffer_size: 1 })
    await stream.append({ markdown_text: 'Because ' })
    await stream.append({ chunks: [{ type: 'task_update', id: 't1', title: 'Query metrics', status: 'in_progress' }] })
    await stream.append({ chunks: [{ type: 'task_update', id: 't1', title: 'Query metrics', status: 'complete' }] })
    await stream.stop({ markdown_text: 'of the release.' })
    const answer = alice.sees(channel, asked).at(-1)
    expect(answer).toMatchObject({
      text: 'Because of the release.',
      stream: { open: false },
      blocks: [{ type: 'task_card', status: 'complete' }],
    })
    const again = { channel: channel.id, ts: answer?.ts ?? '', markdown_text: 'more' }
    expect(await refusal(client.chat.appendStream(again))).toMatchObject({ error: 'message_not_in_streaming_state' })
    const nobody = client.apiCall('chat.startStream', { channel: channel.id, thread_ts: asked.ts })
    expect(await refusal(nobody)).toMatchObject({ error: 'missing_recipient_team_id' })
  })

  test('an open stream can be neither edited nor deleted, an ended one not gone on with, and its steps are short', async () => {
    const { slack, client, channel, alice } = await arrange()
    const asked = await alice.mention(channel, 'why?')
    const to = { channel: channel.id, thread_ts: asked.ts, recipient_team_id: slack.teamId, recipient_user_id: alice.id }
    const step = (title: string, status: 'in_progress' | 'complete') => ({ type: 'task_update' as const, id: 't1', title, status })
    const long = client.chat.startStream({ ...to, chunks: [step('x'.repeat(257), 'complete')] })
    expect(await refusal(long)).toMatchObject({ error: 'invalid_chunks' })
    const { ts = '' } = await client.chat.startStream({ ...to, task_display_mode: 'plan', chunks: [step('Query metrics', 'in_progress')] })
    const at = { channel: channel.id, ts }
    expect(await refusal(client.chat.update({ ...at, text: 'no' }))).toMatchObject({ error: 'streaming_state_conflict' })
    expect(await refusal(client.chat.delete(at))).toMatchObject({ error: 'cant_delete_message' })
    const { messages = [] } = await client.conversations.replies({ channel: channel.id, ts: asked.ts })
    expect(messages.at(-1)).toMatchObject({ ts, streaming_state: 'in_progress' })
    expect(slack.renderChannel(channel, { viewer: alice })).toContain('writing …')
    const blocks = [{ type: 'header' as const, text: { type: 'plain_text' as const, text: 'Because' } }]
    await client.chat.stopStream({ ...at, blocks, metadata: { event_type: 'named', event_payload: { name: 'a' } } })
    const answer = alice.sees(channel, asked).at(-1)
    expect(answer).toMatchObject({
      metadata: { event_type: 'named' },
      blocks: [{ type: 'plan', tasks: [{ task_id: 't1' }] }, { type: 'header' }],
    })
    expect(await refusal(client.chat.stopStream(at))).toMatchObject({ error: 'message_not_in_streaming_state' })
    await client.chat.update({ ...at, text: 'now it can be edited' })
    expect(slack.posted(channel)).toHaveLength(1)
    expect(slack.violations.map(({ method, problem }) => `${method}: ${problem}`)).toEqual([
      expect.stringContaining('chat.startStream: invalid_chunks'),
      'chat.stopStream: the stream ends while 1 of its steps are still under way',
    ])
  })
})

describe('what goes wrong', () => {
  test('posted and the answer lost; failing; away; then well again', async () => {
    const { slack, client, channel, clock } = await arrange()
    const post = () => client.chat.postMessage({ channel: channel.id, text: 'once' })
    slack.faults.next('chat.postMessage', { kind: 'lost' })
    await expect(post()).rejects.toThrow(webApi.WebAPIRequestError)
    expect(slack.posted(channel)).toHaveLength(1)
    slack.faults.next('chat.postMessage', { kind: 'error', error: 'internal_error' })
    expect(await refusal(post())).toMatchObject({ error: 'internal_error' })
    slack.faults.next('chat.postMessage', { kind: 'ratelimited', retryAfter: 7 })
    await expect(post()).rejects.toMatchObject({ retryAfter: 7 })
    slack.faults.down()
    await expect(post()).rejects.toThrow(webApi.WebAPIHTTPError)
    clock.at += 7_200_000
    slack.faults.up()
    await post()
    expect(slack.posted(channel)).toHaveLength(2)
    expect(slack.calls.map(({ outcome }) => outcome)).toEqual(['ok', 'error', 'ratelimited', 'http', 'ok'])
  })

  test('a call that stalls ends when it is let go', async () => {
    const { slack, client, channel } = await arrange()
    slack.faults.next('chat.postMessage', { kind: 'stall' })
    const posted = client.chat.postMessage({ channel: channel.id, text: 'a' })
    const ended = expect(posted).rejects.toThrow()
    await expect.poll(() => slack.calls.length).toBe(1)
    slack.faults.release()
    await ended
    expect(slack.posted(channel)).toEqual([])
  })

  test('a message a second for each channel, after a burst', async () => {
    const { slack, client, channel, clock, alice } = await arrange({ rateLimits: true })
    const post = (id: string) => client.chat.postMessage({ channel: id, text: 'a' })
    for (const _ of [1, 2, 3, 4, 5]) await post(channel.id)
    await expect(post(channel.id)).rejects.toMatchObject({ retryAfter: 1 })
    await post(slack.channel('quiet', [alice]).id)
    clock.at += 1_000
    await post(channel.id)
    await expect(post(channel.id)).rejects.toMatchObject({ retryAfter: 1 })
    slack.rateLimits.on = false
    await post(channel.id)
  })

  test('a response_url serves five times, for half an hour', async () => {
    const { slack, alice, channel, clock } = await arrange()
    const { payload } = await alice.command('/sre', 'status', channel)
    const url = String(payload['response_url'])
    const say = async (text: string) => (await fetch(url, { method: 'POST', body: JSON.stringify({ text }) })).status
    expect(await say('one')).toBe(200)
    expect(alice.sees(channel).map(({ text }) => text)).toEqual(['one'])
    for (const word of ['two', 'three', 'four', 'five']) expect(await say(word)).toBe(200)
    expect(await say('six')).toBe(404)
    const late = String((await alice.command('/sre', 'status', channel)).payload['response_url'])
    clock.at += 30 * 60_000 + 1
    expect((await fetch(late, { method: 'POST', body: '{"text":"late"}' })).status).toBe(404)
    expect(slack.posted(channel, alice)).toHaveLength(5)
  })
})
