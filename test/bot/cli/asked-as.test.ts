import { describe, expect, test } from 'vitest'
import { askedWords } from '../../../bot/cli/doctor.ts'
import { widestKey } from '../../../bot/cli/server-at.ts'

const space = (name: string, keys: string[], services: string[] | null = [name]) => ({
  ...{ name, keys, services, environments: null, data: [], people: [], channels: [] },
})
const key = (name: string | null) => ({ name, key: `key of ${name}` })
const settings = (names: (string | null)[], ...workspaces: ReturnType<typeof space>[]) => ({ api: { keys: names.map(key) }, workspaces })

describe('which key the host asks with', () => {
  test.each([
    ['none', settings([]), undefined],
    ['the first, while everybody sees everything', settings([null, 'a']), null],
    ['one that belongs to somebody, before one that sees nothing', settings([null, 'a'], space('pay', ['a'])), 'a'],
    ['the one of the most workspaces', settings(['a', 'b'], space('pay', ['a', 'b']), space('web', ['b'])), 'b'],
    ['the one of everything', settings(['a', 'b'], space('pay', ['a']), space('web', ['a']), space('all', ['b'], null)), 'b'],
  ])('%s', (_, given, name) => expect(widestKey(given)?.name).toBe(name))

  test('is said by its name, with what it sees, and never by what is secret', () => {
    expect(askedWords(settings([]))).toBe('asked without a key')
    expect(askedWords(settings([null, null]))).toBe('asked with the key without a name (number 1 of 2)')
    expect(askedWords(settings(['a']))).toBe('asked with the key "a"')
    expect(askedWords(settings([null, 'a'], space('pay', ['a']), space('web', ['a'])))).toContain(
      '"a", which sees the workspaces pay, web: ',
    )
    expect(askedWords(settings([null], space('pay', [])))).toContain('which sees no workspace')
    expect(askedWords(settings(['a'], space('pay', ['a'])))).not.toContain('key of')
  })
})
