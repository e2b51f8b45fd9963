/**
 * What stands before the message in each line of one source: time, level, process, thread, component. It is learned from the first lines, by what
 * kind of thing stands in each column; no format is configured.
 */
export interface LogHeader {
  /** Where the message of this line begins. */
  messageStart(line: string): number
}

const MAX_COLUMNS = 12
/** A column belongs to the header when this share of the lines has the same kind of thing there. */
const AGREEMENT = 0.9
/** A lone dash ends the header when at most so many words stand between. */
const DASH_WITHIN = 4
const FEWEST_LINES = 10
const MAX_SAMPLE = 500

/** time, number, level, bracketed, punctuation, name with a colon, word */
type Kind = 't' | 'n' | 'l' | 'b' | 'p' | 'c' | 'w'
/** How many words may stand before it without it being part of the message: a host stands before a name. */
const WORDS_BEFORE: Readonly<Record<Exclude<Kind, 'w'>, number>> = { t: 4, l: 4, n: 1, b: 1, c: 1, p: 0 }

const LEVEL =
  /^[[(<]?(?:trace|debug|info|information|notice|warn|warning|error|err|severe|critical|crit|alert|emerg|fatal|failure|panic|[vdiwef])[\])>]?[,:]?$/i
const TIME = /^[[(]?\d+[-/.:T,]\d+(?:[-/.:T,_+Z\d]*)[\])]?,?$/
const TIME_IN_BRACKETS = /^\[[^\]]*\d[:.]\d\d[^\]]*\]$/
const CALENDAR = /^(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mon|tue|wed|thu|fri|sat|sun)[,.]?$/i
/** Seconds or milliseconds since 1970. */
const EPOCH = /^[[(]?1\d{9}(?:\d{3}|\.\d+)?[\])]?,?$/
const NUMBER = /^[[(]?-?\d+[\])]?,?$/
const PUNCTUATION = /^[^\p{L}\p{N}[(<]+$/u

/** Learns the header from lines of one source; of too few lines nothing is learned. Lines that differ from the rest lose no word of their own. */
export function learnHeader(sample: readonly string[]): LogHeader {
  const lines = sample.slice(0, MAX_SAMPLE).filter((line) => line.trim() !== '')
  if (lines.length < FEWEST_LINES) return { messageStart: () => 0 }
  const table = lines.map((line) => columnsOf(line, MAX_COLUMNS))
  const agreed = Array.from({ length: MAX_COLUMNS }, (_, column) => mostCommon(table.map((row) => kindOf(row[column] ?? ''))))
  const sameWord = agreed.map((kind, column) => kind === 'w' && mostCommon(table.map((row) => row[column] ?? '')) !== null)
  const columns = columnsOfHeader(agreed, sameWord)
  if (columns === 0) return { messageStart: () => 0 }
  const endsInName = agreed[columns - 1] === 'c'
  const bare = (line: string): number => skipColumns(line, columns, endsInName)
  const dashed = lines.filter((line) => dashAfter(line, bare(line)) !== null).length >= AGREEMENT * lines.length
  return { messageStart: dashed ? (line) => dashAfter(line, bare(line)) ?? bare(line) : bare }
}

/**
 * Up to the last column that belongs to no message: a time or a level, or what follows them closely. Without either there is no header. A number
 * behind a word that is always the same is the message's, as in `took 5 ms`. A dash at the end is not counted but looked for: what stands before
 * it may be of several words.
 */
function columnsOfHeader(agreed: readonly (Kind | null)[], sameWord: readonly boolean[]): number {
  if (!agreed.some((kind) => kind === 't' || kind === 'l')) return 0
  let columns = 0
  let words = 0
  for (const [column, kind] of agreed.entries()) {
    const isText = kind === 'n' && words > 0 && sameWord[column - 1] === true
    const isHeader = kind !== null && kind !== 'w' && !isText && words <= WORDS_BEFORE[kind]
    if (isHeader && kind !== 'p') columns = column + 1
    words = isHeader ? 0 : words + 1
  }
  return columns
}

/** Parted by blanks and bars; what stands in square brackets is one. */
function columnsOf(line: string, limit: number): string[] {
  const columns: string[] = []
  for (let start = skipGap(line, 0); start < line.length && columns.length < limit; ) {
    const end = endOfColumn(line, start)
    columns.push(line.slice(start, end))
    start = skipGap(line, end)
  }
  return columns
}

/** Where the text behind so many columns begins. A line without the colon of the last name keeps that word. */
function skipColumns(line: string, columns: number, endsInName: boolean): number {
  let at = skipGap(line, 0)
  for (let column = 1; column <= columns && at < line.length; column += 1) {
    const end = endOfColumn(line, at)
    if (endsInName && column === columns && line.charCodeAt(end - 1) !== COLON) return at
    at = skipGap(line, end)
  }
  return at
}

/** Where the text behind a lone dash begins that stands shortly after `start`; null when there is none. */
function dashAfter(line: string, start: number): number | null {
  let at = start
  for (let column = 0; column <= DASH_WITHIN && at < line.length; column += 1) {
    const end = endOfColumn(line, at)
    const next = skipGap(line, end)
    if (end === at + 1 && line.charCodeAt(at) === DASH) return next
    at = next
  }
  return null
}

function skipGap(line: string, start: number): number {
  let at = start
  while (at < line.length && isGap(line.charCodeAt(at))) at += 1
  return at
}

function endOfColumn(line: string, start: number): number {
  let depth = 0
  for (let at = start; at < line.length; at += 1) {
    const code = line.charCodeAt(at)
    if (code === OPENING) depth += 1
    else if (code === CLOSING && depth > 0) depth -= 1
    else if (depth === 0 && isGap(code)) return at
  }
  return depth === 0 ? line.length : endOfWord(line, start)
}

/** A bracket that nobody closes holds nothing together. */
function endOfWord(line: string, start: number): number {
  let at = start
  while (at < line.length && !isGap(line.charCodeAt(at))) at += 1
  return at
}

const OPENING = 91
const CLOSING = 93
const COLON = 58
const DASH = 45
/** Blank, tab, bar. */
const isGap = (code: number): boolean => code === 32 || code === 9 || code === 124

function kindOf(text: string): Kind {
  if (LEVEL.test(text)) return 'l'
  if (EPOCH.test(text)) return 't'
  if (NUMBER.test(text)) return 'n'
  if (TIME.test(text) || TIME_IN_BRACKETS.test(text) || CALENDAR.test(text)) return 't'
  if (text.endsWith(':')) return 'c'
  if (text.startsWith('[') && text.endsWith(']')) return 'b'
  return PUNCTUATION.test(text) ? 'p' : 'w'
}

/** What nearly all of them are; null when they differ. */
function mostCommon<T extends string>(items: readonly T[]): T | null {
  const counts = new Map<T, number>()
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1)
  const [most] = [...counts].toSorted(([, a], [, b]) => b - a)
  return most && most[1] >= AGREEMENT * items.length ? most[0] : null
}
