import { metricsContentSchema, outsideContentSchema, tracesContentSchema } from '../diagnosis/evidence-content.ts'
import type { EvidenceItem } from '../domain/evidence.ts'
import { isOutside } from '../domain/model-data.ts'
import { asData } from './quarantine.ts'

const MOST_ITEMS = 8
const LONGEST_TEXT = 240
const DEEPEST = 6

/**
 * A stored result as a model reads it: its summary, and its content within `max` characters. Long lists keep their first and last items with the
 * number between; the points of a series are left out, because what is to be known of them stands in its findings. Whole, it stays in the row
 * that claims are checked against. A trace is short already, and keeps its lines.
 */
export function sampled(item: EvidenceItem, max: number): string {
  const { label, kind, trust, summary, status } = item
  const words = status === 'ok' ? '' : ` (${status})`
  return asData({ label, kind, trust }, `${summary}${words}\n${JSON.stringify(contentOf(item))}`, max)
}

function contentOf({ kind, content }: EvidenceItem): unknown {
  const metrics = kind === 'metrics' ? metricsContentSchema.safeParse(content) : null
  if (metrics?.success) return shortened({ findings: metrics.data.findings.map(withoutNulls), failed: metrics.data.failed }, 0)
  const outside = isOutside(kind) ? outsideContentSchema.safeParse(content) : null
  if (outside?.success) return outside.data.text
  const traces = kind === 'traces' ? tracesContentSchema.safeParse(content) : null
  if (!traces?.success) return shortened(content, 0)
  const { opened, ...rest } = traces.data
  const lines = opened ? { opened: { ...opened, lines: opened.lines.map(withoutNulls) } } : {}
  return { ...lines, ...rest, traces: shortened(rest.traces, 1) }
}

/** One line for what was found, for lists. */
export function summarised({ label, kind, trust, summary, status }: Omit<EvidenceItem, 'content'>, max: number): string {
  return asData({ label, kind, trust }, `${summary}${status === 'ok' ? '' : ` (${status})`}`, max)
}

function withoutNulls(finding: object): object {
  return Object.fromEntries(Object.entries(finding).filter(([, value]) => value !== null))
}

function shortened(value: unknown, depth: number): unknown {
  if (depth > DEEPEST) return '…'
  if (typeof value === 'string') return value.length <= LONGEST_TEXT ? value : `${value.slice(0, LONGEST_TEXT).toWellFormed()}…`
  if (Array.isArray(value)) return shortList(value, depth)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, shortened(field, depth + 1)]))
}

function shortList(list: readonly unknown[], depth: number): unknown[] {
  const short = (items: readonly unknown[]): unknown[] => items.map((item) => shortened(item, depth + 1))
  if (list.length <= MOST_ITEMS) return short(list)
  const half = MOST_ITEMS / 2
  return [...short(list.slice(0, half)), `… ${list.length - MOST_ITEMS} more …`, ...short(list.slice(-half))]
}
