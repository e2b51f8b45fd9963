import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createJournal } from '../../../integrations/local/shop/journal.ts'
import { temporaryFolder } from '../../support/peer-process.ts'

let folder: { path: string; remove(): void }
beforeEach(() => {
  folder = temporaryFolder()
})
afterEach(() => folder.remove())

test('traces fill the directory once for each time that somebody asks for them', () => {
  const journal = createJournal(folder.path, 'checkout-1')
  const traces = (): string[] => readdirSync(join(folder.path, 'journal')).filter((file) => file.startsWith('trace-'))
  const fill = (): void => {
    for (let order = 0; order < 60; order += 1) journal.trace({ order })
  }
  fill()
  expect(journal.usedRatio()).toBeCloseTo(1, 5)
  expect(() => journal.write({ order: 61 })).toThrow('ENOSPC')
  for (const file of traces()) rmSync(join(folder.path, 'journal', file))
  // What was archived must not come back while the fault still lasts, or nobody could mend it.
  fill()
  expect(traces()).toEqual([])
  journal.endTraces()
  fill()
  expect(journal.usedRatio()).toBeCloseTo(1, 5)
})
