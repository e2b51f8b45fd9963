import type { ActionDefinition } from '../integrations/ports/action.ts'
import type { JournalEntry } from './actions/effect-journal.ts'
import type { Alert } from './domain/alert.ts'
import type { Approval, Decision, ExecutionState, RequestState } from './domain/approval.ts'
import type { EvidenceItem, EvidenceSummary, NewEvidence } from './domain/evidence.ts'
import type { Feedback, NewFeedback } from './domain/feedback.ts'
import type { Hypothesis } from './domain/hypothesis.ts'
import type { Incident, IncidentEvent, IncidentState, Severity } from './domain/incident.ts'
import type { SealedPlan } from './domain/plan.ts'
import type { AskedChange, SealedChange } from './domain/power.ts'
import type { Actor, IdentityLink, Principal, Role, RoleHolder, Surface } from './domain/principal.ts'
import type { RefusalCode } from './domain/refusal.ts'
import type { Recurrence } from './domain/relations.ts'
import type { RunbookChunk, RunbookQuery } from './domain/runbook.ts'
import type { StepAt } from './investigation/transcript.ts'

export type { ActionDefinition } from '../integrations/ports/action.ts'
export type { EffectJournal, JournalEntry } from './actions/effect-journal.ts'

/** What intake decided about one alert, with the reason that is kept beside it. */
export type IntakeDecision =
  | {
      do: 'open'
      title: string
      service: string
      environment: string
      severity: Severity
      severityReason: string
      drillRun: string | null
      reason: string
      /** Noted with both incidents. */
      recurrence?: Recurrence
    }
  /** `quiet`: counted with the incident, but no line in its timeline and no notice: an alert that flaps. */
  | { do: 'attach'; incidentId: string; reason: string; quiet?: boolean }
  /** `repeats`: nothing new, and said again and again. Without a beginning of its own it is counted where that was heard last, and leaves no row. */
  | { do: 'drop'; reason: string; repeats?: boolean }

/** What the decision may depend on; read in the same transaction that stores its result. */
export interface IntakeFacts {
  /** Not yet ended, newest first, at most 200. */
  openIncidents: readonly Incident[]
  /** The incident the same alert key belongs to, ended or not; where it is over, with what was noted when it was opened. */
  known: {
    incident: Incident
    opening: IncidentEvent['detail'] | null
    lastStatus: Alert['status']
    lastStartsAt: string | null
    deliveries: number
  } | null
  /** What was heard of the same alert key before, dropped or not, newest first, at most 50: tells replays, late and flapping alerts. */
  received: { status: Alert['status']; startsAt: string | null; receivedAt: Date }[]
}

/** An alert, the stored delivery that it came in, and who decides what becomes of it. */
export interface Arrival {
  alert: Alert
  inboxId: number | null
  decide: (facts: IntakeFacts) => IntakeDecision
}

/** What became of an alert. */
export interface Absorbed {
  decision: IntakeDecision
  incidentId: string | null
  isNew: boolean
}

