/**
 * Text from outside (log lines, labels, tickets, names, a model's words) made fit to be shown: what cannot be seen, what reorders the line and
 * what imitates other letters is taken away or made plain. Every platform's renderer relies on it and adds its own escaping.
 */

/** Seen by nobody, or changing how the text around it is drawn: bidi and other format characters, joiners, fillers, tags, private use. */
const UNSEEN = /[\p{Default_Ignorable_Code_Point}\p{Cf}\p{Co}\p{Cn}]/gu
const BREAKS = /[\p{Cc}\p{Zl}\p{Zp}\s]+/gu
/** Letters drawn to look like bold, italic or script Latin: formatting that nobody made. */
const STYLED_LETTERS = /[\u{1d400}-\u{1d7ff}]/gu
const STACKED_MARKS = /(\p{M}{2})\p{M}+/gu
const PICTURES = /\p{Emoji_Presentation}/gu
const WORD = /[\p{L}\p{M}\p{N}]+/gu
const LATIN = /\p{Script=Latin}/u
/** Scripts with letters that pass for Latin ones. */
const LOOKALIKE = /[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}\p{Script=Cherokee}\p{Script=Coptic}\p{Script=Lisu}]/gu
const PRINTABLE_ASCII = /^[\x20-\x7e]*$/
const NOT_PRINTABLE_ASCII = /[^\x20-\x7e]/gu
/** What our own plan titles and probes may hold beside ASCII. */
const NOT_PLAIN_WORDS = /[^\x20-\x7e·–…×≤≥→%]/gu
const ODD_SPACES = /^ | $| {2,}/g

/** Prose on one line, at most `max` code points. Idempotent. */
export function cleanText(text: string, max = 3_000): string {
  const seen = text
    .slice(0, max * 8)
    .toWellFormed()
    .normalize('NFC')
    .replace(STYLED_LETTERS, (letter) => letter.normalize('NFKC'))
    .replace(BREAKS, ' ')
    .replace(UNSEEN, '')
    .replace(STACKED_MARKS, '$1')
    .replace(PICTURES, codePoint)
    .replace(WORD, showLookalikes)
    .replace(/ {2,}/g, ' ')
    .trim()
  return cutText(seen, max)
}

/** What no renderer may let through, whoever made the text: unseen characters go, breaks become spaces. Lengths of words stay as they are. */
export function withoutUnseen(text: string): string {
  return text.toWellFormed().replace(BREAKS, ' ').replace(UNSEEN, '')
}

/** A name, id or value, where each character matters: nothing is dropped, and whatever is not plain ASCII is shown as its code point. */
export function exactText(text: string): string {
  return showExactly(text, NOT_PRINTABLE_ASCII)
}

/** A sentence that people approve: as `exactText`, with the few typographic characters that our own words use. */
export function exactWords(text: string): string {
  return showExactly(text, NOT_PLAIN_WORDS)
}

/** At most `max` code points, the last one `…` when something was left out. */
export function cutText(text: string, max: number): string {
  if (text.length <= max) return text
  const points = [...text]
  return points.length <= max ? text : `${points.slice(0, Math.max(0, max - 1)).join('')}…`
}

function showExactly(text: string, hidden: RegExp): string {
  const shown = PRINTABLE_ASCII.test(text) ? text : text.toWellFormed().replace(hidden, codePoint)
  return shown.replace(ODD_SPACES, (spaces) => '[U+0020]'.repeat(spaces.length))
}

function showLookalikes(word: string): string {
  return LATIN.test(word) ? word.replace(LOOKALIKE, codePoint) : word
}

function codePoint(character: string): string {
  return `[U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`
}
