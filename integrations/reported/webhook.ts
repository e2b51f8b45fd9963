import { createHash } from 'node:crypto'
import { z } from 'zod'
import { textOf, timeOf } from '../ports/alert-fields.ts'
import type { Change } from '../ports/changes.ts'
import { readJsonBody } from '../ports/webhook.ts'

export const SOURCE = 'changes'

const MAX_CHANGES = 500
const KINDS = ['release', 'rollback', 'scale', 'restart', 'config', 'flag', 'other'] as const

/** One change as its sender tells it. Only the service and one sentence have to be there. */
const itemSchema = z.object({
  service: z.string().trim().min(1).max(200),
  summary: z.string().trim().min(1).max(500),
  kind: z.enum(KINDS).catch('other'),
  environment: z.unknown().optional().describe('text'),
  at: z.unknown().optional().describe('RFC 3339; when it arrived, when left out'),
  by: z.unknown().optional().describe('text: who did it'),
  from: z.unknown().optional().describe('text: the version before'),
  to: z.unknown().optional().describe('text: the version after'),
  link: z.unknown().optional().describe('an http or https address'),
})

const itemShape = itemSchema.extend({
  kind: z
    .string()
    .optional()
    .describe(`${KINDS.join(', ')}; anything else counts as other`),
})
/** What a sender sends: an item that is not of this shape is left out while there are others. */
export const webhookShape = z.union([itemShape, z.array(itemShape).min(1), z.object({ changes: z.array(itemShape).min(1) })])

/** A change as told; `at` and `environment` are null where the sender did not say. */
export type ReportedChange = Omit<Change, 'at' | 'environment'> & { at: Date | null; environment: string | null }

export type ParsedChanges = { ok: true; changes: ReportedChange[]; unusable: number } | { ok: false; words: string }

/** Reads one change, a list of changes, or `{"changes": […]}`. Pure: the same body always gives the same changes with the same ids. */
export function parseChanges(body: Uint8Array): ParsedChanges {
  const json = readJsonBody(body)
  if (!json.ok) return { ok: false, words: json.words }
  const items = itemsOf(json.value)
  if (!items)
    return { ok: false, words: 'the body is neither a change {"service": …, "summary": …}, nor a list of them, nor {"changes": […]}' }
  if (items.length === 0) return { ok: false, words: 'there is nothing in it: the list of changes is empty' }
  const changes = items.slice(0, MAX_CHANGES).flatMap((item) => toChange(item) ?? [])
  if (changes.length === 0) return { ok: false, words: 'no change has a "service" and a "summary" of 1 to 500 characters' }
  return { ok: true, changes, unusable: items.length - changes.length }
}

function itemsOf(value: unknown): unknown[] | null {
  if (Array.isArray(value)) return value
  if (typeof value !== 'object' || value === null) return null
  if ('changes' in value) return Array.isArray(value.changes) ? value.changes : null
  return 'service' in value ? [value] : null
}

function toChange(value: unknown): ReportedChange | null {
  const item = itemSchema.safeParse(value)
  if (!item.success) return null
  const { service, summary, kind, ...said } = item.data
  const at = timeOf(said.at)
  const id = createHash('sha256')
    .update(JSON.stringify([service, summary, kind, at]))
    .digest('hex')
    .slice(0, 32)
  return {
    id,
    at: at === null ? null : new Date(at),
    kind,
    service: service.toWellFormed(),
    environment: textOf(said.environment, 100),
    summary: summary.toWellFormed(),
    by: textOf(said.by, 200),
    from: textOf(said.from, 200),
    to: textOf(said.to, 200),
    link: /^https?:\/\/[^\s]+$/i.test(String(said.link)) ? textOf(said.link, 2_000) : null,
  }
}
