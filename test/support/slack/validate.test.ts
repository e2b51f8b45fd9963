import { describe, expect, test } from 'vitest'
import type { Json } from './json.ts'
import { problemsOfBlocks, problemsOfView } from './validate.ts'

const plain = (text: string): Json => ({ type: 'plain_text', text })
const mrkdwn = (text: string): Json => ({ type: 'mrkdwn', text })
const x = (length: number): string => 'x'.repeat(length)
const times = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, index) => make(index))

const button = (more: Json = {}): Json => ({ type: 'button', text: plain('Approve'), action_id: 'approve', ...more })
const actions = (...elements: Json[]): Json => ({ type: 'actions', elements })
const option = (more: Json = {}): Json => ({ text: plain('Ask'), value: 'ask', ...more })
const overflow = (...options: Json[]): Json => ({ type: 'overflow', action_id: 'more', options })
const confirm = (more: Json = {}): Json => ({
  title: plain('Sure?'),
  text: mrkdwn('It restarts'),
  confirm: plain('Yes'),
  deny: plain('No'),
  ...more,
})
const section = (text: string): Json => ({ type: 'section', text: mrkdwn(text) })
const rich = (text: string): Json => ({ type: 'rich_text', elements: [{ type: 'rich_text_section', elements: [{ type: 'text', text }] }] })
const task = (more: Json = {}): Json => ({ type: 'task_card', task_id: 't1', title: 'Query metrics', status: 'in_progress', ...more })

describe('blocks that Slack takes', () => {
  test.each<[string, Json[]]>([
    [
      'the longest of everything',
      [
        { type: 'header', text: plain(x(150)) },
        section(x(3_000)),
        { type: 'section', fields: times(10, () => mrkdwn(x(2_000))) },
        { type: 'context', elements: times(10, () => mrkdwn('small')) },
        actions(
          button({
            text: plain(x(75)),
            action_id: x(255),
            value: x(2_000),
            url: `https://${x(2_992)}`,
            confirm: confirm({ title: plain(x(100)), text: plain(x(300)), confirm: plain(x(30)), deny: plain(x(30)) }),
          }),
          overflow(...times(5, () => option({ text: plain(x(75)), value: x(150) }))),
        ),
        { type: 'image', image_url: 'https://a.example/a.png', alt_text: x(2_000), block_id: x(255) },
        { type: 'divider' },
      ],
    ],
    ['fifty blocks', times(50, () => ({ type: 'divider' }))],
    [
      'the blocks of 2026',
      [
        task(),
        {
          type: 'plan',
          title: 'Investigating',
          tasks: [task({ details: rich('queries'), sources: [{ type: 'url', url: 'https://a.example', text: 'a' }] })],
        },
        {
          type: 'table',
          rows: [[{ type: 'raw_text', text: 'a' }, rich('b'), { type: 'raw_number', value: 1 }]],
          column_settings: [{ align: 'right' }],
        },
        { type: 'data_table', caption: 'c', rows: [[{ type: 'raw_text', text: 'a' }]], page_size: 5 },
        { type: 'markdown', text: '**bold**' },
        {
          type: 'context_actions',
          elements: [
            {
              type: 'feedback_buttons',
              action_id: 'f',
              positive_button: { text: plain('Good'), value: 'g' },
              negative_button: { text: plain('Bad'), value: 'b' },
            },
          ],
        },
        { type: 'alert', text: mrkdwn('careful'), level: 'warning' },
        { type: 'container', title: plain('More'), is_collapsible: true, child_blocks: [section('inside')] },
        { type: 'carousel', elements: [{ type: 'card', title: mrkdwn('one'), actions: [button()] }] },
      ],
    ],
  ])('%s', (_, blocks) => {
    expect(problemsOfBlocks(blocks)).toEqual([])
  })
})

