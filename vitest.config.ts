import { defineConfig } from 'vitest/config'
import { createSummaryReporter } from './test/support/summary-reporter.ts'

/** As many forks as the smallest machine has cores: more only makes the tests that measure time unsteady. */
const MAX_WORKERS = 2
const TIMEOUT_MS = 30_000
/** How long `expect.poll` asks again, on a machine that does other work, too. */
const POLL_MS = 5_000
/** Test databases live for a second: what V8 spends on optimising PGlite's code comes too late for them. It halves the CPU of a run. */
const V8_FLAGS = ['--liftoff-only']

const project = (name: string, include: string[], exclude: string[] = [], groupOrder = 0) => ({
  extends: true as const,
  test: { name, include, exclude: ['**/node_modules/**', ...exclude], sequence: { groupOrder } },
})

/** What breaks a real shop by overloading it needs the machine for itself, or the shop breaks in other ways, too. */
const ALONE = ['test/live/drills.test.ts']

export default defineConfig({
  cacheDir: 'node_modules/.cache/vite',
  test: {
    environment: 'node',
    pool: 'forks',
    execArgv: V8_FLAGS,
    maxWorkers: MAX_WORKERS,
    maxConcurrency: MAX_WORKERS,
    testTimeout: TIMEOUT_MS,
    hookTimeout: TIMEOUT_MS,
    teardownTimeout: TIMEOUT_MS,
    expect: { poll: { timeout: POLL_MS } },
    reporters: ['default', createSummaryReporter()],
    projects: [
      project('unit', ['test/**/*.test.ts'], ['test/live/**', 'test/faults/**']),
      project('live', ['test/live/**/*.test.ts'], ALONE),
      project('live alone', ALONE, [], 1),
      project('faults', ['test/faults/**/*.test.ts']),
    ],
  },
})
