import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { knowledgeAddCommand } from '../../../bot/cli/knowledge.ts'
import { loadConfig } from '../../../bot/config.ts'

let folder: string
const at = (...names: string[]): string => join(folder, ...names)
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'steadyhand-knowledge-'))
  mkdirSync(at('ours'))
  writeFileSync(at('hung.md'), '---\nclasses: [job_stuck]\n---\n# A job hangs\n\nLook.\n\n## What to do\u202e\n\nRestart it.\n')
})
afterEach(() => rmSync(folder, { recursive: true }))

const add = async (files: string[], options: Record<string, boolean> = {}, runbooks = at('ours')): Promise<string> => {
  const lines: string[] = []
  const terminal = { say: (line = '') => void lines.push(line), progress: () => {} }
  const environment = runbooks === '' ? {} : { STEADYHAND_RUNBOOKS: runbooks }
  const settings = () => loadConfig(environment, folder)
  await knowledgeAddCommand.run({ terminal, words: files.map((file) => at(file)), options, settings, now: () => new Date() })
  return lines.join('\n')
}

test('copies what can be read, and says what was read', async () => {
  expect(await add(['hung.md'])).toBe(
    `hung.md: A job hangs, 2 parts\n  A job hangs · What to do\nCopied to ${at('ours')}: 1. Read at the next start.`,
  )
  expect(readFileSync(at('ours', 'hung.md'))).toEqual(readFileSync(at('hung.md')))
  expect(readdirSync(at('ours'))).toEqual(['hung.md'])
})

test('overwrites nothing unless told to', async () => {
  await add(['hung.md'])
  await add(['hung.md'])
  writeFileSync(at('hung.md'), '# Another\n\nText.\n')
  await expect(add(['hung.md'])).rejects.toThrow('With --replace this one takes its place')
  expect(readFileSync(at('ours', 'hung.md'), 'utf8')).toContain('A job hangs')
  expect(await add(['hung.md'], { replace: true })).toContain('hung.md: Another, 1 part\n')
  expect(readFileSync(at('ours', 'hung.md'), 'utf8')).toBe('# Another\n\nText.\n')
})

test.each([
  ['a class that nobody knows', 'a.md', '---\nclasses: [gremlins]\n---\n# A\n\nText.', '"gremlins" is no class of faults'],
  ['front matter that cannot be read', 'a.md', '---\nservices: 7\n---\n# A\n\nText.', 'its front matter is left out'],
  ['nothing in it', 'a.md', '# A\n', 'says nothing'],
  ['too much', 'a.md', 'x'.repeat(65 * 1024), 'at most 65536 are read'],
  ['a name that is not read', 'a.txt', '# A\n\nText.', 'is no runbook by its name'],
  ['a README', 'README.md', '# A\n\nText.', 'is no runbook by its name'],
])('of several, one of them with %s, copies none', async (_, name, text, words) => {
  writeFileSync(at(name), text)
  await expect(add(['hung.md', name])).rejects.toThrow(words)
  expect(readdirSync(at('ours'))).toEqual([])
})

test('needs files, and a folder that is there', async () => {
  await expect(add([])).rejects.toThrow('Name at least one file')
  await expect(add(['nothing.md'])).rejects.toThrow('cannot be read')
  await expect(add(['hung.md'], {}, '')).rejects.toThrow('There is no folder of runbooks')
  await expect(add(['hung.md'], {}, at('nowhere'))).rejects.toThrow('make it first')
  expect(existsSync(at('nowhere'))).toBe(false)
})