describe('blocks that Slack refuses', () => {
  test.each<[string, Json[], string]>([
    ['51 blocks', times(51, () => ({ type: 'divider' })), 'no more than 50 items allowed [json-pointer:/blocks]'],
    ['a long header', [{ type: 'header', text: plain(x(151)) }], 'must be less than 151 characters [json-pointer:/blocks/0/text/text]'],
    [
      'mrkdwn in a header',
      [{ type: 'header', text: mrkdwn('a') }],
      'value must be one of the allowed values: plain_text [json-pointer:/blocks/0/text/type]',
    ],
    ['a long section', [section(x(3_001))], 'must be less than 3001 characters [json-pointer:/blocks/0/text/text]'],
    ['an empty section', [section('')], 'must be more than 0 characters [json-pointer:/blocks/0/text/text]'],
    ['a section of nothing', [{ type: 'section' }], 'missing required field: text [json-pointer:/blocks/0]'],
    [
      'eleven fields',
      [{ type: 'section', fields: times(11, () => mrkdwn('a')) }],
      'no more than 10 items allowed [json-pointer:/blocks/0/fields]',
    ],
    [
      'a long field',
      [{ type: 'section', fields: [mrkdwn(x(2_001))] }],
      'must be less than 2001 characters [json-pointer:/blocks/0/fields/0/text]',
    ],
    [
      'a long context',
      [{ type: 'context', elements: times(11, () => mrkdwn('a')) }],
      'no more than 10 items allowed [json-pointer:/blocks/0/elements]',
    ],
    [
      '26 buttons',
      [actions(...times(26, (index) => button({ action_id: `a${index}` })))],
      'no more than 25 items allowed [json-pointer:/blocks/0/elements]',
    ],
    ['no buttons', [actions()], 'no less than 1 items allowed [json-pointer:/blocks/0/elements]'],
    [
      'a long button',
      [actions(button({ text: plain(x(76)) }))],
      'must be less than 76 characters [json-pointer:/blocks/0/elements/0/text/text]',
    ],
    ['a long value', [actions(button({ value: x(2_001) }))], 'must be less than 2001 characters [json-pointer:/blocks/0/elements/0/value]'],
    [
      'a long action_id',
      [actions(button({ action_id: x(256) }))],
      'must be less than 256 characters [json-pointer:/blocks/0/elements/0/action_id]',
    ],
    [
      'an unknown style',
      [actions(button({ style: 'blue' }))],
      'value must be one of the allowed values: primary, danger [json-pointer:/blocks/0/elements/0/style]',
    ],
    ['no address', [actions(button({ url: 'javascript:alert(1)' }))], 'invalid url [json-pointer:/blocks/0/elements/0/url]'],
    [
      'a long question',
      [actions(button({ confirm: confirm({ text: plain(x(301)) }) }))],
      'must be less than 301 characters [json-pointer:/blocks/0/elements/0/confirm/text/text]',
    ],
    [
      'a long title of one',
      [actions(button({ confirm: confirm({ title: plain(x(101)) }) }))],
      'must be less than 101 characters [json-pointer:/blocks/0/elements/0/confirm/title/text]',
    ],
    [
      'a long answer to one',
      [actions(button({ confirm: confirm({ deny: plain(x(31)) }) }))],
      'must be less than 31 characters [json-pointer:/blocks/0/elements/0/confirm/deny/text]',
    ],
    [
      'six entries',
      [actions(overflow(...times(6, () => option())))],
      'no more than 5 items allowed [json-pointer:/blocks/0/elements/0/options]',
    ],
    [
      'a long entry',
      [actions(overflow(option({ value: x(151) })))],
      'must be less than 151 characters [json-pointer:/blocks/0/elements/0/options/0/value]',
    ],
    [
      'the same action twice',
      [actions(button(), button())],
      'action_id `approve` already exists for this block [json-pointer:/blocks/0/elements/1/action_id]',
    ],
    [
      'the same block twice',
      [
        { type: 'divider', block_id: 'a' },
        { type: 'divider', block_id: 'a' },
      ],
      'block_id `a` already exists [json-pointer:/blocks]',
    ],
    ['a long block_id', [{ type: 'divider', block_id: x(256) }], 'must be less than 256 characters [json-pointer:/blocks/0/block_id]'],
    [
      'an image in no words',
      [{ type: 'image', image_url: 'https://a.example/a.png' }],
      'missing required field: alt_text [json-pointer:/blocks/0]',
    ],
    ['an image of nothing', [{ type: 'image', alt_text: 'a' }], 'missing required field: image_url [json-pointer:/blocks/0]'],
    ['a field too many', [{ type: 'divider', text: 'a' }], 'invalid additional property: text [json-pointer:/blocks/0]'],
    ['an unknown block', [{ type: 'poem' }], 'unsupported type: poem [json-pointer:/blocks/0/type]'],
    ['a block without a type', [{}], 'missing required field: type [json-pointer:/blocks/0]'],
    [
      'an input in rich text',
      [{ type: 'rich_text', elements: [{ type: 'rich_text_section', elements: [{ type: 'html', text: 'a' }] }] }],
      'unsupported type: html [json-pointer:/blocks/0/elements/0/elements/0/type]',
    ],
    [
      '101 rows',
      [{ type: 'table', rows: times(101, () => [{ type: 'raw_text', text: 'a' }]) }],
      'no more than 100 items allowed [json-pointer:/blocks/0/rows]',
    ],
    [
      '21 cells',
      [{ type: 'table', rows: [times(21, () => ({ type: 'raw_text', text: 'a' }))] }],
      'no more than 20 items allowed [json-pointer:/blocks/0/rows/0]',
    ],
    [
      'a task in no state',
      [task({ status: 'done' })],
      'value must be one of the allowed values: pending, in_progress, complete, error [json-pointer:/blocks/0/status]',
    ],
    [
      'six contextual actions',
      [
        {
          type: 'context_actions',
          elements: times(6, (index) => ({ type: 'icon_button', icon: 'trash', text: plain('a'), action_id: `a${index}` })),
        },
      ],
      'no more than 5 items allowed [json-pointer:/blocks/0/elements]',
    ],
    ['long Markdown', [{ type: 'markdown', text: x(12_001) }], 'must be less than 12001 characters [json-pointer:/blocks/0/text]'],
    [
      'long Markdown in pieces',
      [
        { type: 'markdown', text: x(7_000) },
        { type: 'markdown', text: x(7_000) },
      ],
      'all markdown blocks together must be less than 12001 characters [json-pointer:/blocks]',
    ],
    [
      'eleven in a container',
      [{ type: 'container', title: plain('a'), child_blocks: times(11, () => ({ type: 'divider' })) }],
      'no more than 10 items allowed [json-pointer:/blocks/0/child_blocks]',
    ],
  ])('%s', (_, blocks, problem) => {
    expect(problemsOfBlocks(blocks)).toEqual([problem])
  })
})

