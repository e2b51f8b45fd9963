import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'

const root = join(import.meta.dirname, '..', '..')
const config = `
import { createSummaryReporter } from '${join(import.meta.dirname, 'summary-reporter.ts')}'
export default { test: { reporters: ['default', createSummaryReporter()] } }`

function runSuite(files: Record<string, string>): { lines: string[]; status: number | null } {
  const folder = mkdtempSync(join(tmpdir(), 'steadyhand-summary-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  writeFileSync(join(folder, 'vitest.config.ts'), config)
  for (const [name, text] of Object.entries(files))
    writeFileSync(join(folder, name), `import { beforeAll, describe, expect, test } from 'vitest'\n${text}`)
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
  const { stdout, status } = spawnSync(process.execPath, [vitest, 'run'], {
    cwd: folder,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] },
  })
  return { lines: stdout.trimEnd().split('\n'), status }
}

test('the last line counts what passed, failed and was skipped, after the reasons for skips', () => {
  const { lines, status } = runSuite({
    'one.test.ts': "test('a', () => {}); test('b', () => expect(1).toBe(2)); test('c', (context) => context.skip('no Redis'))",
    'two.test.ts':
      "test('d', () => {}); test('e', (context) => context.skip('no Redis')); test('f', (context) => context.skip('no Redis'))",
  })
  expect(lines.at(-1)).toBe('2 passed, 1 failed, 3 skipped')
  expect(lines.slice(-3, -1).sort()).toEqual(['skipped 1: one.test.ts: no Redis', 'skipped 2: two.test.ts: no Redis'])
  expect(status).toBe(1)
})

test('a suite or a file that breaks outside its tests, and an error nobody handled, count as failed', () => {
  const { lines, status } = runSuite({
    'file.test.ts': "throw new Error('broken file')",
    'suite.test.ts': "describe('s', () => { beforeAll(() => { throw new Error('broken suite') }); test('g', () => {}) })",
    'late.test.ts':
      "test('h', () => { setTimeout(() => { throw new Error('late') }, 0); return new Promise((done) => setTimeout(done, 50)) })",
  })
  expect(lines.at(-1)).toBe('1 passed, 3 failed, 1 skipped')
  expect(status).toBe(1)
})
