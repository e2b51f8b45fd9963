import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readRunbook } from '../../agent/knowledge/read-runbook.ts'
import { loadConfig } from '../../bot/config.ts'
import { listDrills } from '../../bot/main.ts'
import { readRunbookFolders } from '../../bot/runbook-folder.ts'

test('there is a runbook for every drill, each whole and for a class of faults', async () => {
  const { files, problems } = readRunbookFolders({ folder: null })
  expect(problems).toEqual([])
  const drills = await listDrills(loadConfig({}, tmpdir()))
  expect(files.map(({ name }) => name).toSorted()).toEqual(drills.map(({ name }) => `${name}.md`).toSorted())
  for (const { name, text } of files) {
    const read = readRunbook(name, text)
    expect([name, read.problems]).toEqual([name, []])
    const truth = drills.find((drill) => `${drill.name}.md` === name)?.truth.class
    expect(read.chunks.length).toBeGreaterThanOrEqual(3)
    for (const { classes } of read.chunks) expect(classes).toContain(truth)
  }
})

test('a team adds its own, stands in for built-in ones, and hears what was left out', () => {
  const folder = mkdtempSync(join(tmpdir(), 'steadyhand-runbooks-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'ours.md'), '# Ours')
  writeFileSync(join(folder, 'blip.md'), '# Our blip')
  writeFileSync(join(folder, 'README.md'), '# About this folder')
  writeFileSync(join(folder, 'notes.txt'), 'no runbook')
  writeFileSync(join(folder, 'huge.md'), 'x'.repeat(70_000))
  mkdirSync(join(folder, 'folder.md'))
  const { files, problems } = readRunbookFolders({ folder })
  const byName = new Map(files.map(({ name, text }) => [name, text]))
  expect([byName.get('ours.md'), byName.get('blip.md'), byName.has('bad-release.md')]).toEqual(['# Ours', '# Our blip', true])
  expect(['README.md', 'notes.txt', 'huge.md', 'folder.md'].filter((name) => byName.has(name))).toEqual([])
  expect(problems).toEqual([expect.stringContaining('huge.md is left out: it has 70000 bytes')])
  expect(readRunbookFolders({ folder: join(folder, 'nowhere') }).problems).toEqual([expect.stringContaining('cannot be read')])
})
