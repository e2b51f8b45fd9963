import { type Approval, approvalOutcome, approvalState } from '../domain/approval.ts'
import type { Severity } from '../domain/incident.ts'
import type { FeedbackCounts, IncidentRecord } from '../ports.ts'
import { type Voter, votersOf } from './voters.ts'

/** Seconds, or null when there is nothing to measure; `n` says on how many it stands. */
export interface Durations {
  mean: number | null
  median: number | null
  p90: number | null
  n: number
}

export interface Figures {
  from: Date
  to: Date
  service: string | null
  /** False where there was more than is counted at once: then every count is too small. */
  isWhole: boolean
  /** Incidents that began in the window; one that was merged into another counts there. */
  incidents: { opened: number; open: number; bySeverity: Record<Severity, number>; merged: number; drillsLeftOut: number }
  /** From the beginning to the first thing a person did. */
  timeToAcknowledge: Durations
  /** From the beginning to the end. */
  timeToResolve: Durations
  /** `gone`: the symptom went after something was done that was not verified, or by a drill's clean-up. */
  endings: { verified: number; healed: number; gone: number; person: number }
  /** What became of requests for approval that were made in the window. */
  requests: { asked: number; approved: number; denied: number; expired: number; cancelled: number; superseded: number; waiting: number }
  /** What became of what was carried out. */
  outcomes: { verified: number; failed: number; undetermined: number; undone: number; notRun: number }
  /** From the request to its decision by people. */
  approvalLatency: Durations
  /** Who decided those requests, whoever decided most first; fifty at most. */
  voters: Voter[]
  /** Outside Monday to Friday, 08:00 to 18:00 UTC. */
  afterHours: { incidents: number; requests: number }
  feedback: FeedbackCounts
}

export interface FiguresInput {
  from: Date
  to: Date
  service: string | null
  drills: boolean
  incidents: readonly IncidentRecord[]
  requests: readonly Approval[]
  feedback: FeedbackCounts
  isWhole: boolean
}

const WORK_BEGINS = 8
const WORK_ENDS = 18

/** Every figure of a window, from rows alone. Drills are left out unless they are asked for. */
export function figuresOf(input: FiguresInput): Figures {
  const counted = input.incidents.filter(({ isDrill }) => input.drills || !isDrill)
  const own = counted.filter(({ ending }) => ending !== 'merged')
  const ids = new Set(counted.map(({ id }) => id))
  const requests = input.requests.filter(
    ({ incidentId, createdAt }) => ids.has(incidentId) && createdAt >= input.from && createdAt < input.to,
  )
  const decided = requests.flatMap(({ createdAt, decidedAt, votes }) =>
    decidedAt && votes.length > 0 ? [secondsOf(createdAt, decidedAt)] : [],
  )
  return {
    from: input.from,
    to: input.to,
    service: input.service,
    isWhole: input.isWhole,
    incidents: {
      opened: own.length,
      open: own.filter(({ endedAt }) => endedAt === null).length,
      bySeverity: { 1: countSeverity(own, 1), 2: countSeverity(own, 2), 3: countSeverity(own, 3), 4: countSeverity(own, 4) },
      merged: counted.length - own.length,
      drillsLeftOut: input.incidents.length - counted.length,
    },
    timeToAcknowledge: durationsOf(
      own.flatMap(({ openedAt, acknowledgedAt }) => (acknowledgedAt ? [secondsOf(openedAt, acknowledgedAt)] : [])),
    ),
    timeToResolve: durationsOf(own.flatMap(({ openedAt, endedAt }) => (endedAt ? [secondsOf(openedAt, endedAt)] : []))),
    endings: {
      verified: own.filter(({ ending }) => ending === 'verified').length,
      healed: own.filter(({ ending }) => ending === 'healed').length,
      gone: own.filter(({ ending }) => ending === 'gone').length,
      person: own.filter(({ ending }) => ending === 'person').length,
    },
    requests: requestCounts(requests),
    outcomes: outcomeCounts(requests),
    approvalLatency: durationsOf(decided),
    voters: votersOf(requests),
    afterHours: {
      incidents: own.filter(({ openedAt }) => isAfterHours(openedAt)).length,
      requests: requests.filter(({ createdAt }) => isAfterHours(createdAt)).length,
    },
    feedback: input.feedback,
  }
}

/** Mean, median and 90th percentile of what was measured. */
export function durationsOf(seconds: readonly number[]): Durations {
  const sorted = seconds.toSorted((a, b) => a - b)
  const at = (share: number): number | null => sorted[Math.ceil(sorted.length * share) - 1] ?? null
  const mean = sorted.length === 0 ? null : sorted.reduce((sum, each) => sum + each, 0) / sorted.length
  return { mean, median: at(0.5), p90: at(0.9), n: sorted.length }
}

export function isAfterHours(at: Date): boolean {
  const weekday = at.getUTCDay()
  return weekday === 0 || weekday === 6 || at.getUTCHours() < WORK_BEGINS || at.getUTCHours() >= WORK_ENDS
}

function requestCounts(requests: readonly Approval[]): Figures['requests'] {
  const count = (state: Approval['requestState']): number => requests.filter(({ requestState }) => requestState === state).length
  return {
    asked: requests.length,
    approved: count('authorised'),
    denied: count('denied'),
    expired: count('expired'),
    cancelled: count('cancelled'),
    superseded: count('superseded'),
    waiting: count('pending'),
  }
}

function outcomeCounts(requests: readonly Approval[]): Figures['outcomes'] {
  const count = (outcome: string): number => requests.filter((request) => approvalOutcome(request) === outcome).length
  return {
    verified: count('verified'),
    failed: count('failed'),
    undetermined: count('undetermined'),
    undone: count('undone'),
    notRun: requests.filter((request) => approvalState(request) === 'aborted').length,
  }
}

function countSeverity(incidents: readonly IncidentRecord[], severity: Severity): number {
  return incidents.filter((incident) => incident.severity === severity).length
}

function secondsOf(from: Date, to: Date): number {
  return Math.max(0, (to.getTime() - from.getTime()) / 1_000)
}
