import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { withValue } from '../../../integrations/github/actions/yaml-value.ts'

const VALUES = `# what payments may use
resources:
  limits: { memory: "256Mi", cpu: 1 }   # of each pod
  requests:
    memory: 128Mi
env:
  - name: POOL
    value: '10'
enabled: true
base: &usual 3
other: *usual
note: |
  long
`

describe('one value of a document', () => {
  test.each([
    ['resources.limits.memory', '512Mi', '"256Mi"', '"512Mi"', 3],
    ['resources.requests.memory', '256Mi', '128Mi', '256Mi', 5],
    ['resources.requests.memory', 'a: b', '128Mi', "'a: b'", 5],
    ['resources.requests.memory', true, '128Mi', "'true'", 5],
    ['resources.limits.cpu', 2, '1', '2', 3],
    ['resources.limits.cpu', '0.5', '1', '0.5', 3],
    ['env.0.value', 20, "'10'", "'20'", 8],
    ['enabled', false, 'true', 'false', 9],
  ])('%s becomes %j, and nothing else changes', (path, to, from, written, line) => {
    const replaced = withValue(VALUES, path, to)
    expect(replaced).toMatchObject({ ok: true, from, to: written, line })
    const [before, after] = [VALUES, replaced.ok ? replaced.text : ''].map((text) => text.split('\n'))
    expect(after?.filter((each, i) => each !== before?.[i])).toHaveLength(1)
  })

  test.each([
    ['resources', '1', 'has no single value'],
    ['resources.limits.disk', '1', 'has no single value'],
    ['env.7.value', '1', 'has no single value'],
    ['resources.limits.cpu', 'much', 'is a number, and much is none'],
    ['enabled', 'yes', 'is a boolean'],
    ['enabled', true, 'is true already'],
    ['base', 4, 'left to people'],
    ['note', 'short', 'left to people'],
  ])('%s to %j is refused', (path, to, words) =>
    expect(withValue(VALUES, path, to)).toMatchObject({ ok: false, words: expect.stringContaining(words) }),
  )

  test.each(['a: 1\n---\nb: 2\n', '', 'a: [1', 'a: 1\na: 2\n', '{{ .Values.a }}: 1\nb'])('not of %j', (text) =>
    expect(withValue(text, 'a', 3).ok).toBe(false),
  )

  test('JSON stays JSON', () => {
    const replaced = withValue('{\n  "pool": { "size": 10, "name": "a" }\n}\n', 'pool.name', 'b"c')
    expect(replaced.ok && JSON.parse(replaced.text)).toEqual({ pool: { size: 10, name: 'b"c' } })
  })

  test('whatever is written reads back as the same document with that value', () => {
    const text = fc.string({ unit: 'grapheme-ascii', maxLength: 30 })
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[a-z]{1,6}$/), text, { minKeys: 1 }), text, (held, to) => {
        const [key = ''] = Object.keys(held)
        const replaced = withValue(stringify(held), key, to)
        return !replaced.ok || JSON.stringify(parse(replaced.text)) === JSON.stringify({ ...held, [key]: to })
      }),
    )
  })
})
