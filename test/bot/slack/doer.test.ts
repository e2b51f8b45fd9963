import { expect, test } from 'vitest'
import { doerOf } from '../../../bot/slack/doer.ts'

const said = { type: 'app_mention', user: 'U1', channel: 'C1', ts: '1.1', text: 'status' }

test.each<[string, unknown, unknown]>([
  ['a command', { user_id: 'U1', channel_id: 'C1' }, { userId: 'U1', channel: 'C1', thread: null }],
  ['a click', { user: { id: 'U1' }, channel: { id: 'C1' } }, { userId: 'U1', channel: 'C1', thread: null }],
  ['a form', { user: { id: 'U1' } }, { userId: 'U1', channel: null, thread: null }],
  ['a mention', { event_id: 'Ev1', event: said }, { userId: 'U1', channel: 'C1', thread: null }],
  ['a mention in a thread', { event: { ...said, thread_ts: '0.1' } }, { userId: 'U1', channel: 'C1', thread: '0.1' }],
  ['what another bot wrote', { event: { ...said, bot_id: 'B1' } }, null],
  ['an edit', { event: { ...said, type: 'message', subtype: 'message_changed' } }, null],
  ['a visit of the home page', { event: { type: 'app_home_opened', user: 'U1' } }, null],
])('who is told after %s', (_what, body, doer) => expect(doerOf(body)).toEqual(doer))
