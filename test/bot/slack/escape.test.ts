import { describe, expect, test } from 'vitest'
import { escapeCode, escapeMrkdwn, escapeNotification, safeUrl } from '../../../bot/slack/escape.ts'

describe('mrkdwn', () => {
  test.each([
    ['a & b < c > d', 'a &amp; b &lt; c &gt; d'],
    ['<!channel>', '&lt;!channel&gt;'],
    ['&lt;', '&amp;lt;'],
    ['*bold* ~gone~', '∗bold∗ ∼gone∼'],
    ['`code`', 'ˋcodeˋ'],
    ['_slanted_ snake_case_name', 'ˍslantedˍ snake_case_name'],
    [':tada: at 12:30:45 and a::b :100: x:1234:', '∶tada: at 12:30:45 and a::b ∶100: x∶1234:'],
    ['@here mail a@b.example #general issue#4', '＠here mail a@b.example ＃general issue#4'],
    ['> quote', '› quote'],
    ['5 > 4', '5 &gt; 4'],
    ['pay\u202ements\u200b\nnow', 'payments now'],
  ])('%j becomes %j', (text, escaped) => expect(escapeMrkdwn(text)).toBe(escaped))

  test('code cannot be left', () => expect(escapeCode('a`*b*`<!here>')).toBe('aˋ*b*ˋ&lt;!here&gt;'))
  test('the notification has no address in it', () =>
    expect(escapeNotification('see https://evil.example')).toBe('see https∶//evil.example'))
})

describe('an address', () => {
  test.each([
    ['https://ops.example/#/incidents/INC-1/E1', 'https://ops.example/#/incidents/INC-1/E1'],
    ['http://127.0.0.1:8080/#/a|b', 'http://127.0.0.1:8080/#/a%7Cb'],
    ['https://ops.example/<!channel>', 'https://ops.example/%3C!channel%3E'],
    ['javascript:alert(1)', null],
    ['https://user:secret@ops.example/', null],
    ['not an address', null],
    [`https://ops.example/${'x'.repeat(3_000)}`, null],
  ])('%s becomes %s', (url, safe) => expect(safeUrl(url, 3_000)).toBe(safe))
})
