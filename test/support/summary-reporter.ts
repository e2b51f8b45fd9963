import { writeSync } from 'node:fs'
import type { Reporter, TestModule } from 'vitest/node'

export type LaneSummary = {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  /** How many tests were skipped for each reason the tests gave. */
  readonly skips: ReadonlyMap<string, number>
}

/**
 * Prints, as the very last line of a run, `N passed, N failed, N skipped`, after one line for each reason tests were skipped for.
 * A file or suite that breaks outside its tests, and an error nobody handled, count as one failure each.
 */
export function createSummaryReporter(): Reporter {
  return {
    onTestRunEnd(modules, unhandledErrors) {
      const summary = summarise(modules, unhandledErrors.length)
      // Other reporters print while this one is called: only the process's end is surely after them.
      process.once('exit', () => writeSync(1, formatSummary(summary)))
    },
  }
}

export function formatSummary({ passed, failed, skipped, skips }: LaneSummary): string {
  const reasons = [...skips].map(([reason, count]) => `skipped ${count}: ${reason}`)
  return [...reasons, `${passed} passed, ${failed} failed, ${skipped} skipped`, ''].join('\n')
}

function summarise(modules: readonly TestModule[], unhandledErrors: number): LaneSummary {
  const count = { passed: 0, failed: unhandledErrors, skipped: 0 }
  const skips = new Map<string, number>()
  for (const module of modules) {
    count.failed += brokenParts(module)
    for (const test of module.children.allTests()) {
      const result = test.result()
      if (result.state === 'skipped') {
        count.skipped += 1
        const reason = `${module.relativeModuleId}: ${result.note ?? 'no reason given'}`
        skips.set(reason, (skips.get(reason) ?? 0) + 1)
      } else count[result.state === 'passed' ? 'passed' : 'failed'] += 1
    }
  }
  return { ...count, skips }
}

function brokenParts(module: TestModule): number {
  const suites = [...module.children.allSuites()].filter((suite) => suite.errors().length > 0)
  return suites.length + (module.errors().length > 0 ? 1 : 0)
}
