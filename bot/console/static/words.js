/** Closed lists of the interface in words for people. */

/** @type {Readonly<Record<string, string>>} */
const INCIDENT_STATES = {
  open: 'just opened',
  investigating: 'investigating',
  observing: 'watching',
  'awaiting-approval': 'waits for a click',
  acting: 'action running',
  verifying: 'verifying',
  resolved: 'resolved',
  healed: 'symptom gone',
}

/** @type {Readonly<Record<string, string>>} */
const TONES = {
  open: 'busy',
  investigating: 'busy',
  observing: 'calm',
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

/** Refusals after which it helps to know who else may. */
const OTHERS_MAY = ['not-authorised', 'self-approval', 'not-linked', 'not-human']

/** @param {string} state */
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

/** @param {string} code */
export function othersMay(code) {
  return OTHERS_MAY.includes(code)
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
