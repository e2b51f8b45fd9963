import { expect, test } from 'vitest'
import { product } from './product.ts'
import { lineCount, sizeFigures } from './sizes.ts'
import { parseSource } from './source.ts'

const LONGEST_MAIN = 150

test(`bot/main.ts has at most ${LONGEST_MAIN} lines`, () => {
  const main = product.find(({ path }) => path === 'bot/main.ts')
  expect(main).toBeDefined()
  expect(lineCount(main?.text ?? '')).toBeLessThanOrEqual(LONGEST_MAIN)
})

test('sizes count lines of files and of functions longer than one', () => {
  const source = parseSource('agent/a.ts', 'export const one = () => 1\n\nexport function three() {\n  return 3\n}\n')
  expect(sizeFigures([source])).toEqual([
    { name: 'agent files', count: 1, median: 5, p90: 5, largest: '5 agent/a.ts' },
    { name: 'agent functions', count: 1, median: 3, p90: 3, largest: '3 agent/a.ts:3' },
  ])
})
