import { redact } from '../redact.ts'

/** Controls, line breaks and marks that reorder or hide text. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu

/** Controls but line breaks, and marks that reorder or hide text. */
const UNSEEN = /[^\P{Cc}\n]+|[\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}]+/gu

/** Marks around words, and what pages and notes hide from their readers. In this order: a comment may hold anything. */
const MARKUP: readonly (readonly [RegExp, string])[] = [
  [/<!--[\s\S]*?(?:-->|$)/g, ' '],
  [/<(script|style|template)\b[\s\S]*?(?:<\/\1\s*>|$)/gi, ' '],
  [/<\/?[a-z][^<>]*>/gi, ' '],
  [/!\[([^\]\n]{0,500})\]\([^()\n]{0,2000}\)/g, '$1'],
  [/\[([^\]\n]{0,500})\]\([^()\n]{0,2000}\)/g, '$1'],
  [/^\[[^\]\n]{1,500}\]:.*$/gm, ' '],
]

/** Text from outside in its lines: without secrets, unseen characters, and markup with whatever it hides; at most `max` characters. */
export function plainText(text: string, max: number): string {
  const seen = text.toWellFormed().replace(UNSEEN, ' ')
  const plain = MARKUP.reduce((current, [pattern, replacement]) => current.replace(pattern, replacement), seen)
  return redact(plain)
    .replace(/[^\S\n]+/g, ' ')
    .replace(/\s*\n\s*/g, '\n')
    .trim()
    .slice(0, max)
    .toWellFormed()
}

/**
 * Text from outside on one line, without secrets and invisible characters, of at most `max` characters. Double quotes become single ones, so
 * that a quotation in a claim ends where we end it.
 */
export function oneLine(text: string, max: number): string {
  // Masks are found in the first part only: a line of megabytes must not cost seconds.
  const clean = redact(text.slice(0, max * 4))
    .replace(INVISIBLE, ' ')
    .replace(/["“”„‟]/g, "'")
    .replace(/\s+/g, ' ')
    .trim()
  return clean.length <= max ? clean : `${clean.slice(0, max - 1).toWellFormed()}…`
}
