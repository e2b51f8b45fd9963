import { isRefusalCode, Refusal, type RefusalCode } from '../agent/domain/refusal.ts'
import { sqlFaultOf } from './errors.ts'

/** Constraints that a person can run into, and what each says to them; guards name their refusal themselves. */
const BY_CONSTRAINT: Readonly<Record<string, RefusalCode>> = {
  vote_counts_people: 'already-voted',
  vote_delivery_counts_once: 'already-voted',
  vote_is_for_these_bytes: 'stale-digest',
  vote_was_cast_where_the_card_is: 'wrong-place',
  vote_is_by_a_linked_account: 'not-linked',
  plan_fits_in_64_kib: 'plan-too-large',
  plan_action_is_in_the_catalogue: 'unknown-action',
  one_in_flight_per_resource: 'in-flight',
  authorisation_is_used_once: 'already-sent',
  plan_is_executed_once: 'already-sent',
  plan_is_authorised_once: 'already-decided',
  undo_is_authorised_once: 'already-decided',
  one_intent_ever: 'already-sent',
  one_sent_ever: 'already-sent',
  power_confirmation_counts_people: 'already-voted',
  power_confirmation_is_of_these_bytes: 'stale-digest',
  role_grant_once: 'nothing-to-change',
  identity_link_is_one_person: 'nothing-to-change',
}

/** A NUL or half a surrogate pair, which no document of the database can hold. */
const UNSTORABLE = '22P05'
/** The database's own 'permission denied'. */
const NO_RIGHT = '42501'

/** The refusal behind a database error, or null when the error is a fault. */
export function refusalOf(error: unknown): Refusal | null {
  const fault = sqlFaultOf(error)
  if (!fault) return null
  if (fault.code === 'SH001' && isRefusalCode(fault.message)) return new Refusal(fault.message, fault.detail || null)
  if (fault.code === UNSTORABLE) return new Refusal('invalid-parameters', 'A text holds a character that cannot be stored.')
  const code = fault.constraint ? BY_CONSTRAINT[fault.constraint] : undefined
  return code ? new Refusal(code) : null
}

/** What belongs to the owner of the tables alone: to a process without that right it is a refusal, not a fault. */
export async function asOwner<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write()
  } catch (error) {
    if (sqlFaultOf(error)?.code !== NO_RIGHT) throw error
    throw notTheOwner()
  }
}

export function notTheOwner(): Refusal {
  return new Refusal('not-authorised', 'Only the command line on the host, as the owner of the database, does this.')
}

/** Runs one kernel write; what the database refused arrives as `Refusal`, everything else as it was thrown. */
export async function refusing<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write()
  } catch (error) {
    throw refusalOf(error) ?? error
  }
}
