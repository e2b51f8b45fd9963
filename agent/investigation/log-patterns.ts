import type { LogLine } from '../../integrations/ports/logs.ts'
import type { LogsContent } from '../diagnosis/evidence-content.ts'
import { oneLine } from './outside-text.ts'

const MAX_PATTERNS = 10
const MAX_TEXT = 200
const MAX_VERSIONS = 5

/** What varies between lines that say the same. */
const VARIABLE: readonly (readonly [RegExp, string])[] = [
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, '<id>'],
  [/\b(?:0x)?[0-9a-f]{12,}\b/gi, '<id>'],
  [/\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b/g, '<address>'],
  [/\d+(?:[.,]\d+)*/g, '<n>'],
]

/** Lines that say the same, counted, the most frequent first; the longest-standing first among equals. The text stays data. */
export function logPatterns(lines: readonly LogLine[]): LogsContent['patterns'] {
  const groups = new Map<string, LogLine[]>()
  for (const line of lines) {
    const pattern = patternOf(line.text)
    groups.set(pattern, [...(groups.get(pattern) ?? []), line])
  }
  return [...groups]
    .map(([pattern, group]) => describe(pattern, group))
    .sort((a, b) => b.count - a.count || (a.first < b.first ? -1 : 1))
    .slice(0, MAX_PATTERNS)
}

function patternOf(text: string): string {
  return VARIABLE.reduce((current, [pattern, mask]) => current.replace(pattern, mask), oneLine(text, MAX_TEXT))
}

function describe(pattern: string, lines: readonly LogLine[]): LogsContent['patterns'][number] {
  const times = lines.map(({ at }) => at.getTime())
  const versions = [...new Set(lines.flatMap(({ version }) => (version === null ? [] : [oneLine(version, 60)])))]
  return {
    pattern,
    sample: oneLine(lines[0]?.text ?? '', MAX_TEXT),
    count: lines.length,
    first: new Date(Math.min(...times)).toISOString(),
    last: new Date(Math.max(...times)).toISOString(),
    versions: versions.slice(0, MAX_VERSIONS),
  }
}
