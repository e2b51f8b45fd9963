import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { REFUSALS } from '../../agent/domain/refusal.ts'
import { CHECKERS } from '../../storage/invariants.ts'

const root = join(import.meta.dirname, '..', '..')
const text = readFileSync(join(root, 'docs/approvals.md'), 'utf8')
const schema = globSync('storage/migrations/**/*.ts', { cwd: root })
  .map((path) => readFileSync(join(root, path), 'utf8'))
  .join('\n')

/** The cells of each row of the table under a heading, without its own heading rows. */
function rowsUnder(heading: string): string[][] {
  const section = text.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? ''
  const lines = section.split('\n').filter((line) => line.startsWith('| '))
  return lines.slice(1).map((line) =>
    line
      .slice(2, -2)
      .split(' | ')
      .map((cell) => cell.trim()),
  )
}

const rules = rowsUnder('Each rule, what holds it, what tests it, what checks it')

test('each rule names what holds it, its tests and its check', () => {
  expect(rules.length).toBeGreaterThan(12)
  expect(rules.filter((cells) => cells.length !== 5 || cells.some((cell) => cell === ''))).toEqual([])
})

test('every constraint, trigger, index and function it names is in the migrations', () => {
  const named = rules.flatMap(([, , held]) => [...(held ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? ''))
  const missing = named.filter((name) => !new RegExp(`\\b(constraint|trigger|index|function) ${name}\\b`).test(schema))
  expect(named.length).toBeGreaterThan(80)
  expect(missing).toEqual([])
})

test('every guard and named constraint of the kernel that a rule could lean on is named', () => {
  const guards = [...schema.matchAll(/create function (\w+_guard)\(/g)].map(([, name]) => name ?? '')
  expect(guards.filter((name) => !text.includes(`\`${name}\``))).toEqual([])
})

test('every test it names is there, in the file it names', () => {
  const named = rules.flatMap(([, , , tests]) => (tests ?? '').split(' · '))
  const missing = named.filter((reference) => {
    const [, file = '', title = ''] = /^(\S+\.test\.ts): (.+)$/.exec(reference) ?? []
    const path = join(root, 'test/storage/kernel', file)
    return file === '' || !existsSync(path) || !readFileSync(path, 'utf8').includes(`'${title}'`)
  })
  expect(missing).toEqual([])
})

test('every checker query is named by a rule, and every rule names one', () => {
  const checks = rules.map((cells) => cells[4] ?? '')
  expect(CHECKERS.map(({ claim }) => claim).filter((claim) => !checks.includes(claim))).toEqual([])
  const others = ['Rows are as the chain says.', 'The re-render of every stored plan, outside SQL.']
  expect(checks.filter((check) => !others.includes(check) && !CHECKERS.some(({ claim }) => claim === check))).toEqual([])
})

test('every refusal stands there with its words', () => {
  expect(rowsUnder('Refusals')).toEqual(Object.entries(REFUSALS).map(([code, words]) => [`\`${code}\``, words]))
})
