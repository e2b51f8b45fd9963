import { expect, test } from 'vitest'
import { runMutants } from '../../faults/mutants/start.ts'

const TIMEOUT_MS = 300_000
const GUARDS_OF_A_VOTE = ['--files', 'votes', '--only', 'vote_guard: without perform refuse']

test('each guard of a vote is missed by some test', { timeout: TIMEOUT_MS }, async () => {
  const { code, lines } = await runMutants([...GUARDS_OF_A_VOTE])
  expect(lines.filter((line) => line.startsWith('UNEXPLAINED'))).toEqual([])
  expect(lines.filter((line) => line.startsWith('killed')).length).toBeGreaterThanOrEqual(12)
  expect(code).toBe(0)
})

test('a guard that no test looks at is printed, and fails the run', { timeout: TIMEOUT_MS }, async () => {
  const { code, lines } = await runMutants(['--files', 'turns', '--only', "vote_guard: without perform refuse('frozen')"])
  expect(lines).toContain("UNEXPLAINED vote_guard: without perform refuse('frozen');")
  expect(code).toBe(1)
})
