import { oneLine } from './outside-text.ts'

const MOST_PLACES = 20
const MOST_TEXT = 4_000
/** Characters of all lines together. */
const MOST_READ = 200_000
const MOST_WORD = 300
/** What stands around a place in a stack trace, in the languages that people run. */
const BETWEEN = /[\s()<>[\]{}"'`,;=]+/
const SOURCE = /\.(?:[cm]?[jt]sx?|py|go|java|kts?|scala|groovy|rb|rs|php|cs|fs|ex|exs|clj|swift|c|cc|cpp|h|hpp|sql|lua|pl|vue|sh)$/i
const LINE = /^\d{1,7}$/

/** Places in the program that lines of a log name, the first seen first: 'src/charge.ts:42', 'app/pool.py:88'. */
export function placesIn(texts: readonly string[]): string[] {
  const places = new Set<string>()
  let read = 0
  for (const text of texts) {
    if (places.size >= MOST_PLACES || read >= MOST_READ) break
    read += Math.min(text.length, MOST_TEXT)
    for (const place of placesOf(text)) places.add(place)
  }
  return [...places].slice(0, MOST_PLACES)
}

function placesOf(text: string): string[] {
  const words = text
    .slice(0, MOST_TEXT)
    .split(BETWEEN)
    .filter((word) => word.length <= MOST_WORD)
  return words.flatMap((word, i) => {
    const [path = '', line = ''] = word.replace(/^file:\/\//, '').split(':')
    if (!SOURCE.test(path)) return []
    if (LINE.test(line)) return [shown(path, line)]
    // Python: File "app/pool.py", line 88
    return words[i + 1] === 'line' && LINE.test(words[i + 2] ?? '') ? [shown(path, words[i + 2] ?? '')] : []
  })
}

function shown(path: string, line: string): string {
  return oneLine(`${path}:${line}`, MOST_WORD)
}