describe('views', () => {
  const input: Json = { type: 'input', label: plain('Reason'), element: { type: 'plain_text_input', action_id: 'text' } }
  const modal = (more: Json = {}): Json => ({ type: 'modal', title: plain('Why?'), submit: plain('Send'), blocks: [input], ...more })

  test.each<[string, Json]>([
    [
      'the longest',
      modal({ title: plain(x(24)), submit: plain(x(24)), close: plain(x(24)), private_metadata: x(3_000), callback_id: x(255) }),
    ],
    ['a home tab of a hundred blocks', { type: 'home', blocks: times(100, () => ({ type: 'divider' })) }],
  ])('Slack takes %s', (_, view) => {
    expect(problemsOfView(view)).toEqual([])
  })

  test.each<[string, Json, string]>([
    ['a long title', modal({ title: plain(x(25)) }), 'must be less than 25 characters [json-pointer:/view/title/text]'],
    ['a long submit', modal({ submit: plain(x(25)) }), 'must be less than 25 characters [json-pointer:/view/submit/text]'],
    ['a long close', modal({ close: plain(x(25)) }), 'must be less than 25 characters [json-pointer:/view/close/text]'],
    ['inputs and nothing to submit them', modal({ submit: undefined }), 'missing required field: submit [json-pointer:/view]'],
    ['much to remember', modal({ private_metadata: x(3_001) }), 'must be less than 3001 characters [json-pointer:/view/private_metadata]'],
    ['a long callback_id', modal({ callback_id: x(256) }), 'must be less than 256 characters [json-pointer:/view/callback_id]'],
    [
      '101 blocks',
      { type: 'home', blocks: times(101, () => ({ type: 'divider' })) },
      'no more than 100 items allowed [json-pointer:/view/blocks]',
    ],
    ['a block for messages only', { type: 'home', blocks: [task()] }, 'unsupported type: task_card [json-pointer:/view/blocks/0/type]'],
    ['a title on a home tab', { type: 'home', title: plain('a'), blocks: [] }, 'invalid additional property: title [json-pointer:/view]'],
  ])('Slack refuses %s', (_, view, problem) => {
    expect(problemsOfView(view)).toEqual([problem])
  })
})
