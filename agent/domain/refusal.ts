import type { Role } from './principal.ts'

/**
 * Why something was not done, as a closed list. The database raises most of them (SQLSTATE SH001, the code as message); the words for people
 * stand beside each, so that every surface says the same.
 */
export const REFUSALS = {
  'unknown-approval': 'There is no such approval.',
  'not-linked': 'This account is not linked to a person known to Steadyhand. An admin can link it.',
  'not-authorised': 'You do not hold the role for this.',
  'not-human': 'Only people may do this; a program or service may not.',
  'self-approval': 'You asked for this action, so somebody else has to approve it.',
  'step-up-required': 'This action needs the confirmation text typed exactly as shown.',
  'stale-digest': 'The plan on your screen is not the plan that is waiting. Reload and read it again.',
  'wrong-place': 'This card does not belong to the place where it was clicked.',
  expired: 'The time to decide is over; nothing was run. Use "Check again" for a fresh plan.',
  cancelled: 'This request was cancelled; nothing was run.',
  superseded: 'A newer plan replaced this one.',
  'already-decided': 'This was already decided.',
  'already-voted': 'Your vote is already recorded.',
  denied: 'Somebody denied this action, and one denial is enough.',
  'quorum-missing': 'Not enough people have approved this yet.',
  'lost-authority': 'Somebody who approved this may no longer do so, so it was not run.',
  'kill-switch': 'Steadyhand is stopped: nothing runs until it is started again.',
  frozen: 'A change freeze is on; nothing runs until it ends.',
  'nobody-may-approve': 'Nobody holds the role that may approve this, so it cannot be asked.',
  'asked-too-often':
    'Whoever may approve this was asked often within the hour, and it can wait: it is asked only when somebody asks for it with "do".',
  fenced: 'Another executor took over; this one writes nothing more.',
  'in-flight': 'Another action on the same resource is still under way.',
  cooldown: 'The same resource was changed a moment ago; it is left alone for now.',
  'attempts-exhausted': 'Two attempts at this cause were made in this incident; a person has to take over.',
  'needs-more-people': 'The actions of this incident together weigh more, so this one needs more approvers.',
  'stale-target': 'The target changed since the plan was made; nothing was run.',
  healed: 'The symptom is gone: it recovered by itself, so nothing was run.',
  'policy-denied': 'The policy does not allow this action.',
  'unknown-action': 'There is no such action in the catalogue.',
  'unknown-target': 'There is no such target.',
  'invalid-parameters': 'This cannot be done as it was asked for.',
  'plan-too-large': 'The plan does not fit on a card, so it cannot be approved.',
  'dry-run-failed': 'The dry run failed; nothing was run.',
  'already-sent': 'This plan was sent once already and is never sent again.',
  'journal-mismatch': 'The effect journal knows actions that the database does not: the database looks older than it should be.',
  observing: 'Steadyhand only observes at the moment and runs nothing.',
  'undo-not-due': 'The undo may start only after its action was judged failed and the time to keep it has passed.',
  kept: 'Somebody chose to keep the change, so it is not undone.',
  'already-taken': 'Somebody has taken this incident already.',
  'too-late': 'It is too late for that: the action was already sent or is over.',
  restored: 'The database was restored from a backup since: nothing approved before that is carried out.',
  'permission-missing': 'The target refused: a permission is missing.',
  'looked-at-elsewhere': 'The agent was asked to look again; what comes of it is shown with the incident.',
  'unknown-change': 'No change with this code waits for a confirmation.',
  'same-person': 'Who asked for a change does not confirm it: another admin has to.',
  'change-over': 'This change is over: it was done, withdrawn, or its time has passed.',
  'nothing-to-change': 'That is so already: nothing would change.',
  'admin-exists': 'There is an admin already: two admins make another one.',
} as const

export type RefusalCode = keyof typeof REFUSALS

/** The role that would have been enough, and for what: where that runs it has to be held. `of` null: for no one thing, in any environment. */
export interface NeededRole {
  role: Role
  of: { service: string; environment: string } | null
}

/** An expected "no" that a person may read: never a fault, never retried blindly. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code: RefusalCode
  /** What exactly was refused, for the person: names and numbers, no secrets. */
  readonly detail: string | null
  /** Where a role was missing that is the same for everybody; null where the request itself says who may. */
  readonly needs: NeededRole | null
  constructor(code: RefusalCode, detail: string | null = null, needs: NeededRole | null = null) {
    super(detail ? `${REFUSALS[code]} ${detail}` : REFUSALS[code])
    this.code = code
    this.detail = detail
    this.needs = needs
  }
}

export function isRefusalCode(text: string): text is RefusalCode {
  return Object.hasOwn(REFUSALS, text)
}
