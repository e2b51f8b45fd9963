import { expect, test } from 'vitest'
import { runMutants } from './mutants/start.ts'

const ALL_MS = 12 * 3_600_000

test('every constraint, trigger, statement and condition of the kernel is missed by some test', { timeout: ALL_MS }, async () => {
  // biome-ignore lint/suspicious/noConsole: the survivors are what this lane is run for
  const { code, lines } = await runMutants([], (line) => void (line.startsWith('killed') || console.log(line)))
  expect(lines.filter((line) => /^(UNEXPLAINED|NOT NEEDED|FAILS UNCHANGED)/.test(line))).toEqual([])
  expect(code).toBe(0)
})
