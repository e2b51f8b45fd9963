import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readPolicySource } from '../../bot/policy-file.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'steadyhand-policy-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const written = (text: string): string => {
  const path = join(folder, 'policy.yaml')
  writeFileSync(path, text)
  return path
}

test('the built-in text stands in where none is configured', () => {
  expect(readPolicySource(null, 'version: 1\nrules: []\n')).toEqual({ text: 'version: 1\nrules: []\n', value: { version: 1, rules: [] } })
})

test('the file is read, and never the built-in text instead of it', () => {
  expect(readPolicySource(written('version: 1'), 'other: 2')).toEqual({ text: 'version: 1', value: { version: 1 } })
  expect(readPolicySource(written(''), 'other: 2')).toEqual({ text: '', value: null })
})

test.each([
  ['a folder', () => folder, 'cannot be read'],
  ['nothing', () => join(folder, 'none.yaml'), 'cannot be read'],
  ['no YAML', () => written('rules: ['), 'is not YAML'],
  ['a key twice', () => written('a: 1\na: 2'), 'is not YAML'],
  [
    'a bomb',
    () =>
      written(
        ['a: &a [x]', 'b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]', 'c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]', 'd: [*c,*c,*c,*c,*c,*c,*c]'].join('\n'),
      ),
    'is not YAML',
  ],
])('%s is a problem in words, never a throw', (_, path, words) => {
  expect(readPolicySource(path(), 'version: 1')).toEqual({ problem: expect.stringContaining(words) })
})