export interface IncidentStore {
  /**
   * Stores the alert and its consequence in one transaction; concurrent calls are serialised. The same occurrence of the same alert in the
   * same status is taken once: again, it is counted and dropped without asking `decide`.
   */
  absorb(alert: Alert, inboxId: number | null, decide: (facts: IntakeFacts) => IntakeDecision): Promise<Absorbed>
  /** The same for several, in this order and all in one transaction: each decision sees what those before it wrote. */
  absorbAll(arrivals: readonly Arrival[]): Promise<Absorbed[]>
  get(id: string): Promise<Incident | null>
  /** Newest first; `cursor` is opaque and comes from the call before. With `fits` only those that it says yes to. */
  list(query: {
    state?: IncidentState | 'active'
    service?: string
    limit: number
    cursor?: string
    fits?: (incident: Incident) => boolean
  }): Promise<{ items: Incident[]; next: string | null }>
  /**
   * Appends to the timeline; with `state` the incident moves there in the same transaction, and surfaces are told by the outbox. With `from`
   * nothing is written unless the incident is in one of these states, nor when `unless` says yes to the timeline as it stands with all other
   * writers of the incident waiting. Returns whether it was written.
   *
   * @throws Error when there is no such incident.
   */
  record(
    incidentId: string,
    event: {
      kind: string
      text: string
      detail?: Record<string, unknown>
      state?: IncidentState
      from?: readonly IncidentState[]
      severity?: { severity: Severity; reason: string }
      unless?: (timeline: readonly IncidentEvent[]) => boolean
      /** Said in the incident's thread as well, in these words, in the same transaction. */
      tell?: boolean
    },
  ): Promise<boolean>
  timeline(incidentId: string): Promise<IncidentEvent[]>
  alerts(incidentId: string): Promise<(Alert & { receivedAt: Date })[]>
  addEvidence(incidentId: string, items: readonly NewEvidence[]): Promise<EvidenceItem[]>
  evidence(incidentId: string): Promise<EvidenceItem[]>
  /** One item by its label; null when there is none. */
  evidenceItem(incidentId: string, label: string): Promise<EvidenceItem | null>
  /** The same without the contents, which may be large: for cards and lists. */
  evidenceSummaries(incidentId: string): Promise<EvidenceSummary[]>
  /** Replaces the current diagnosis; the earlier ones stay as rows. */
  saveHypotheses(incidentId: string, hypotheses: readonly Hypothesis[]): Promise<void>
  hypotheses(incidentId: string): Promise<Hypothesis[]>
  /**
   * Ends an incident as a part of another, in one transaction with the move of its alerts. Returns how many went over; null when the other is
   * over, or this one is in none of the states of `from`.
   */
  merge(merging: {
    id: string
    into: string
    person: Pick<Principal, 'id' | 'name'>
    from: readonly IncidentState[]
  }): Promise<number | null>
  /** Gives alerts an incident of their own. Null when none of them is there, none would be left, or the incident is over. */
  split(splitting: {
    id: string
    alerts: readonly Pick<Alert, 'source' | 'key'>[]
    person: Pick<Principal, 'id' | 'name'>
    title: string
    service: string
  }): Promise<Incident | null>
  /** False when there is no diagnosis yet. */
  addFeedback(incidentId: string, feedback: NewFeedback): Promise<boolean>
  /** What each person said last, oldest first. */
  feedback(incidentId: string): Promise<Feedback[]>
}

/** Runbooks in parts, to be searched. */
export interface RunbookStore {
  /** Everything that was stored is replaced by these, in one transaction. */
  replace(chunks: readonly RunbookChunk[]): Promise<void>
  /** The best part of each runbook that fits, the best first; empty when none fits well enough. */
  search(query: RunbookQuery): Promise<RunbookChunk[]>
}

/** What models look into by themselves, and what people ask them, step by step. Rows are appended and never changed. */
export interface ModelRunStore {
  /** `number` counts those of the incident with the same purpose from 1. */
  start(incidentId: string, purpose: 'investigation' | 'question'): Promise<{ id: number; number: number }>
  /** `seq` counts from 1. @throws Error when that step is there already: another process is at it. */
  append(runId: number, seq: number, step: StepAt): Promise<void>
  /** The last investigation of an incident with its steps. */
  latest(incidentId: string): Promise<{ id: number; number: number; steps: StepAt[] } | null>
  /** How many there are of an incident. */
  count(incidentId: string, purpose: 'investigation' | 'question'): Promise<number>
  /** Every step of the newest fifty, oldest first: the trace that people read. */
  trace(incidentId: string): Promise<{ number: number; purpose: 'investigation' | 'question'; steps: StepAt[] }[]>
}

/** Where a request is shown; a click is valid only from a place the request was shown at. */
export interface Presentation {
  surface: Surface
  tenant: string
  /** Channel or page. */
  place: string
}

export interface VoteInput {
  requestId: string
  digest: string
  decision: Decision
  actor: Actor
  place: string
  /** Text the person typed, when the plan asks for it. */
  confirm: string | null
  reason: string | null
  /** Unique for one click; the same click delivered twice is one vote. */
  deliveryKey: string
}

/** One write per call: every method is one transaction, and the database refuses what the invariants forbid (thrown as `Refusal`). */
export interface ApprovalKernel {
  registerActions(definitions: readonly ActionDefinition[]): Promise<void>
  /** Writes plan, its undo and the request in one transaction. Older pending requests of the incident become superseded. */
  propose(input: {
    parent: SealedPlan
    undo: SealedPlan | null
    presentations: readonly Presentation[]
    renderHash: string
    renderVersion: number
  }): Promise<Approval>
  vote(input: VoteInput): Promise<Approval>
  cancel(requestId: string, by: string, reason: string): Promise<Approval>
  /** Ends requests whose time is over, and settles authorised plans nobody could claim. Returns the ids that changed. */
  expireDue(): Promise<string[]>
  approval(requestId: string): Promise<Approval | null>
  approvals(query: {
    state?: RequestState
    incidentId?: string
    /** Carried out on this resource (`resourceOf` a target), whatever came of it. */
    carriedOutOn?: string
    limit: number
    cursor?: string
  }): Promise<{ items: Approval[]; next: string | null }>
  /** The accounts by which a request was voted on: for the process that people vote in; the agent's may not read them. */
  votedBy(requestId: string): Promise<{ person: string; decision: Decision; account: Actor }[]>
  /** People whom the agent asked, unbidden, this many times within the last hour about what could wait (Sev 3 and 4, no drills). */
  askedOften(times: number): Promise<string[]>
  /** Who holds the role that this plan asks for, and is not ruled out by having asked for it. */
  whoMay(requestId: string): Promise<Principal[]>
  keep(requestId: string, actor: Actor): Promise<Approval>
}

