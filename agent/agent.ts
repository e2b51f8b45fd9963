import type { DrillScenario } from '../integrations/ports/drills.ts'
import type { ByHand } from './actions/by-hand.ts'
import type { ByPerson } from './actions/by-person.ts'
import type { PersonsWord } from './actions/executor.ts'
import type { Alert } from './domain/alert.ts'
import type { Approval, RequestState } from './domain/approval.ts'
import type { EvidenceItem, EvidenceSummary } from './domain/evidence.ts'
import type { Feedback } from './domain/feedback.ts'
import type { Hypothesis } from './domain/hypothesis.ts'
import type { Incident, IncidentEvent, IncidentState } from './domain/incident.ts'
import type { Actor, Principal, RoleHolder } from './domain/principal.ts'
import type { NeededRole, Refusal } from './domain/refusal.ts'
import type { Relations } from './domain/relations.ts'
import type { RunbookChunk, RunbookQuery } from './domain/runbook.ts'
import type { Asker } from './domain/workspace.ts'
import type { Handling } from './handling/handling.ts'
import type { HandlingState } from './handling/state.ts'
import type { TraceRun } from './investigation/model-trace.ts'
import type { ModelUse } from './investigation/model-use.ts'
import type { Answered, Looked } from './investigation/questions.ts'
import type { AuditReport, AuditStore, ControlStore, JournalEntry, PowerStore, VoteInput } from './ports.ts'
import type { Figures } from './records/figures.ts'
import type { RecordsQuery } from './records/records.ts'
import type { IncidentSeries } from './telemetry/incident-series.ts'
import type { Telemetry } from './telemetry/telemetry.ts'

export type { MetricName, MetricTitles } from '../integrations/ports/metrics.ts'
export type { Handling } from './handling/handling.ts'
export type { ModelUse } from './investigation/model-use.ts'
export type { Answered, Looked } from './investigation/questions.ts'
export type { Durations, Figures } from './records/figures.ts'
export type { Voter } from './records/voters.ts'
export type { IncidentSeries } from './telemetry/incident-series.ts'
export type { LogReading, MetricReading } from './telemetry/telemetry.ts'

/** Everything a card or a page shows of one incident. */
export interface IncidentView {
  incident: Incident
  alerts: (Alert & { receivedAt: Date })[]
  evidence: EvidenceSummary[]
  hypotheses: Hypothesis[]
  approvals: Approval[]
  timeline: IncidentEvent[]
  handling: HandlingState
  relations: Relations
  feedback: Feedback[]
  /** What a model was asked last, and what it cost; null when none was. */
  model: ModelUse | null
}

export interface DrillRun {
  run: string
  name: string
  state: 'running' | 'passed' | 'failed'
  incident: string | null
  approvals: string[]
  startedAt: Date
  /** The person who started it; null when it was a program, or nobody was signed in. */
  startedBy: string | null
  ended: Date | null
  /** Why it failed, or how it passed: one sentence. */
  words: string | null
}

/** Whether the agent may act now, and if not why, in words for people. */
export type Mode = { mode: 'act' } | { mode: 'observe'; reasons: string[] }

/** What can be named when people stop or freeze: a scope that names nothing would protect nothing. */
export interface Scopes {
  /** Environments something runs in or can be changed in. */
  environments(): Promise<string[]>
  /** Kinds of actions of the catalogue. */
  kinds(): string[]
  /** Services of the inventory. */
  services(): Promise<string[]>
  /**
   * Full names (provider/environment/kind/name) of what actions could change under a name, short or full; empty when there is no such thing.
   *
   * @throws whatever the target's platform answers when it cannot be read
   */
  resources(name: string): Promise<string[]>
}

/** What was done to the world and the database does not know, because it was put back to an earlier state. */
export interface Effects {
  gap(): Promise<readonly JournalEntry[]>
  /**
   * Takes the gap over, as a person on the host who has looked at what was done: recorded in the audit log, told to people, and no reason to only
   * observe any more. Returns what was taken over.
   *
   * @throws Refusal invalid-parameters for a reason that is empty or longer than 500 characters
   */
  accept(reason: string): Promise<readonly JournalEntry[]>
}

