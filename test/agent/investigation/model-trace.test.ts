import { expect, it } from 'vitest'
import { BUDGET } from '../../../agent/investigation/budget.ts'
import { traceOf } from '../../../agent/investigation/model-trace.ts'
import type { Step, StepAt } from '../../../agent/investigation/transcript.ts'

const at = new Date('2026-03-01T10:42:00.000Z')
const asked = { provider: 'anthropic', model: 'claude', price: null }
const KEY = `sk-ant-${'a1B2'.repeat(8)}`
const all: Step[] = [
  {
    kind: 'started',
    prompts: [{ id: 'investigate', version: 2 }],
    system: 'Look.',
    user: 'Errors of payments.',
    budget: BUDGET,
    tells: ['logs'],
  },
  { kind: 'resumed' },
  { kind: 'asked', ...asked, input: 900, output: 100, characters: 2_000, last: true },
  {
    ...{ kind: 'answered', ...asked, text: `The key is ${KEY}.`, raw: { provider: 'anthropic', items: ['unread'] }, reason: 'calls' },
    ...{ calls: [{ id: 'c1', name: 'read_logs', input: { service: 'payments', token: KEY } }], usage: { input: 800, output: 60 } },
  },
  { kind: 'failed', ...asked, code: 'timeout', words: 'no answer' },
  { kind: 'result', call: 'c1', name: 'read_logs', status: 'ok', labels: ['E3'], text: 'forty lines', short: 'lines' },
  { kind: 'corrected', call: null, problems: ['nothing was handed in'], text: 'Hand in a report.' },
  { kind: 'compacted' },
  { kind: 'ended', outcome: 'stopped', words: 'its time was over', opinion: null },
]
const steps: StepAt[] = all.map((step) => ({ ...step, at }))

it('tells every step in words, with what was said, what it brought, and no secret', () => {
  const { steps: told, use, number } = traceOf({ number: 3, purpose: 'question', withheld: false, steps })
  expect([number, use?.outcome]).toEqual([3, 'stopped'])
  expect(told.map(({ seq, kind, words }) => [seq, kind, words])).toEqual([
    [1, 'started', 'Began with the prompts investigate 2; may be told logs; at most 120 s, 8 turns, 12 questions, 30000 tokens.'],
    [2, 'resumed', 'Went on from the rows after a stop.'],
    [3, 'asked', 'claude (anthropic) was asked, with 1000 tokens set aside; its last turn.'],
    [4, 'answered', 'claude answered and asked; 800 tokens read, 60 said.'],
    [5, 'failed', 'claude (anthropic) gave no answer: timeout.'],
    [6, 'result', 'read_logs came to: ok.'],
    [7, 'corrected', 'Its report could not be used, and it was asked to mend it.'],
    [8, 'compacted', 'There was no more room: what it had read already was told in a line each.'],
    [9, 'ended', 'Ended: stopped.'],
  ])
  expect(told[3]?.texts.map(({ name }) => name)).toEqual(['What it said', 'It called read_logs'])
  expect(told[5]?.evidence).toEqual(['E3'])
  expect(JSON.stringify(told)).not.toContain(KEY)
  expect(JSON.stringify(told)).not.toContain('unread')
})

it('leaves out all that was said where the reader may not read it', () => {
  const { steps: told } = traceOf({ number: 1, purpose: 'question', withheld: true, steps })
  expect(told.flatMap(({ texts }) => texts)).toEqual([])
  expect(told).toHaveLength(steps.length)
})
