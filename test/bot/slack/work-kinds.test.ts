import { expect, test } from 'vitest'
import { isStop, SLACK_PRESSES, SLACK_WORDS, workKindOf } from '../../../bot/slack/work-kinds.ts'

const command = (text: string): Record<string, unknown> => ({ command: '/sre', text, user_id: 'U1', channel_id: 'C1' })
const spoken = (text: string): Record<string, unknown> => ({ type: 'event_callback', event: { type: 'app_mention', text } })
const form = (name: string): Record<string, unknown> => ({ type: 'view_submission', view: { callback_id: name } })

test.each<[string, Record<string, unknown>, boolean, boolean]>([
  ['a click', { type: 'block_actions', actions: [] }, true, false],
  ['a form', form('approve'), true, false],
  ['the form to stop', form('stop'), true, true],
  ['a shortcut', { type: 'shortcut', callback_id: 'stop' }, true, false],
  ['a shortcut on a message', { type: 'message_action', callback_id: 'investigate_message' }, true, false],
  ['stop, typed', command('STOP'), true, true],
  ['stop for a service', command('stop payments'), true, true],
  ['freeze, typed', command('freeze 2h closing'), true, false],
  ['stop, said', spoken('<@U0BOT> stop'), true, true],
  ['a question', spoken('<@U0BOT> why did it stop'), false, false],
  ['a command', command('status'), false, false],
  ['start, typed', command('start'), false, false],
  ['somebody who opened the home page', { type: 'event_callback', event: { type: 'app_home_opened', user: 'U1' } }, false, false],
  ['what nobody knows', { type: 'stop', text: 'stop' }, false, false],
])('%s', (_name, body, isUrgent, stops) => {
  expect(workKindOf(body)).toBe(isUrgent ? SLACK_PRESSES : SLACK_WORDS)
  expect(isStop(body)).toBe(stops)
})
