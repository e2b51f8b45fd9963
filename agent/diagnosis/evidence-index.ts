const TOKEN = /[\p{L}\p{N}_][\p{L}\p{N}_./:-]*[\p{L}\p{N}_]|[\p{L}\p{N}_]/gu
const TIMESTAMP = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}/
const NUMBER = /(?<![\w.])-?\d+(?:\.\d+)?/g

/** What a claim may cite of one item. */
export interface EvidenceIndex {
  numbers: readonly number[]
  /** HH:MM:SS in UTC. */
  times: ReadonlySet<string>
  /** Words, whole and by their parts: 'service/payments' holds 'payments'. */
  tokens: ReadonlySet<string>
  strings: readonly string[]
}

/** Everything of a stored content that can bear out a claim: its numbers, moments, words and texts, of keys and values alike. */
export function indexEvidence(content: unknown): EvidenceIndex {
  const numbers: number[] = []
  const strings: string[] = []
  collect(content, numbers, strings)
  const times = strings.filter((string) => TIMESTAMP.test(string)).flatMap(timeOf)
  const texts = strings.filter((string) => !TIMESTAMP.test(string))
  const words = texts.flatMap((text) => [...text.matchAll(TOKEN)].map(([word]) => word))
  return {
    numbers: [...numbers, ...texts.flatMap((text) => [...text.matchAll(NUMBER)].map(([number]) => Number(number)))],
    times: new Set(times),
    tokens: new Set(words.flatMap((word) => [word, ...word.split(/[/:]/)])),
    strings: texts,
  }
}

function collect(value: unknown, numbers: number[], strings: string[]): void {
  if (typeof value === 'number') numbers.push(value)
  else if (typeof value === 'string') strings.push(value)
  else if (Array.isArray(value)) for (const item of value) collect(item, numbers, strings)
  else if (typeof value === 'object' && value !== null) {
    for (const [key, field] of Object.entries(value)) {
      strings.push(key)
      collect(field, numbers, strings)
    }
  }
}

/** Rounded as claims round: to the second, downwards. */
function timeOf(timestamp: string): string[] {
  const time = new Date(timestamp)
  return Number.isNaN(time.getTime()) ? [] : [time.toISOString().slice(11, 19)]
}
