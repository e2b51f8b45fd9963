import type { ChangeLine } from '../domain/plan.ts'
import { redact } from '../redact.ts'

const MAX_TEXT = 200

/**
 * What a dry run says would change, as a card may show it. Texts out of manifests may hold secrets: they are masked before anything is cut, since
 * half of one is not known for what it is. Pure.
 */
export function shownChanges(changes: readonly ChangeLine[]): ChangeLine[] {
  return changes.map(({ field, from, to }) => ({ field, from: shown(from), to: shown(to) }))
}

function shown(value: ChangeLine['from']): ChangeLine['from'] {
  return typeof value === 'string' ? redact(value).slice(0, MAX_TEXT).toWellFormed() : value
}