/** What surfaces may ask of the agent. Expected refusals are thrown as `Refusal`. */
export interface Agent extends ByPerson, ByHand, Handling {
  /**
   * The same agent for somebody in a place: it tells, and does, nothing about what they do not see there, which is answered like what does not exist.
   * `channel`: the Slack channel where others read along; null where only the asker does.
   */
  seenBy(asker: Asker, channel: string | null): Agent
  /** The same for everybody who reads along in a Slack channel. */
  seenIn(channel: string): Agent
  /** What of everything this agent sees. */
  sight: { everything: boolean; sees(incidentId: string): Promise<boolean> }
  /**
   * The Slack channel where something is shown: `usual` while there are no workspaces, null when no channel may show it. `frozen`: the scope of a
   * freeze · installation: what whoever runs Steadyhand has to look at, which is not for the channel of a team.
   */
  channelFor(about: { incident: string } | { frozen: string } | 'installation', usual: string): Promise<string | null>
  /** Keeps a delivery durably; the rest happens as a job. The same key again is a duplicate, not an error. */
  receive(delivery: {
    source: string
    deliveryKey: string
    body: Uint8Array
    headers: Record<string, string>
  }): Promise<{ duplicate: boolean }>
  /** Notes which of these alerts, as they arrived, are heartbeats: those that fire always. */
  heard(alerts: readonly Alert[]): Promise<void>
  /** One stored result with its whole content, by its label on the card; null when there is none. */
  evidence(incidentId: string, label: string): Promise<EvidenceItem | null>
  /** What models did in an incident, oldest first; null when there is no such incident. */
  modelTrace(incidentId: string): Promise<TraceRun[] | null>
  /** Has a model answer a question about an incident; null where none is configured, or not in this process. */
  askModel: ((question: { incidentId: string; text: string }, looked?: (step: Looked) => void) => Promise<Answered>) | null
  incident(id: string): Promise<IncidentView | null>
  /** The incident that this one was made a part of; null for none. */
  mergedInto(incidentId: string): Promise<string | null>
  incidents(query: {
    state?: IncidentState | 'active'
    service?: string
    limit: number
    cursor?: string
  }): Promise<{ items: Incident[]; next: string | null }>
  approval(id: string): Promise<Approval | null>
  approvals(query: {
    state?: RequestState
    incidentId?: string
    limit: number
    cursor?: string
  }): Promise<{ items: Approval[]; next: string | null }>
  vote(input: VoteInput): Promise<Approval>
  keep(requestId: string, actor: Actor): Promise<Approval>
  whoMay(requestId: string): Promise<Principal[]>
  person(actor: Actor): Promise<RoleHolder | null>
  people(): Promise<RoleHolder[]>
  /** Who holds a role, or one above it, is active, and sees what it is needed for. */
  holders(needed: NeededRole): Promise<Principal[]>
  control: ControlStore
  power: PowerStore
  effects: Effects
  /** Ends by a person's word what was sent and has no answer; see `Executor`. @throws Refusal unknown-approval, too-late, fenced */
  settle(requestId: string, word: PersonsWord): Promise<Approval>
  scopes: Scopes
  telemetry: Telemetry
  /** The best part of each runbook that fits, the best first; empty when none fits well enough. */
  runbooks(query: RunbookQuery): Promise<RunbookChunk[]>
  /** How a window went, from rows alone. */
  figures(query: RecordsQuery): Promise<Figures>
  /** What an incident's chart is drawn from; null when there is no such incident. */
  incidentSeries(incidentId: string): Promise<IncidentSeries | null>
  /**
   * Keeps in the audit log that a person who is known was refused for want of a role or of another person. Whatever comes of that, they are refused:
   * it never throws.
   *
   * @param what the name of the call or command
   */
  noteRefusal(refusal: Refusal, attempt: { person: string; what: string; requestId: string | null }): Promise<void>
  audit: AuditStore
  verifyAudit(): Promise<AuditReport>
  /** The same for whoever may only read: asked more than a few times a minute, as it was found last. `at`: when that was. */
  recentAudit(): Promise<AuditReport & { at: Date }>
  mode(): Promise<Mode>
  drills: {
    list(): readonly DrillScenario[]
    /** @throws Refusal-like `DrillBusy` when one is running. */
    start(name: string, by: string | null): Promise<DrillRun>
    run(id: string): Promise<DrillRun | null>
    current(): Promise<DrillRun | null>
  }
  services(): Promise<{
    items: { name: string; environment: string; version: string; readyReplicas: number; desiredReplicas: number }[]
    edges: { from: string; to: string }[]
  }>
}
