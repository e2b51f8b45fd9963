/** 1 is the worst. Set by rule from impact, tier and spread; unknown counts as 1 wherever safety asks. */
export type Severity = 1 | 2 | 3 | 4

/**
 * open → investigating → (awaiting-approval → acting → verifying)* → resolved.
 * `observing` is an incident that has a diagnosis and nothing to do; `healed` one that ended by itself.
 */
export const INCIDENT_STATES = [
  'open',
  'investigating',
  'observing',
  'awaiting-approval',
  'acting',
  'verifying',
  'resolved',
  'healed',
] as const
export type IncidentState = (typeof INCIDENT_STATES)[number]
export const ENDED_STATES: readonly IncidentState[] = ['resolved', 'healed']

export interface Incident {
  id: string
  title: string
  service: string
  environment: string
  severity: Severity
  /** Why this severity, in words. */
  severityReason: string
  state: IncidentState
  openedAt: Date
  endedAt: Date | null
  /** The drill that made it, or null for a real one. */
  drillRun: string | null
}

/** One thing that happened to an incident; append-only, and the timeline people read. */
export interface IncidentEvent {
  incidentId: string
  seq: number
  at: Date
  /** noun-verb in the past: 'alert-received', 'diagnosis-made', 'plan-proposed', 'vote-recorded' … */
  kind: string
  /** One plain sentence. Text from outside in it is data, escaped by the renderer. */
  text: string
  detail: Record<string, unknown>
}

/** The kind of the line that a drill's clean-up leaves in what it made. */
export const PUT_BACK = 'target-put-back'

/** Whether a drill's clean-up mended it: then it did not heal by itself. */
export function wasPutBack(timeline: readonly Pick<IncidentEvent, 'kind'>[]): boolean {
  return timeline.some(({ kind }) => kind === PUT_BACK)
}

/** Practice breaks the target on purpose: whoever starts a drill has not begun to look after what comes of it. */
const NO_RESPONSE: readonly string[] = ['drill-started']

/** The first thing a person did about an incident; null when nobody has. */
export function firstResponse(timeline: readonly IncidentEvent[]): IncidentEvent | null {
  const isResponse = ({ kind, detail }: IncidentEvent): boolean => typeof detail['person'] === 'string' && !NO_RESPONSE.includes(kind)
  return timeline.find(isResponse) ?? null
}
