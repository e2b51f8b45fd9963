import { describe, expect, test } from 'vitest'
import { clockReads, environmentReads, impurities } from './code-rules.ts'
import { product } from './product.ts'
import { parseSource } from './source.ts'

describe('the product', () => {
  test('reads the environment only in bot/config.ts', () => expect(environmentReads(product)).toEqual([]))
  test('reads the clock only in bot/main.ts', () => expect(clockReads(product)).toEqual([]))
  test('keeps agent/domain and agent/policy pure', () => expect(impurities(product)).toEqual([]))
})

describe('the environment rule', () => {
  test.each([
    'const port = process.env.PORT',
    "const port = process['env']['PORT']",
    'const { env } = process',
    "import { env } from 'node:process'",
  ])('sees %s', (text) => expect(environmentReads([parseSource('bot/server.ts', text)])).toEqual(['bot/server.ts:1']))

  test('lets bot/config.ts, other members of process and the word itself be', () => {
    const config = parseSource('bot/config.ts', 'const port = process.env.PORT')
    const other = parseSource('bot/server.ts', "const env = 'process.env'; process.exitCode = 1 // process.env")
    expect(environmentReads([config, other])).toEqual([])
  })
})

describe('the clock rule', () => {
  test.each(['const at = Date.now()', 'const at = new Date()', 'const now = Date.now', 'const at = Date()'])('sees %s', (text) => {
    expect(clockReads([parseSource('agent/jobs.ts', `\n${text}`)])).toEqual(['agent/jobs.ts:2'])
  })

  test('lets a given time, bot/main.ts and the programs of the local target be', () => {
    const sources = ['bot/main.ts', 'integrations/local/shop/storefront.ts'].map((path) =>
      parseSource(path, 'const now = () => new Date()'),
    )
    expect(clockReads([...sources, parseSource('agent/jobs.ts', "const day = new Date('2026-01-01')")])).toEqual([])
  })
})

describe('the purity rule', () => {
  test.each([
    'export const f = async () => 1',
    'const x = Promise.resolve(1)',
    'export type X = Promise<string>',
    'setTimeout(() => {}, 1)',
    "fetch('http://127.0.0.1')",
    'const at = new Date()',
  ])('sees %s', (text) => expect(impurities([parseSource('agent/policy/gates.ts', text)])).not.toEqual([]))

  test('lets plain functions and folders with steps be', () => {
    const pure = parseSource('agent/domain/plan.ts', 'export const shorter = (a: string, b: string) => a.length < b.length')
    expect(impurities([pure, parseSource('agent/jobs.ts', 'export const f = async () => 1')])).toEqual([])
  })
})
