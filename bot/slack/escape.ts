import { withoutUnseen } from '../messages/visible-text.ts'

/**
 * mrkdwn has no escape for its own signs, so where text from outside has one that would take effect, its typographic twin stands instead. Text
 * that has to stay exactly as it is belongs into rich text, where nothing is parsed.
 */
const TWINS: readonly (readonly [RegExp, string])[] = [
  [/\*/g, '∗'],
  [/~/g, '∼'],
  [/`/g, 'ˋ'],
  [/(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, 'ˍ'],
  // Of names made of digits only these two are pictures; a time of day is none.
  [/:(?=(?!\d+:)[\w+'-]+:|100:|1234:)/g, '∶'],
  [/(?<![\p{L}\p{N}])@(?=[\p{L}\p{N}])/gu, '＠'],
  [/(?<![\p{L}\p{N}])#(?=[\p{L}\p{N}])/gu, '＃'],
  [/^(\s*)>/, '$1›'],
]

/** Text as mrkdwn that shows it and does nothing else: no form, link, mention or emoji. */
export function escapeMrkdwn(text: string): string {
  const plain = TWINS.reduce((done, [sign, twin]) => done.replace(sign, twin), withoutUnseen(text))
  return escapeEntities(plain)
}

/** Text between backticks. */
export function escapeCode(text: string): string {
  return escapeEntities(withoutUnseen(text).replaceAll('`', 'ˋ'))
}

/** The notification: it is parsed like mrkdwn and cannot be told to leave addresses alone. */
export function escapeNotification(text: string): string {
  return escapeMrkdwn(text).replaceAll('://', '∶//')
}

/** Slack's three control characters, in the order that keeps the others intact. */
function escapeEntities(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

/** An address that may become a link: http or https without credentials, or null. */
export function safeUrl(url: string, max: number): string | null {
  const parsed = URL.parse(url)
  if (!parsed || !['http:', 'https:'].includes(parsed.protocol) || parsed.username !== '' || parsed.password !== '') return null
  const href = parsed.href.replaceAll('|', '%7C')
  return href.length <= max ? href : null
}
