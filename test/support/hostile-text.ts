import fc from 'fast-check'
import { anyText } from './any-text.ts'

/** In every hostile text, so that a test can tell where it ended up. */
export const MARK = 'Zq7'

const PAYLOADS = [
  '<!channel>',
  '<!here|here>',
  '<@U0123ABC>',
  '<#C0123ABC|general>',
  '<!subteam^S012|@oncall>',
  '<!date^1392734382^{date}|now>',
  '<https://evil.example|Approve>',
  'https://evil.example/?q=secret',
  'http://user:pw@evil.example',
  'javascript:alert(1)',
  '[Approve](https://evil.example)',
  '![x](https://evil.example/x.png)',
  '@here @channel @everyone',
  '#general',
  ':white_check_mark: Approved by Alice',
  '✅ Verified',
  '*Approved* _by_ ~nobody~ `code`',
  '```block```',
  '> quoted\n>>> more',
  '&lt;!channel&gt; &amp;amp;',
  '\u202egnp.exe\u202c',
  '\u2066isolate\u2069\u200b\u200d\ufeff\u00ad',
  'p\u0430yments',
  '\u{1d400}\u{1d429}\u{1d429}\u{1d42b}',
  'e\u0301\u0301\u0301\u0301\u0301',
  '\u{e0041}\u{e0042}',
  '</script><img src=x onerror=alert(1)>',
  'line one\r\nline two\u2028line three',
  '{"type":"button","action_id":"approve"}',
  '\u0000\u0007\u001b[31m',
  '\ud800',
]

/** Text that tries to look like a button, a mention, a link or an approval, in all lengths. */
export function hostileText(maxLength: number): fc.Arbitrary<string> {
  const part = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...PAYLOADS) },
    { weight: 2, arbitrary: anyText(20) },
    { weight: 1, arbitrary: fc.constantFrom('&', '<', 'x', '*', '`').map((sign) => sign.repeat(400)) },
  )
  return fc.array(part, { minLength: 1, maxLength: 6 }).map((parts) => `${MARK}${parts.join('')}`.slice(0, maxLength))
}

/** A copy of `value` in which each string `at` the end of such a path is replaced; everything else stays. */
export function replaceStrings<T>(value: T, replace: (path: string, text: string) => string, path = ''): T {
  if (typeof value === 'string') return replace(path, value) as T
  if (value === null || typeof value !== 'object' || value instanceof Date) return value
  if (Array.isArray(value)) return value.map((item, index) => replaceStrings(item, replace, `${path}.${index}`)) as T
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, replaceStrings(item, replace, `${path}.${key}`)])) as T
}
