import { createHash } from 'node:crypto'
import { z } from 'zod'

export type Labels = Readonly<Record<string, string>>

const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/
/** What a parameter of a plan can hold, and a card can show. */
export const MAX_TEXT = 500

const labelsSchema = z
  .record(z.string().regex(LABEL_NAME), z.string().min(1))
  .refine((labels) => Object.keys(labels).length > 0 && labels['alertname'] !== undefined)

/** All labels of one alert as one text: the same alert has the same text. */
export function textOf(labels: Labels): string {
  return JSON.stringify(sorted(labels))
}

/** Null for text that does not name an alert by its labels, in JSON. */
export function labelsOf(text: unknown): Labels | null {
  if (typeof text !== 'string' || text.length > MAX_TEXT) return null
  try {
    const parsed = labelsSchema.safeParse(JSON.parse(text))
    return parsed.success ? parsed.data : null
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

export function areSame(a: Labels, b: Labels): boolean {
  return textOf(a) === textOf(b)
}

/** Whether a silence of the alert with `labels` holds this one as well: it has all of them, and perhaps more. */
export function isHeldBy(labels: Labels, alert: Labels): boolean {
  return Object.entries(labels).every(([name, value]) => alert[name] === value)
}

/** How a field of a contract names the silence of an alert. */
export function silenceField(labels: Labels): string {
  return `silence ${createHash('sha256').update(textOf(labels)).digest('hex').slice(0, 16)}`
}

function sorted(labels: Labels): Labels {
  return Object.fromEntries(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
