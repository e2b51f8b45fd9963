/** What stands for a part of a line that varies. */
export const VARIABLE = '<*>'

const LONGEST = 4_000
const AGAIN = `${VARIABLE} (${VARIABLE})`
const UNITS = new Set([
  ...['b', 'kb', 'mb', 'gb', 'tb', 'kib', 'mib', 'gib', 'tib', 'byte', 'bytes', 'k', 'm', 'g'],
  ...[
    'ns',
    'us',
    'µs',
    'ms',
    's',
    'sec',
    'secs',
    'second',
    'seconds',
    'min',
    'mins',
    'minute',
    'minutes',
    'h',
    'hour',
    'hours',
    'day',
    'days',
  ],
  ...['millis', 'millisecond', 'milliseconds', '%', 'percent'],
])
const LONGEST_UNIT = 12

/**
 * The shape of a message: its words, with what is a value by its form replaced by `<*>`: everything with a digit, paths and addresses, and what
 * stands behind an equals sign. A list of values, a value with its unit, and the same value again in brackets are one value. One pass over the
 * characters; blanks are single in the result.
 *
 * @param start where the message begins in the line
 */
export function shapeOf(line: string, start = 0): string {
  const end = Math.min(line.length, start + LONGEST)
  let out = ''
  let isAfterValue = false
  // Plain words that follow each other are taken over in one piece: most of most lines.
  let from = -1
  let to = -1
  for (let at = start; at < end; ) {
    if (isBlank(line.charCodeAt(at))) {
      at += 1
      continue
    }
    const plain = isAfterValue ? 0 : endOfPlainWord(line, at, end)
    if (plain > 0) {
      if (at !== to + 1 || line.charCodeAt(to) !== BLANK) {
        if (from !== -1) out = append(out, line.slice(from, to))
        from = at
      }
      to = plain
      at = plain
      continue
    }
    if (from !== -1) out = append(out, line.slice(from, to))
    from = -1
    const stop = endOfWord(line, at, end)
    const word = isCalendar(line, at, stop) ? VARIABLE : shapeOfWord(line, at, stop)
    at = stop
    const unit = isAfterValue ? unitIn(word) : 0
    if (isAfterValue && isValue(word)) continue
    if (unit > 0) {
      out += word.slice(unit)
      if (unit < word.length && out.endsWith(AGAIN)) out = out.slice(0, -AGAIN.length) + VARIABLE
    } else out = append(out, isValue(word) ? VARIABLE : word)
    isAfterValue = out.endsWith(VARIABLE)
  }
  return from === -1 ? out : append(out, line.slice(from, to))
}

const BLANK = 32
const append = (out: string, word: string): string => (out === '' ? word : `${out} ${word}`)

/** Where a word ends that is taken as it is; 0 when there is more to it. */
function endOfPlainWord(line: string, start: number, end: number): number {
  let at = start
  for (; at < end; at += 1) {
    const code = line.charCodeAt(at)
    if (isBlank(code)) break
    if (code < 128 && (KIND[code] !== 0 || code === DOT)) return 0
  }
  return at - start === 3 && isCalendar(line, start, at) ? 0 : at
}

const isBlank = (code: number): boolean => code === 32 || code === 9

/** A value, or one of which only a bound is known. */
const isValue = (word: string): boolean =>
  word === VARIABLE || word === `<${VARIABLE}` || word === `>${VARIABLE}` || word === `~${VARIABLE}`

/** How long the unit is that a word begins with, apart from punctuation behind it; 0 when it is none. */
function unitIn(word: string): number {
  if (word.length > LONGEST_UNIT) return 0
  if (UNITS.has(word)) return word.length
  let length = word.length
  while (length > 0 && ',;:.)]}'.includes(word.charAt(length - 1))) length -= 1
  return UNITS.has(word.slice(0, length).toLowerCase()) ? length : 0
}