/** The executor's half of the kernel; every write is fenced by the lease epoch. */
export interface ExecutionKernel {
  /** Authorised plans without an execution, oldest first. */
  claimable(limit: number): Promise<{ authorisationId: string; requestId: string | null; planId: string; undoOf: string | null }[]>
  claim(authorisationId: string, epoch: number): Promise<{ executionId: string; plan: SealedPlan }>
  /** Null when nothing forbids to act on this execution now; the same test the database makes inside `intent` and `sent`. */
  refusalToAct(executionId: string): Promise<{ code: RefusalCode; detail: string | null } | null>
  advance(executionId: string, to: ExecutionState, epoch: number, detail: Record<string, unknown>): Promise<void>
  /** Executions that are not over: after a crash they are probed and settled, never sent again. */
  unfinished(): Promise<
    {
      executionId: string
      authorisationId: string
      state: ExecutionState
      epoch: number
      plan: SealedPlan
      /** Milliseconds since it was sent, by the database's clock; null before. The clock of this machine may be another. */
      sentAgoMs: number | null
      /** The epoch that wrote `sent`. */
      sentEpoch: number | null
      /** Milliseconds in its state, by the database's clock. */
      inStateMs: number
    }[]
  >
  /** Failed executions whose undo may start now; authorising it is derived from the parent's click. */
  undosDue(): Promise<{ executionId: string; undoPlanId: string }[]>
  authoriseUndo(executionId: string): Promise<string>
  /** Ends undo windows that passed unused, and marks actions undone whose undo is verified. Returns how many rows changed. */
  settleUndos(epoch: number): Promise<number>
  /** Everything that was ever sent, for the comparison with the effect journal. */
  sentExecutions(): Promise<{ executionId: string; planId: string; digest: string }[]>
}

export interface PeopleStore {
  /**
   * Makes rows of the configured people; links and roles that are no longer configured are revoked, never deleted. What an admin took away is not
   * given back by it: those are returned, one phrase each.
   */
  sync(
    people: readonly {
      id: string
      name: string
      roles: readonly Role[]
      environments: readonly string[]
      links: readonly Omit<IdentityLink, 'principalId'>[]
    }[],
  ): Promise<string[]>
  byActor(actor: Actor): Promise<RoleHolder | null>
  list(): Promise<RoleHolder[]>
  /** The accounts of people on one surface, as they are linked now. */
  accounts(surface: Surface, tenant: string): Promise<Pick<IdentityLink, 'principalId' | 'externalId'>[]>
  /** Whether a person holds a role, or one above it, in an environment now; the same test the database makes for votes. */
  may(principalId: string, role: Role, environment: string): Promise<boolean>
}

/** Who may change who may. Each method is one transaction; the database refuses what two admins did not say (thrown as `Refusal`). */
export interface PowerStore {
  /** By an admin's account. What takes is done at once; what gives waits for another admin. */
  ask(change: SealedChange, actor: Actor): Promise<AskedChange>
  /** Another admin's word for the bytes whose digest begins with `code`. */
  confirm(code: string, actor: Actor): Promise<AskedChange>
  /** Any admin may withdraw what waits. */
  withdraw(code: string, actor: Actor): Promise<AskedChange>
  /** What waits for a confirmation, oldest first. */
  pending(): Promise<AskedChange[]>
  /** By the command line on the host: makes a person, new or known, an admin everywhere, while there is none. @throws Refusal admin-exists */
  enrolFirst(person: { id: string; name: string; link: Omit<IdentityLink, 'principalId'> | null }): Promise<void>
  /** Ends what nobody confirmed in time. Returns how many. */
  expireDue(): Promise<number>
}

/** The policy that holds, and the one that waits for two admins. */
export interface PolicyStore {
  /** Null before there was one. */
  inForce(): Promise<{ digest: string; text: string } | null>
  /**
   * What the host's file says now. It holds at once, unless it differs from the one that holds and there are two admins to confirm it: then they
   * are asked, once, and what waited before is withdrawn.
   */
  offer(offered: { digest: string; text: string; ask(before: string): SealedChange }): Promise<'in-force' | 'waiting'>
}

