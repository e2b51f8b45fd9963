import type { LogLine } from './logs.ts'

const WORDS: readonly (readonly [LogLine['level'], RegExp])[] = [
  ['error', /^(err(or)?|fatal|crit(ical)?|alert|emerg(ency)?|panic|severe)$/i],
  ['warn', /^warn(ing)?$/i],
  ['info', /^(info(rmation)?|notice)$/i],
  ['debug', /^(debug|trace|fine(r|st)?|verbose)$/i],
]
/** Lines without a level of their own that tell of a failure. */
const FAILURE = /\b(error|fatal|panic|exception|traceback|critical|segfault|out of memory)\b/i
const LEVEL_IN_TEXT = /\b(?:level|lvl|severity)["']?\s*[=:]\s*["']?([a-z]+)/i
/** Where a level stands by itself near the beginning: `2026-11-21T10:00:00Z ERROR …`, `[warn] …`. */
const LEVEL_AT_START = /^.{0,60}?[\s[(|](error|fatal|critical|warn|warning|info|debug|trace)[\s\])|:]/i
const MAX_SEARCHED = 2_000

/** A server's own filter for lines that `levelOf` may call errors, as an RE2 expression. It lets more through, never less. */
export const MAY_BE_ERROR = '(?i)(err|fatal|panic|exception|traceback|crit|severe|alert|emerg|segfault|out of memory)'

/** The level a line states, by its field or its text. */
export function levelOfLine(text: string, stated: string | null): LogLine['level'] {
  const head = text.slice(0, MAX_SEARCHED)
  const word = stated ?? LEVEL_IN_TEXT.exec(head)?.[1] ?? LEVEL_AT_START.exec(` ${head}`)?.[1] ?? null
  const known = word === null ? undefined : WORDS.find(([, pattern]) => pattern.test(word))
  if (known) return known[0]
  return FAILURE.test(head) ? 'error' : 'info'
}
