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

const LEVEL =
  /^[[(<]?(?:trace|debug|info|information|notice|warn|warning|error|err|severe|critical|crit|alert|emerg|fatal|failure|panic|[vdiwef])[\])>]?[,:]?$/i
const TIME = /^[[(]?\d+[-/.:T,]\d+(?:[-/.:T,_+Z\d]*)[\])]?,?$/
const CALENDAR = /^(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6}[,.]?$/i
const NUMBER = /^[[(]?-?\d+[\])]?,?$/
const PUNCTUATION = /^[^\p{L}\p{N}[(<]+$/u

/** Learns the header from lines of one source; of too few lines nothing is learned. Lines that differ from the rest lose no word of their own. */
export function learnHeader(sample: readonly string[]): LogHeader {
  const lines = sample.slice(0, MAX_SAMPLE).filter((line) => line.trim() !== '')
  if (lines.length < FEWEST_LINES) return { messageStart: () => 0 }
  const kinds = lines.map((line) => columnsOf(line, MAX_COLUMNS).map(kindOf))
  const agreed = Array.from({ length: MAX_COLUMNS }, (_, column) => agreedKind(kinds, column))
  // A dash at its end is looked for rather than counted: what stands before it may be of several words.
  const columns = agreed.findLastIndex((kind) => kind !== null && kind !== 'w' && kind !== 'p') + 1
  const endsInName = agreed[columns - 1] === 'c'
  const bare = (line: string): number => skipColumns(line, columns, endsInName)
  const dashed = lines.filter((line) => dashAfter(line, bare(line)) !== null).length >= AGREEMENT * lines.length
  return { messageStart: dashed ? (line) => dashAfter(line, bare(line)) ?? bare(line) : bare }
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
  if (NUMBER.test(text)) return 'n'
  if (TIME.test(text) || CALENDAR.test(text)) return 't'
  if (text.endsWith(':')) return 'c'
  if (text.startsWith('[') && text.endsWith(']')) return 'b'
  return PUNCTUATION.test(text) ? 'p' : 'w'
}

function agreedKind(lines: readonly (readonly Kind[])[], column: number): Kind | null {
  const counts = new Map<Kind, number>()
  for (const kinds of lines) {
    const kind = kinds[column]
    if (kind) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  }
  const [most] = [...counts].toSorted(([, a], [, b]) => b - a)
  return most && most[1] >= AGREEMENT * lines.length ? most[0] : null
}
