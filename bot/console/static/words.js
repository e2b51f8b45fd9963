/** Closed lists of the interface in words for people. */

/** The same words as on the cards. @type {Readonly<Record<string, string>>} */
const INCIDENT_STATES = {
  open: 'just opened',
  investigating: 'being investigated',
  observing: 'being watched',
  'awaiting-approval': 'waiting for approval',
  acting: 'action running',
  verifying: 'verifying the action',
  resolved: 'resolved',
  healed: 'symptom gone',
}

/** @type {Readonly<Record<string, string>>} */
const TONES = {
  open: 'busy',
  investigating: 'busy',
  observing: 'busy',
  'awaiting-approval': 'ask',
  acting: 'busy',
  verifying: 'busy',
  resolved: 'good',
  healed: 'good',
}

/** @type {Readonly<Record<string, string>>} */
const PARTS = { model: 'Model', validator: 'Cross-check', retrieval: 'Known signs', evidence: 'Evidence' }

/** @type {Readonly<Record<string, string>>} */
const EXPECTS = {
  action: 'ends with an approved action',
  'no-action': 'ends without any action',
  undo: 'the first action fails and is undone',
}

/** @type {Readonly<Record<string, string>>} */
const PAGES = { services: 'Services', records: 'Records', audit: 'Audit' }

/** Where an incident stands, in as few words as a row of a list has room for. @param {string} state */
export function stateWords(state) {
  return INCIDENT_STATES[state] ?? state
}

/** @param {string} state */
export function stateTone(state) {
  return TONES[state] ?? 'calm'
}

/** @param {string} name */
export function partWords(name) {
  return PARTS[name] ?? name
}

/** @param {string} expects */
export function expectsWords(expects) {
  return EXPECTS[expects] ?? expects
}

/**
 * The colour of an approval's card.
 *
 * @param {{ state: string, execution: { outcome: string | null } | null } | undefined} approval
 */
export function approvalTone(approval) {
  if (!approval) return 'calm'
  const outcome = approval.execution?.outcome
  if (outcome === 'verified') return 'good'
  if (outcome === 'failed') return 'bad'
  if (outcome === 'undetermined' || outcome === 'undone') return 'ask'
  if (approval.state === 'pending') return 'ask'
  return approval.state === 'authorised' || approval.state === 'executing' ? 'busy' : 'calm'
}

/**
 * Whether a request waits for the word of this person, as far as a page can know: the server decides.
 *
 * @param {{ id: string, roles: readonly string[] } | null} me
 * @param {{ votes: readonly { person: string }[], plan: { requester: string | null } }} approval
 */
export function waitsFor(me, { votes, plan }) {
  if (!me?.roles.some((role) => role === 'approver' || role === 'admin')) return false
  return plan.requester !== me.id && !votes.some(({ person }) => person === me.id)
}

/**
 * 'Alice (approver)'
 *
 * @param {{ name: string, roles: readonly string[] }} person
 */
export function personWords({ name, roles }) {
  return roles.length === 0 ? name : `${name} (${roles.join(', ')})`
}

/**
 * A refusal as a sentence: why, and what exactly.
 *
 * @param {{ title: string, detail: string | null }} refused
 */
export function refusalWords({ title, detail }) {
  return detail === null ? title : `${title} ${detail}`
}

/**
 * The title of the page; in front, how many decisions wait for this person, to be seen from another tab.
 *
 * @param {import('./state.js').State} state
 */
export function titleOf({ route, me, pending }) {
  const waiting = (pending.data ?? []).filter((/** @type {any} */ approval) => waitsFor(me, approval)).length
  const page = route.page === 'home' ? 'Steadyhand' : `${route.page === 'incident' ? route.id : PAGES[route.page]} · Steadyhand`
  return waiting === 0 ? page : `(${waiting}) ${page}`
}
