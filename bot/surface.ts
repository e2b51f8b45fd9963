import type { IncidentView } from '../agent/agent.ts'
import type { Approval } from '../agent/domain/approval.ts'

/** Something said once, in the thread of its incident or, when it concerns none, to everybody on the surface. */
export interface SpokenNotice {
  /** The notice's own name: the same ref is said once, however often it is handed over. */
  ref: string
  /** notice: what became of something · page: somebody has to look now. */
  kind: 'notice' | 'page'
  incidentId: string | null
  /** Whom it is for, where it concerns no incident: everybody, whoever runs Steadyhand, or whoever may know that this is frozen. */
  audience: 'everybody' | 'installation' | { frozen: string }
  requestId: string | null
  /** Which notice it is, for programs: 'expired', 'verified' … */
  code: string
  /** Plain text, ready to be shown. */
  text: string
}

/**
 * What a platform must offer to show what happens. Every call may come twice, after a crash or a failed attempt: showing again must change
 * nothing. A failure is thrown, and the call is made again later; `retryAfter` on the error, in seconds, says when.
 */
export interface Surface {
  readonly name: string
  /** The incident changed: bring its card up to date. `read` gives it as it is now; null when there is no such incident. */
  refreshIncident(incidentId: string, read: () => Promise<IncidentView | null>): Promise<void>
  refreshApproval(requestId: string, read: () => Promise<Approval | null>): Promise<void>
  say(notice: SpokenNotice): Promise<void>
}