/** Stopping everything and freezing; every change is audited and announced. */
export interface ControlStore {
  /** Returns what was sent before and still waits for its answer, by its title. */
  stop(scope: string, by: string): Promise<{ underWay: string[] }>
  /** By the CLI on the host, or the second of two people. Returns whether it runs again now. */
  start(scope: string, by: string, from: 'host' | 'person'): Promise<{ started: boolean; votes: string[] }>
  /** What is stopped; `startVotes` are the people who said start since and whose word still counts, first to last. */
  stopped(): Promise<{ scope: string; by: string; at: Date; startVotes: string[] }[]>
  /** `from` null: at once, by the database's clock, which decides what is frozen. */
  freeze(window: { scope: string; from: Date | null; to: Date; reason: string; by: string }): Promise<string>
  unfreeze(id: string, by: string): Promise<void>
  freezes(): Promise<{ id: string; scope: string; from: Date; to: Date; reason: string; by: string }[]>
}

/** Effects that the journal knows beyond the database, as far as a person on the host has looked at them. */
export interface AcceptedEffects {
  list(): Promise<readonly { planId: string; digest: string }[]>
  /** Recorded in the audit log as done by the host, with the reason (1 to 500 characters). */
  accept(entries: readonly JournalEntry[], reason: string): Promise<void>
}

/** Who was refused what they asked for: kept in the audit log, the same once within an hour, and so much of one person within it. */
export interface RefusedAttempts {
  note(attempt: { person: string; what: string; code: RefusalCode; requestId: string | null }): Promise<void>
}

export interface AuditEntry {
  seq: number
  at: Date
  actor: string
  what: string
  body: Record<string, unknown>
  hash: string
}

/** What the row of an entry is about: read from the rows as they are now, to tell people; what is sealed is the entry alone. */
export interface AuditSubject {
  seq: number
  incidentId: string | null
  requestId: string | null
  /** The action's title; of an undo, the title of what it undoes. */
  title: string | null
  undo: boolean
  /** The state of a request. */
  state: string | null
  /** The person whose role or account it is, and the role. */
  person: string | null
  role: string | null
  freeze: { scope: string; from: Date; to: Date; reason: string } | null
}

/** What `audit verify` found. Violations are one sentence each, with the rows they name. */
export interface AuditReport {
  ok: boolean
  violations: string[]
  entries: number
  head: string
}

export interface AuditStore {
  entries(query: { limit: number; cursor?: string }): Promise<{ items: AuditEntry[]; next: string | null }>
  /**
   * Recomputes the chain from its first row, the digests of the rows it names, and runs the checker query of every invariant. `since: 'last'` looks
   * at what is new since the last proof alone, unless a whole one is due: the first in a process, daily, and after a violation. Calls at the same
   * time share one run.
   */
  verify(options?: { since?: 'last' }): Promise<AuditReport>
  /** Of entries that speak of a plan, or of a person's power. */
  subjects(seqs: readonly number[]): Promise<AuditSubject[]>
  /** What should have moved on by now and did not, one sentence each: a reason to page. */
  overdue(): Promise<string[]>
  /** What time it is by the clock of the database's server. */
  serverTime(): Promise<Date>
  /** Every plan that was put before people, with what its card looked like, for the re-render. */
  plans(): Promise<{ requestId: string; canonical: string; renderHash: string; renderVersion: number }[]>
}

/** What the figures know of one incident. */
export interface IncidentRecord {
  id: string
  service: string
  environment: string
  severity: Severity
  openedAt: Date
  endedAt: Date | null
  /** The first thing a person did in it; null when nobody did anything. */
  acknowledgedAt: Date | null
  /** `gone`: the symptom went after something was done that was not verified, or by a drill's clean-up. */
  ending: 'verified' | 'healed' | 'gone' | 'person' | 'merged' | null
  isDrill: boolean
}

export interface FeedbackCounts {
  right: number
  wrong: number
}

/** Where the rows behind the figures are read. */
export interface RecordsStore {
  /** Incidents that were opened in the window, newest first, at most `limit`; whether those are all of them. */
  incidents(query: { from: Date; to: Date; service: string | null; limit: number }): Promise<{ items: IncidentRecord[]; isAll: boolean }>
  /** What people said last of the diagnoses of these incidents. */
  feedback(incidentIds: readonly string[]): Promise<FeedbackCounts>
}
