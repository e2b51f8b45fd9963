import { type Approval, approvalOutcome, wasApplied } from '../domain/approval.ts'
import type { ChangeLine } from '../domain/plan.ts'

/** So much of what was carried out on a resource is looked at. */
export const PAST_READ = 20
const TITLE_SHOWN = 90
const VALUE_SHOWN = 60
const FIELD_SHOWN = 40
const ID_SHOWN = 30

/**
 * What the past of a resource says against a change: what it would set was taken away before, and that helped; or it was set before, and that did not
 * help. One sentence for each attempt that says so, newest first; for each field the newest attempt that could be judged decides. In plain letters, since a
 * plan shows any other as its code.
 *
 * @param past what was carried out on the resource, newest first
 */
export function whatSpeaksAgainst(changes: readonly ChangeLine[], past: readonly Approval[]): string[] {
  const told = new Set<Approval>()
  return changes.flatMap((line) => {
    for (const approval of past) {
      const lesson = lessonOf(line, approval)
      if (lesson === 'fine since') return []
      if (lesson !== null && told.has(approval)) return []
      if (lesson !== null) {
        told.add(approval)
        return [lesson]
      }
    }
    return []
  })
}

/** Null: it says nothing about this line. */
function lessonOf({ field, to }: ChangeLine, approval: Approval): string | null {
  const { plan, execution } = approval
  const outcome = approvalOutcome(approval)
  const change = plan.changes.find((each) => each.field === field)
  // What was never applied, what nobody could judge, and what was not meant to help proves nothing.
  if (!change || !execution || !wasApplied(execution) || plan.success.heals === false) return null
  if (outcome === null || outcome === 'undetermined') return null
  const isVerified = outcome === 'verified'
  if (change.to === to) return isVerified ? 'fine since' : `${quoted(approval)} set ${settingOf(field, to)} before, and that did not help.`
  if (change.from !== to || !isVerified) return null
  return `${quoted(approval)} took ${settingOf(field, to)} away, and that ${plan.success.metrics.length > 0 ? 'helped' : 'was verified'}.`
}

function quoted({ plan, incidentId, decidedAt, createdAt }: Approval): string {
  const when = (decidedAt ?? createdAt).toISOString().slice(0, 16).replace('T', ' ')
  return `"${shortened(plan.action.title, TITLE_SHOWN)}" (${when} UTC, ${shortened(incidentId, ID_SHOWN)})`
}

/** The last part of the field and the end of the value: that is where an image has its tag. */
function settingOf(field: string, value: ChangeLine['to']): string {
  return `${field.slice(field.lastIndexOf('.') + 1).slice(-FIELD_SHOWN)} ${ended(String(value), VALUE_SHOWN)}`.toWellFormed()
}

function shortened(text: string, most: number): string {
  return (text.length > most ? `${text.slice(0, most)}...` : text).toWellFormed()
}

function ended(text: string, most: number): string {
  return text.length > most ? `...${text.slice(-most)}` : text
}
