import { expect, test } from 'vitest'
import { isStop, SLACK_PRESSES, SLACK_STOPS, SLACK_WORDS, workKindOf } from '../../../bot/slack/work-kinds.ts'

const command = (text: string): Record<string, unknown> => ({ command: '/sre', text, user_id: 'U1', channel_id: 'C1' })
const spoken = (text: string): Record<string, unknown> => ({ type: 'event_callback', event: { type: 'app_mention', text } })
const form = (name: string): Record<string, unknown> => ({ type: 'view_submission', view: { callback_id: name } })

test.each<[string, Record<string, unknown>, string, boolean]>([
  ['a click', { type: 'block_actions', actions: [] }, SLACK_PRESSES, false],
  ['a form', form('approve'), SLACK_PRESSES, false],
  ['a question in a form', form('ask'), SLACK_WORDS, false],
  ['a form to look into something', form('investigate'), SLACK_WORDS, false],
  ['the form to stop', form('stop'), SLACK_STOPS, true],
  ['a shortcut', { type: 'shortcut', callback_id: 'stop' }, SLACK_STOPS, false],
  ['a shortcut on a message', { type: 'message_action', callback_id: 'investigate_message' }, SLACK_PRESSES, false],
  ['stop, typed', command('STOP'), SLACK_STOPS, true],
  ['stop for a service', command('stop payments'), SLACK_STOPS, true],
  ['freeze, typed', command('freeze 2h closing'), SLACK_STOPS, false],
  ['stop, said', spoken('<@U0BOT> stop'), SLACK_STOPS, true],
  ['a question', spoken('<@U0BOT> why did it stop'), SLACK_WORDS, false],
  ['a command', command('status'), SLACK_WORDS, false],
  ['start, typed', command('start'), SLACK_WORDS, false],
  ['somebody who opened the home page', { type: 'event_callback', event: { type: 'app_home_opened', user: 'U1' } }, SLACK_WORDS, false],
  ['what nobody knows', { type: 'stop', text: 'stop' }, SLACK_WORDS, false],
])('%s', (_name, body, kind, stops) => {
  expect(workKindOf(body)).toBe(kind)
  expect(isStop(body)).toBe(stops)
})
