/** Longer than this is no command; the rest would only be echoed. */
const MAX_LENGTH = 2_000
const MAX_WORDS = 100

/** What somebody typed, taken apart: the first word, the rest as words (quotes keep several together), and the rest as it was. */
export interface ParsedCommand {
  /** Lower case; empty when nothing was typed. */
  name: string
  words: string[]
  rest: string
}

/**
 * Takes any text apart; there is no text it fails on. '/sre', a mention of the bot and quotes as phones write them ("smart" ones) are
 * understood, so that the same words work wherever they are typed.
 */
export function parseCommand(text: string): ParsedCommand {
  const plain = text
    .slice(0, MAX_LENGTH)
    .toWellFormed()
    .normalize('NFKC')
    .replace(/[\u201c\u201d\u201e\u00ab\u00bb]/g, '"')
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim()
    .replace(/^(?:\/sre(?=\s|$)|<@[A-Z0-9]+>|@steadyhand(?=\W|$))[\s:,]*/i, '')
  const [name = '', ...words] = wordsOf(plain)
  return { name: name.toLowerCase(), words, rest: plain.slice(plain.indexOf(name) + name.length).trim() }
}

/** A length of time as people type it, '90m', '2h', '1d', in seconds; null for anything else or more than 90 days. */
export function parseDuration(text: string): number | null {
  const match = /^(\d{1,5})(s|m|h|d)$/.exec(text.toLowerCase())
  if (!match) return null
  const seconds = Number(match[1]) * ({ s: 1, m: 60, h: 3_600, d: 86_400 }[match[2] ?? ''] ?? 0)
  return seconds > 0 && seconds <= 90 * 86_400 ? seconds : null
}

function wordsOf(text: string): string[] {
  const found = text.matchAll(/"([^"]*)"?|(\S+)/g)
  return [...found]
    .slice(0, MAX_WORDS)
    .map((match) => match[1] ?? match[2] ?? '')
    .filter((word) => word !== '')
}
