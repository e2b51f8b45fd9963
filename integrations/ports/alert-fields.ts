import type { Alert } from '../../agent/domain/alert.ts'
import { METRICS } from './metrics.ts'

const LEVELS: Readonly<Record<NonNullable<Alert['level']>, readonly string[]>> = {
  critical: ['critical', 'crit', 'fatal', 'emergency', 'disaster', 'page', 'p1', 'sev1', 'sev-1', 'sev0', 'p0'],
  high: ['high', 'error', 'err', 'major', 'alert', 'p2', 'sev2', 'sev-2'],
  warning: ['warning', 'warn', 'minor', 'medium', 'average', 'p3', 'sev3', 'sev-3'],
  info: ['info', 'information', 'informational', 'notice', 'low', 'debug', 'none', 'ok', 'p4', 'p5', 'sev4', 'sev-4', 'sev5'],
}
const LEVEL_OF = new Map(
  (Object.keys(LEVELS) as NonNullable<Alert['level']>[]).flatMap((level) => LEVELS[level].map((word) => [word, level] as const)),
)

/** The level a sender's word stands for; null for a word nobody agreed on. */
export function levelOf(word: string | null | undefined): Alert['level'] {
  return LEVEL_OF.get(word?.trim().toLowerCase() ?? '') ?? null
}

/** RFC 3339 in UTC from RFC 3339 text; null for anything else, and for the year 1 that Go writes when there is no time. */
export function timeOf(text: unknown): string | null {
  if (typeof text !== 'string' || !/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/i.test(text)) return null
  const time = new Date(text)
  return Number.isNaN(time.getTime()) || time.getUTCFullYear() < 1970 ? null : time.toISOString()
}

/** Text of at least one visible character, trimmed and cut to `max`; null otherwise. */
export function textOf(value: unknown, max: number): string | null {
  if (typeof value !== 'string') return null
  const text = value.trim().slice(0, max).toWellFormed()
  return text === '' ? null : text
}

const MAX_ENTRIES = 64
const MAX_KEY = 200
const MAX_VALUE = 4_000

/** Names with scalar values, as text; what is neither is left out, and so is what exceeds 64 entries. */
export function recordOf(value: unknown): Record<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return {}
  const scalars = Object.entries(value).filter(([, field]) => ['string', 'number', 'boolean'].includes(typeof field))
  return Object.fromEntries(
    scalars
      .slice(0, MAX_ENTRIES)
      .map(([key, field]) => [key.slice(0, MAX_KEY).toWellFormed(), String(field).slice(0, MAX_VALUE).toWellFormed()]),
  )
}

/**
 * The metric that triggered the alert, when the sender states it with the names `metric` (one of the product's own), `threshold` (a number in
 * the metric's unit) and, unless it is '>', `comparator`. Nothing is guessed from text.
 */
export function triggerOf(service: string | null, stated: Readonly<Record<string, unknown>>): Alert['trigger'] {
  const { metric, threshold, comparator = '>' } = stated
  const limit = typeof threshold === 'string' && threshold.trim() !== '' ? Number(threshold) : threshold
  if (service === null || typeof metric !== 'string' || !Object.hasOwn(METRICS, metric)) return null
  if (typeof limit !== 'number' || !Number.isFinite(limit) || (comparator !== '>' && comparator !== '<')) return null
  return { service, metric, comparator, threshold: limit }
}
