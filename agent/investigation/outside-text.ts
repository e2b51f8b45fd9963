import { redact } from '../redact.ts'

/** Controls, line breaks and marks that reorder or hide text. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu

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
