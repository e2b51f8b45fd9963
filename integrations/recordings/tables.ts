const HEADING = /^\s*(NAME|NAMESPACE|LAST SEEN|TYPE|Type)\b/

/** The rows of a kubectl table, by the words of its heading; empty for text that is no table. */
export function readTable(text: string, isHeading: RegExp = HEADING): Record<string, string>[] {
  const lines = text.split('\n').map((line) => line.trimEnd())
  const at = lines.findIndex((line) => isHeading.test(line))
  const heading = lines[at]
  if (heading === undefined) return []
  const columns = columnsOf(heading)
  return lines
    .slice(at + 1)
    .filter((line) => line.trim() !== '' && !/^\s*-+(\s+-+)*$/.test(line))
    .map((line) => Object.fromEntries(columns.map(({ name, from, to }) => [name, line.slice(from, to).trim()])))
}

/** Headings are words in capitals, two spaces or more apart. */
function columnsOf(heading: string): { name: string; from: number; to: number }[] {
  const found = [...heading.matchAll(/\S+(?: \S+)*/g)]
  return found.map((match, i) => ({
    name: match[0].toUpperCase(),
    from: i === 0 ? 0 : match.index,
    to: found[i + 1]?.index ?? Number.MAX_SAFE_INTEGER,
  }))
}

/** The number of seconds in `3d4h`, `5m32s` or `90s`; null for what is none. */
export function secondsIn(age: string | undefined): number | null {
  const parts = [...(age ?? '').matchAll(/(\d+)(y|d|h|m|s)(?![a-z])/g)]
  if (parts.length === 0) return null
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (SECONDS[unit ?? ''] ?? 0), 0)
}

const SECONDS: Readonly<Record<string, number>> = { y: 31_536_000, d: 86_400, h: 3_600, m: 60, s: 1 }

/** The moment of an age, seen from the recording's present. */
export function momentOf(age: string | undefined, at: Date): Date | null {
  const seconds = secondsIn(age)
  return seconds === null ? null : new Date(at.getTime() - seconds * 1_000)
}

/** `a=b,c=d`; empty for `<none>`. */
export function labelsIn(text: string | undefined): Record<string, string> {
  const pairs = (text ?? '').split(',').flatMap((pair) => {
    const cut = pair.indexOf('=')
    return cut > 0 ? [[pair.slice(0, cut).trim(), pair.slice(cut + 1).trim()] as const] : []
  })
  return Object.fromEntries(pairs)
}
