import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const run = join(import.meta.dirname, '..', '..', 'bench', 'run.ts')
const bench = (...args: string[]) => spawnSync(process.execPath, [run, ...args], { encoding: 'utf8' })

test.each([
  [[], 'Which measurement? There are: '],
  [['nonsense'], 'There is no measurement nonsense. There are: '],
  [['report'], 'There is no measurement report.'],
  [['--speed'], "Unknown option '--speed'"],
])('%j ends with words about what there is', (args, words) => {
  const { status, stderr } = bench(...args)
  expect([status, stderr]).toEqual([2, expect.stringContaining(words)])
})
