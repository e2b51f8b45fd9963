import { expect, it } from 'vitest'
import type { ModelUse } from '../../../agent/agent.ts'
import { modelBlocks } from '../../../bot/messages/model-lines.ts'

const use: ModelUse = {
  ...{ provider: 'p', model: 'house-model-7', outcome: 'concluded', words: 'it concluded' },
  spent: { seconds: 14.4, turns: 3, calls: 2, tokens: 6_240, dollars: 0.031, repeats: 0 },
  budget: { seconds: 120, turns: 8, calls: 12, tokens: 30_000, dollars: 0.5 },
  questions: [],
  review: null,
}
const lineOf = (changed: Partial<ModelUse>): string => {
  const note = modelBlocks({ ...use, ...changed }).at(-1)
  return note?.type === 'note' ? note.spans.map((span) => ('text' in span ? span.text : '')).join('') : ''
}

it('a card says what a model cost, of what it might', () => {
  expect(modelBlocks(null)).toEqual([])
  expect(lineOf({})).toBe('house-model-7 has looked · 6,240 of 30,000 tokens · 2 of 12 questions · 14 of 120 s · $0.03 of $0.50')
  expect(lineOf({ outcome: null, spent: { ...use.spent, dollars: null } })).toBe(
    'house-model-7 is looking · 6,240 of 30,000 tokens · 2 of 12 questions · 14 of 120 s',
  )
  expect(lineOf({ outcome: 'stopped', words: 'its tokens were used up' })).toMatch(/^house-model-7 stopped: its tokens were used up · /)
})

it.each<[NonNullable<ModelUse['review']>['verdict'], string | null, string[], string]>([
  ['agrees', null, [], 'other-model agrees'],
  ['agrees', 'payments runs v42.', ['E6'], 'other-model agrees: payments runs v42. [E6]'],
  ['undecided', null, [], 'other-model cannot decide'],
  [
    'disagrees',
    'checkout failed first.',
    ['E2', 'E3'],
    'other-model disagrees, so that the first one’s word counts half: checkout failed first. [E2, E3]',
  ],
  ['disagrees', null, [], 'other-model disagrees, and nothing it says is borne out: nothing changes'],
  [null, 'it gave no answer (timeout)', [], 'other-model gave no second opinion: it gave no answer (timeout)'],
])('tells in one line what a second one says: %s, %s', (verdict, words, cites, line) => {
  expect(lineOf({ review: { provider: 'q', model: 'other-model', verdict, words, cites } })).toBe(line)
})

it('shows what it would ask, as text', () => {
  expect(JSON.stringify(modelBlocks({ ...use, questions: ['Was v42 tested?\u202e'] }))).toContain('"Was v42 tested?"')
})
