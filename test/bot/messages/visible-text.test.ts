import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cleanText, cutText, exactText, exactWords, withoutUnseen } from '../../../bot/messages/visible-text.ts'
import { anyText } from '../../support/any-text.ts'

describe('prose from outside', () => {
  test.each([
    ['bidi controls', 'pay\u202eme\u202c\u2066nts\u2069', 'paymments'.replace('mm', 'm')],
    ['zero-width characters', 'pay\u200bme\u200dnts\ufeff\u00ad', 'payments'],
    ['tag characters', 'payments\u{e0041}\u{e0042}', 'payments'],
    ['line breaks and control characters', ' a\r\nb\u2028c\u0000\u0007d\t e ', 'a b c d e'],
    ['letters drawn bold', '\u{1d400}\u{1d429}\u{1d429}\u{1d42b}\u{1d428}\u{1d42f}\u{1d41e}', 'Approve'],
    ['piled-up marks', `e${'\u0301'.repeat(9)}`, 'é\u0301\u0301'],
    ['lone surrogates', 'a\ud800b', 'a\ufffdb'],
    ['pictures', '✅ Verified', '[U+2705] Verified'],
    ['letters of another script inside a Latin word', 'p\u0430yments is down', 'p[U+0430]yments is down'],
  ])('loses its %s', (_what, text, shown) => expect(cleanText(text)).toBe(shown))

  test.each(['José pays 5 €, naïvely – “thrice”…', 'Оплата не прошла', '支払いに失敗しました', 'errors ≤ 5 % → fine'])(
    'keeps %s',
    (text) => {
      expect(cleanText(text)).toBe(text)
    },
  )

  test('is cut between characters', () => {
    expect(cutText('𠮷𠮷𠮷𠮷', 3)).toBe('𠮷𠮷…')
    expect(cleanText('x'.repeat(10_000), 20)).toBe(`${'x'.repeat(19)}…`)
  })

  test('is the same when cleaned twice', () => {
    fc.assert(
      fc.property(anyText(60), (text) => {
        expect(cleanText(cleanText(text))).toBe(cleanText(text))
      }),
      { numRuns: 2_000 },
    )
  })

  test('never holds a character that cannot be seen', () => {
    fc.assert(
      fc.property(anyText(60), (text) => {
        for (const shown of [cleanText(text), withoutUnseen(text), exactText(text)]) {
          expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Default_Ignorable_Code_Point}\u2028\u2029]/u)
        }
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('a name or value', () => {
  test.each([
    ['payments', 'payments'],
    ['p\u0430yments', 'p[U+0430]yments'],
    ['pay\u200bments', 'pay[U+200B]ments'],
    ['a\nb', 'a[U+000A]b'],
    [' a  b ', '[U+0020]a[U+0020][U+0020]b[U+0020]'],
    ['a b', 'a b'],
  ])('%j is shown as %s', (name, shown) => expect(exactText(name)).toBe(shown))

  test('looks different from every other', () => {
    const plain = anyText(20).filter((text) => !text.includes('[U+') && text.isWellFormed())
    fc.assert(
      fc.property(plain, plain, (one, other) => {
        expect(exactText(one) === exactText(other)).toBe(one === other)
      }),
      { numRuns: 2_000 },
    )
  })

  test('may be a sentence with our own signs', () => expect(exactWords('errors ≤ 5 % · v42 → v41…')).toBe('errors ≤ 5 % · v42 → v41…'))
})
