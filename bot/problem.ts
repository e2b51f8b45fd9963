import { REFUSALS, Refusal, type RefusalCode } from '../agent/domain/refusal.ts'

/** Why a call was answered with "no" before the agent was asked, as a closed list: status and title for each code. */
export const EDGE_PROBLEMS = {
  'invalid-request': [400, 'The request is not well-formed.'],
  'invalid-json': [400, 'The body is not JSON.'],
  'invalid-body': [400, 'The body has not the shape that this call wants.'],
  'invalid-query': [400, 'A parameter of the address is not valid.'],
  'invalid-cursor': [400, 'The cursor is not one that this list gave.'],
  'invalid-logout-token': [400, 'This is no logout token of the identity provider for this application, or no fresh one.'],
  'sign-in-stale': [400, 'This sign-in was not begun in this browser, took longer than 10 minutes, or was used already. Sign in again.'],
  'no-token': [401, 'This call needs a person who is signed in, or "Authorization: Bearer KEY" with a key that is configured.'],
  'not-signed': [401, 'The signature of the request is missing, wrong, or not of this moment.'],
  'no-person': [401, 'This call needs a person who is signed in.'],
  'session-ended': [401, 'Your session has ended. Sign in again.'],
  'foreign-host': [403, 'The Host header names another server.'],
  'foreign-app': [403, 'This was sent for another app than the one that is configured.'],
  'foreign-origin': [403, 'The request comes from a page of another origin.'],
  'named-sessions-off': [403, 'Signing in by name is for trying things out on this machine only.'],
  'sign-in-refused': [403, 'The identity provider did not sign you in.'],
  'account-not-linked': [403, 'The identity provider knows you; here no person is linked to your account.'],
  'no-identity-provider': [404, 'No identity provider is configured here: see docs/sign-in.md.'],
  'not-found': [404, 'There is nothing at this address.'],
  'unknown-incident': [404, 'There is no such incident.'],
  'unknown-evidence': [404, 'There is no such piece of evidence in this incident.'],
  'unknown-person': [404, 'There is no such person.'],
  'unknown-drill': [404, 'There is no such drill.'],
  'no-samples': [404, 'There are no samples to draw.'],
  'unknown-run': [404, 'There is no such run of a drill.'],
  'method-not-allowed': [405, 'This address does not know that method.'],
  'request-timeout': [408, 'The request took too long to arrive.'],
  'drill-running': [409, 'A drill is running; one at a time.'],
  'nothing-to-ask': [409, 'There is nothing to ask about again.'],
  'body-too-large': [413, 'The body is larger than 256 KiB.'],
  'unsupported-media-type': [415, 'Send JSON: Content-Type: application/json, not compressed.'],
  'unrecognised-payload': [422, 'This is JSON, but not a message of this kind. It was kept.'],
  'too-many-requests': [429, 'Too many at once; try again after the time in Retry-After.'],
  internal: [500, 'Something broke here; it was logged.'],
  'provider-not-trusted': [502, 'The identity provider gave an answer that cannot be trusted. Nobody was signed in.'],
  'provider-unavailable': [503, 'The identity provider does not answer.'],
  'not-durable': [503, 'It could not be stored, so it was not accepted; send it again.'],
  unavailable: [503, 'This cannot be answered at the moment.'],
  'too-many-listeners': [503, 'Too many event streams are open.'],
} as const satisfies Record<string, readonly [number, string]>

export type EdgeProblemCode = keyof typeof EDGE_PROBLEMS
export type ProblemCode = EdgeProblemCode | RefusalCode

/** The status each refusal of the agent is answered with: 403 for who asked, 404 and 422 for what was asked, 409 for how things stand. */
export const REFUSAL_STATUS: Readonly<Record<RefusalCode, number>> = {
  'unknown-approval': 404,
  'unknown-action': 404,
  'unknown-target': 404,
  'not-linked': 403,
  'not-authorised': 403,
  'not-human': 403,
  'self-approval': 403,
  'step-up-required': 403,
  'wrong-place': 403,
  'policy-denied': 403,
  'invalid-parameters': 422,
  'plan-too-large': 422,
  'stale-digest': 409,
  expired: 409,
  cancelled: 409,
  superseded: 409,
  'already-decided': 409,
  'already-voted': 409,
  denied: 409,
  'quorum-missing': 409,
  'lost-authority': 409,
  'kill-switch': 409,
  frozen: 409,
  'nobody-may-approve': 409,
  'asked-too-often': 409,
  fenced: 409,
  'in-flight': 409,
  cooldown: 409,
  'attempts-exhausted': 409,
  'needs-more-people': 409,
  'stale-target': 409,
  healed: 409,
  'dry-run-failed': 409,
  'already-sent': 409,
  'journal-mismatch': 409,
  observing: 409,
  'undo-not-due': 409,
  kept: 409,
  'already-taken': 409,
  'too-late': 409,
  restored: 409,
  'permission-missing': 409,
  'looked-at-elsewhere': 409,
  'unknown-change': 404,
  'same-person': 403,
  'change-over': 409,
  'nothing-to-change': 409,
  'admin-exists': 409,
}

/** A call that is answered with a problem document. `detail` is for the person who called: no secrets, nothing of the inside. */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem'
  readonly code: EdgeProblemCode
  readonly detail: string | null
  readonly headers: Readonly<Record<string, string>>
  constructor(code: EdgeProblemCode, detail: string | null = null, headers: Readonly<Record<string, string>> = {}) {
    super(detail ?? EDGE_PROBLEMS[code][1])
    this.code = code
    this.detail = detail
    this.headers = headers
  }
}

/** RFC 9457, with the code that programs compare. */
export interface ProblemDocument {
  type: string
  title: string
  status: number
  detail: string
  code: ProblemCode
}

/** The document for an expected "no"; null for anything else, which is a fault and says nothing of itself. */
export function problemOf(error: unknown): ProblemDocument | null {
  if (error instanceof HttpProblem) return document(error.code, EDGE_PROBLEMS[error.code][0], EDGE_PROBLEMS[error.code][1], error.detail)
  if (error instanceof Refusal) return document(error.code, REFUSAL_STATUS[error.code], REFUSALS[error.code], error.detail)
  return null
}

export function problemResponse(problem: ProblemDocument, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify(problem), {
    status: problem.status,
    headers: { ...headers, 'content-type': 'application/problem+json' },
  })
}

/** What a fault is answered with: that it happened, and nothing about it. */
export const INTERNAL_PROBLEM: ProblemDocument = document('internal', ...EDGE_PROBLEMS.internal, null)

function document(code: ProblemCode, status: number, title: string, detail: string | null): ProblemDocument {
  return { type: `urn:steadyhand:problem:${code}`, title, status, detail: detail ?? title, code }
}