const CALENDAR = new Set('Mon Tue Wed Thu Fri Sat Sun Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' '))

/** The name of a day or month of a date: the date goes on behind it. */
function isCalendar(line: string, start: number, stop: number): boolean {
  if (stop !== start + 3 || !CALENDAR.has(line.slice(start, stop))) return false
  const next = line.slice(stop).trimStart().slice(0, 4)
  return /^\d/.test(next) || (next.endsWith(' ') && CALENDAR.has(next.slice(0, 3)))
}

/** To the next blank; what stands in quotes behind an equals sign has its blanks with it. */
function endOfWord(line: string, start: number, end: number): number {
  let stop = start
  while (stop < end && !isBlank(line.charCodeAt(stop))) {
    if (line.charCodeAt(stop) === EQUALS && line.charCodeAt(stop + 1) === QUOTE) {
      const close = line.indexOf('"', stop + 2)
      if (close !== -1 && close < end) stop = close
    }
    stop += 1
  }
  return stop
}

/** Kinds of characters: 0 part of a name, 1 digit, 2 punctuation. */
const KIND = Uint8Array.from({ length: 128 }, (_, code) => {
  if (code >= 48 && code <= 57) return 1
  const isName = (code >= 65 && code <= 90) || (code >= 97 && code <= 122) || '_-.$%'.includes(String.fromCharCode(code))
  return isName ? 0 : 2
})
/** Between two values these make one value of them. */
const JOINS = new Set([...'.:/-,#@+~&?;|'].map((char) => char.charCodeAt(0)))
const SLASH = 47
const EQUALS = 61
const DOT = 46

function shapeOfWord(line: string, start: number, stop: number): string {
  let out = ''
  let at = start
  let isAfterValue = false
  while (at < stop) {
    const code = line.charCodeAt(at)
    const address = isAfterValue ? 0 : endOfHexAddress(line, at, stop)
    if (address > 0) {
      out += VARIABLE
      isAfterValue = true
      at = address
      continue
    }
    if (!isPunctuation(line, at)) {
      const { to, hasDigit } = scanName(line, at, stop)
      if (hasDigit && !isAfterValue) out += VARIABLE
      else if (!hasDigit) out += line.slice(at, to)
      isAfterValue = hasDigit
      at = to
      continue
    }
    const path = code === SLASH ? endOfPath(line, at, stop) : 0
    if (path > 0) {
      if (!isAfterValue) out += VARIABLE
      isAfterValue = true
      at = path
      continue
    }
    at += 1
    if (isAfterValue && JOINS.has(code) && startsValue(line, at, stop)) continue
    out += line[at - 1]
    isAfterValue = false
    if (code !== EQUALS) continue
    const value = endOfValue(line, at, stop)
    if (value === at) continue
    out += VARIABLE
    isAfterValue = true
    at = value
  }
  return out
}

const COLON = 58
const HEX = new Set([...'0123456789abcdefABCDEF'].map((char) => char.charCodeAt(0)))

/** Where an address of hexadecimal groups ends, such as 5c:50:15:4c:18:13; 0 when there is none. */
function endOfHexAddress(line: string, start: number, stop: number): number {
  let groups = 0
  let at = start
  for (let from = start; at <= stop; at += 1) {
    const code = line.charCodeAt(at)
    if (at < stop && HEX.has(code)) continue
    if (at - from < 1 || at - from > 4) return 0
    groups += 1
    if (at === stop || code !== COLON) break
    from = at + 1
  }
  return groups >= 4 ? at : 0
}

/** Dots in a row are filling. */
function isPunctuation(line: string, at: number): boolean {
  const code = line.charCodeAt(at)
  return code < 128 && (KIND[code] === 2 || (code === DOT && (line.charCodeAt(at + 1) === DOT || line.charCodeAt(at - 1) === DOT)))
}

function scanName(line: string, start: number, stop: number): { to: number; hasDigit: boolean } {
  let to = start
  let hasDigit = false
  for (; to < stop && !isPunctuation(line, to); to += 1) if (KIND[line.charCodeAt(to)] === 1) hasDigit = true
  return { to, hasDigit }
}

function startsValue(line: string, start: number, stop: number): boolean {
  return start < stop && !isPunctuation(line, start) && scanName(line, start, stop).hasDigit
}

/** Where an absolute path ends; 0 when there are not two slashes. */
function endOfPath(line: string, start: number, stop: number): number {
  let slashes = 0
  let at = start
  for (; at < stop; at += 1) {
    const code = line.charCodeAt(at)
    if (code === SLASH) slashes += 1
    else if (isPunctuation(line, at)) break
  }
  return slashes >= 2 ? at : 0
}

const OPENERS = new Set([...'([{'].map((char) => char.charCodeAt(0)))
const CLOSERS = new Set([...')]}'].map((char) => char.charCodeAt(0)))
const ENDS = new Set([...',;|'].map((char) => char.charCodeAt(0)))
const QUOTE = 34

/** A value in quotes ends with them, any other at what closes it. */
function endOfValue(line: string, start: number, stop: number): number {
  const close = line.charCodeAt(start) === QUOTE ? line.indexOf('"', start + 1) : -1
  let depth = 0
  for (let at = close !== -1 && close < stop ? close : start; at < stop; at += 1) {
    const code = line.charCodeAt(at)
    if (OPENERS.has(code)) depth += 1
    else if (depth > 0 && CLOSERS.has(code)) depth -= 1
    else if (depth === 0 && (ENDS.has(code) || CLOSERS.has(code))) return at
  }
  return stop
}
