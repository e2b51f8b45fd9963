import type { EvidenceItem } from '../domain/evidence.ts'
import type { Claim } from '../domain/hypothesis.ts'
import type { Statement } from './candidate.ts'
import { type EvidenceIndex, indexEvidence } from './evidence-index.ts'
import { citable } from './said-back.ts'

/** Words with digits or capitals that are this product's own and name nothing of the world. */
const OWN_WORDS: ReadonlySet<string> = new Set(['p50', 'p99', 'CPU', 'UTC', 'HTTP', 'OOM', 'MiB'])

/**
 * How a number in a claim may differ from the number in the evidence: by the unit it is written in, and by rounding to the digits it is
 * written with. Nothing else counts as the same number.
 */
const SCALES: Readonly<Record<string, readonly number[]>> = { '%': [100, 1], ms: [1_000, 1], MiB: [1 / 1_048_576, 1], '': [1] }

const TIME = /\b\d{2}:\d{2}:\d{2}\b/g
const QUOTE = /“([^”]*)”/g
const NUMBER = /(?<![\w.])-?\d+(?:\.\d+)?(?![\w]|\.\d)(?:\s?(%|ms\b|MiB\b))?/g
const TOKEN = /[\p{L}\p{N}_][\p{L}\p{N}_./:-]*[\p{L}\p{N}_]|[\p{L}\p{N}_]/gu

/** Which statements the evidence bears out. `names` are the services of the inventory: they are names however they are spelt. */
export function createCitationCheck(evidence: readonly EvidenceItem[], names: ReadonlySet<string>): (statement: Statement) => Claim {
  const indexes = new Map(evidence.map((item) => [item.label, item]))
  const cache = new Map<string, EvidenceIndex>()
  const indexOf = (label: string): EvidenceIndex | null => {
    const item = indexes.get(label)
    if (!item || item.status === 'failed' || item.status === 'denied') return null
    const index = cache.get(label) ?? indexEvidence(citable(item))
    cache.set(label, index)
    return index
  }
  return ({ text, cites }) => {
    const cited = cites.map(indexOf)
    const sound = cited.filter((index) => index !== null)
    const supported = cited.length > 0 && sound.length === cited.length && missingFrom(text, sound, names).length === 0
    return { text, cites: [...cites], supported }
  }
}

/** Every number, moment, name and quotation of the text that none of the cited items holds. */
export function missingFrom(text: string, cited: readonly EvidenceIndex[], names: ReadonlySet<string>): string[] {
  const quotes = [...text.matchAll(QUOTE)].map(([, quote = '']) => quote)
  const plain = text.replace(QUOTE, ' ')
  const times = [...plain.matchAll(TIME)].map(([time]) => time)
  const timeless = plain.replace(TIME, ' ')
  return [
    ...quotes.filter((quote) => !cited.some(({ strings }) => strings.some((string) => string.includes(quote)))),
    ...times.filter((time) => !cited.some((index) => index.times.has(time))),
    ...[...timeless.matchAll(NUMBER)]
      .filter(([written, unit]) => !cited.some((index) => holdsNumber(index, written, unit ?? '')))
      .map(([written]) => written),
    ...namesIn(timeless, names).filter((name) => !cited.some((index) => index.tokens.has(name))),
  ]
}

function holdsNumber({ numbers }: EvidenceIndex, written: string, unit: string): boolean {
  const digits = /-?\d+(?:\.(\d+))?/.exec(written)
  if (!digits) return false
  const value = Number(digits[0])
  const tolerance = 0.5 * 10 ** -(digits[1]?.length ?? 0) + 1e-9
  return (SCALES[unit] ?? [1]).some((scale) => numbers.some((number) => Math.abs(number * scale - value) <= tolerance))
}

/** What names something: a known service, or a word with a digit, an inner capital or an inner sign, as versions, errors and hosts have. */
function namesIn(text: string, names: ReadonlySet<string>): string[] {
  const tokens = [...text.matchAll(TOKEN)].map((match) => ({ word: match[0], first: isFirst(text, match.index) }))
  return tokens.filter(({ word, first }) => !OWN_WORDS.has(word) && (names.has(word) || looksLikeName(word, first))).map(({ word }) => word)
}

function looksLikeName(word: string, first: boolean): boolean {
  if (/^\d+([.,]\d+)?$/.test(word)) return false
  const hasDigit = /\p{N}/u.test(word)
  const hasInnerSign = /[\p{L}\p{N}][_./:][\p{L}\p{N}]/u.test(word)
  const hasCapital = /\p{Lu}/u.test(first ? word.slice(1) : word)
  return hasDigit || hasInnerSign || hasCapital
}

function isFirst(text: string, index: number): boolean {
  const before = text.slice(0, index).trimEnd()
  return before === '' || /[.!?:;]$/.test(before)
}
