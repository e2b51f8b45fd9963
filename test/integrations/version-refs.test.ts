import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { refOf } from '../../integrations/ports/version-refs.ts'
import { anyText } from '../support/any-text.ts'

describe('a version as a state of a repository', () => {
  test.each([
    ['{version}', 'v42', 'v42'],
    ['v{version}', '1.4.2', 'v1.4.2'],
    ['payments/v{version}', '42', 'payments/v42'],
    ['{version}', '1.0.0+build.7', '1.0.0+build.7'],
    ['{commit}', '3f2a1bc', '3f2a1bc'],
    ['main-{commit}', 'main-3f2a1bc0', '3f2a1bc0'],
    ['sha-{commit}-arm', 'sha-3f2a1bc0-arm', '3f2a1bc0'],
  ])('%s, of %s', (pattern, version, ref) => expect(refOf(pattern, version)).toBe(ref))

  test.each([
    ['main-{commit}', 'dev-3f2a1bc0'],
    ['main-{commit}', 'main-42'],
    ['{commit}', 'latest'],
    ['{version}', 'revision 4'],
  ])('%s is not %s', (pattern, version) => expect(refOf(pattern, version)).toBeNull())

  test('never reaches out of its repository, nor is a range', () => {
    fc.assert(
      fc.property(fc.constantFrom('{version}', 'v{version}', '{commit}'), anyText(), (pattern, version) => {
        const ref = refOf(pattern, version)
        return ref === null || (!ref.includes('..') && /^[\w./+-]+$/.test(ref) && !ref.startsWith('/'))
      }),
    )
  })
})
