import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..', '..')
const text = readFileSync(join(root, 'docs/threats.md'), 'utf8')
const rows = text
  .split('\n')
  .filter((line) => /^\| \d+ \|/.test(line))
  .map((line) => line.slice(2, -2).split(' | '))

test('each threat to what is pressed and shown on Slack, what comes in, what is planned, what is carried out and what others offer has its row, its control and its tests', () => {
  expect(rows.map(([number]) => Number(number))).toEqual([
    ...Array.from({ length: 18 }, (_, index) => 1 + index),
    ...[35, 36, 37, 63, 64, 70],
    ...Array.from({ length: 10 }, (_, index) => 25 + index),
    ...Array.from({ length: 10 }, (_, index) => 43 + index),
    57,
  ])
  expect(rows.filter((cells) => cells.length !== 4 || cells.some((cell) => cell.trim() === ''))).toEqual([])
})

test('every test it names is there, in the file it names', () => {
  const named = rows.flatMap(([, , , tests = '']) => tests.split(' · '))
  const missing = named.filter((reference) => {
    const [, file = '', title = ''] = /^(\S+\.test\.ts): (.+)$/.exec(reference.trim()) ?? []
    const path = join(root, file)
    return file === '' || !existsSync(path) || !readFileSync(path, 'utf8').includes(`'${title}'`)
  })
  expect(named.length).toBeGreaterThan(60)
  expect(missing).toEqual([])
})
