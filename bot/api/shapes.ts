import { z } from 'zod'
import type { IncidentView } from '../../agent/agent.ts'
import { alertSchema } from '../../agent/domain/alert.ts'
import {
  type Approval,
  type ApprovalState,
  approvalOutcome,
  approvalState,
  EXECUTION_STATES,
  type Execution,
} from '../../agent/domain/approval.ts'
import type { EvidenceSummary } from '../../agent/domain/evidence.ts'
import { INCIDENT_STATES, type Incident } from '../../agent/domain/incident.ts'
import { planSchema } from '../../agent/domain/plan.ts'
import { type Principal, ROLES, type Role } from '../../agent/domain/principal.ts'
import type { SaidMessage } from '../console/surface.ts'
import { causesInOrder } from '../messages/diagnosis-blocks.ts'
import { incidentStateWords } from '../messages/incident-words.ts'
import { reasonWords } from '../messages/outcome-words.ts'

export const incidentIdSchema = z.string().regex(/^inc-[1-9]\d{0,8}$/, 'must be the id of an incident, such as inc-12')
/** RFC 3339, in UTC. */
export const timeSchema = z.iso.datetime()
export const blocksSchema = z.array(z.record(z.string(), z.unknown()))

export const APPROVAL_STATES = [
  'pending',
  'authorised',
  'denied',
  'expired',
  'cancelled',
  'superseded',
  'aborted',
  'executing',
  'done',
] as const satisfies readonly ApprovalState[]

export const personSchema = z.object({ id: z.string(), name: z.string(), roles: z.array(z.enum(ROLES)) })

const outcomeSchema = z.enum(['verified', 'failed', 'undetermined', 'undone']).nullable()
const executionEventSchema = z.object({ seq: z.int().min(1), state: z.enum(EXECUTION_STATES), at: timeSchema })
const runSchema = z.object({ state: z.enum(EXECUTION_STATES), events: z.array(executionEventSchema) })

export const approvalSchema = z.object({
  id: z.string(),
  incident: z.string(),
  /** The drill's run, or null. */
  run: z.string().nullable(),
  state: z.enum(APPROVAL_STATES),
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  needed: z.int().min(1).max(5),
  /** The text to type, or null when a click is enough. */
  confirm: z.string().nullable(),
  votes: z.array(
    z.object({
      person: z.string(),
      name: z.string(),
      decision: z.enum(['approve', 'deny']),
      at: timeSchema,
      reason: z.string().nullable(),
    }),
  ),
  createdAt: timeSchema,
  expiresAt: timeSchema,
  decidedAt: timeSchema.nullable(),
  /** Why it ended without running, or why what ran did not help; null where nothing of that is so. */
  reason: z.string().nullable(),
  plan: planSchema,
  execution: runSchema.extend({ outcome: outcomeSchema, undo: runSchema.nullable(), keptBy: z.string().nullable() }).nullable(),
})

export const incidentSummarySchema = z.object({
  id: z.string(),
  title: z.string(),
  service: z.string(),
  environment: z.string(),
  severity: z.int().min(1).max(4),
  severityReason: z.string(),
  state: z.enum(INCIDENT_STATES),
  openedAt: timeSchema,
  endedAt: timeSchema.nullable(),
  run: z.string().nullable(),
})

const claimSchema = z.object({ text: z.string(), cites: z.array(z.string()), supported: z.boolean(), by: z.literal('model').optional() })

const usedSchema = z.object({ seconds: z.number(), turns: z.int(), calls: z.int(), tokens: z.int(), dollars: z.number().nullable() })
export const modelUseSchema = z.object({
  provider: z.string().nullable(),
  model: z.string().nullable(),
  /** Null while it is at it. */
  outcome: z.enum(['concluded', 'stopped', 'invalid', 'unavailable', 'declined']).nullable(),
  words: z.string().nullable(),
  spent: usedSchema,
  budget: usedSchema,
  questions: z.array(z.string()),
  /** What a second provider says of it; null where none was asked. */
  review: z
    .object({
      provider: z.string(),
      model: z.string(),
      verdict: z.enum(['agrees', 'disagrees', 'undecided']).nullable(),
      words: z.string().nullable(),
      cites: z.array(z.string()),
    })
    .nullable(),
})

export const cardSchema = z.object({ kind: z.enum(['incident', 'approval']), ref: z.string(), text: z.string(), blocks: blocksSchema })
export const messageSchema = z.object({ kind: z.string(), ref: z.string(), text: z.string(), blocks: blocksSchema, at: timeSchema })

export const evidenceSchema = z.object({
  id: z.string(),
  label: z.string(),
  kind: z.string(),
  source: z.string(),
  trust: z.enum(['metric', 'platform', 'log', 'chat']),
  status: z.enum(['ok', 'empty', 'failed', 'denied']),
  summary: z.string(),
  query: z.string(),
  from: timeSchema,
  to: timeSchema,
  link: z.string().nullable(),
  hash: z.string(),
  collectedAt: timeSchema,
})

export const incidentSchema = incidentSummarySchema.extend({
  /** The state in words, as cards say it. */
  stateWords: z.string(),
  alerts: z.array(alertSchema.extend({ receivedAt: timeSchema })),
  evidence: z.array(evidenceSchema),
  hypotheses: z.array(
    z.object({
      rank: z.number(),
      class: z.string(),
      component: z.string(),
      confidence: z.number().min(0).max(100),
      parts: z.array(z.object({ name: z.string(), score: z.number(), weight: z.number(), why: z.string() })),
      claims: z.array(claimSchema),
      against: z.array(claimSchema),
      unknown: z.array(z.string()),
      since: timeSchema.nullable(),
    }),
  ),
  plans: z.array(z.object({ approval: z.string(), state: z.enum(APPROVAL_STATES), digest: z.string(), plan: planSchema })),
  timeline: z.array(
    z.object({ seq: z.int(), at: timeSchema, kind: z.string(), text: z.string(), detail: z.record(z.string(), z.unknown()) }),
  ),
  /** Who looks after it by hand, and until when it is left alone. */
  handling: z.object({
    taken: z.object({ by: z.string(), name: z.string(), at: timeSchema }).nullable(),
    snoozed: z.object({ by: z.string(), name: z.string(), until: timeSchema, reason: z.string().nullable() }).nullable(),
  }),
  /** What each person said last of the diagnosis. */
  feedback: z.array(
    z.object({
      person: z.string(),
      name: z.string(),
      verdict: z.enum(['right', 'wrong']),
      class: z.string().nullable(),
      component: z.string().nullable(),
      words: z.string().nullable(),
      at: timeSchema,
    }),
  ),
  /** What a model was asked last, and what that cost; null when none was. */
  model: modelUseSchema.nullable(),
  cards: z.array(cardSchema),
  thread: z.array(messageSchema),
})

export type Card = z.infer<typeof cardSchema>

export function showPerson(person: Principal & { roles: readonly Role[] }): z.infer<typeof personSchema> {
  return { id: person.id, name: person.name, roles: [...person.roles] }
}

export function showApproval(approval: Approval): z.infer<typeof approvalSchema> {
  const { plan, execution } = approval
  return {
    id: approval.id,
    incident: approval.incidentId,
    run: approval.drillRun,
    state: approvalState(approval),
    digest: approval.digest,
    needed: plan.approval.needed,
    confirm: plan.approval.confirm,
    votes: approval.votes.map(({ person, personName, decision, at, reason }) => ({
      person,
      name: personName,
      decision,
      at: at.toISOString(),
      reason,
    })),
    createdAt: approval.createdAt.toISOString(),
    expiresAt: plan.expiresAt,
    decidedAt: iso(approval.decidedAt),
    reason: approval.reason ?? reasonWords(approval),
    plan,
    execution: execution && {
      ...showRun(execution),
      outcome: approvalOutcome(approval),
      undo: approval.undoExecution && showRun(approval.undoExecution),
      keptBy: approval.keptBy,
    },
  }
}

export function showIncidentSummary(incident: Incident): z.infer<typeof incidentSummarySchema> {
  const { drillRun, openedAt, endedAt, ...rest } = incident
  return { ...rest, openedAt: openedAt.toISOString(), endedAt: iso(endedAt), run: drillRun }
}

export function showEvidence({
  id,
  label,
  kind,
  source,
  trust,
  status,
  summary,
  query,
  from,
  to,
  link,
  hash,
  collectedAt,
}: EvidenceSummary) {
  const times = { from: from.toISOString(), to: to.toISOString(), collectedAt: collectedAt.toISOString() }
  return { id, label, kind, source, trust, status, summary, query, link, hash, ...times }
}

/** As the card tells them: the cause first, how it ended last. */
function inOrder(view: IncidentView): IncidentView['hypotheses'] {
  const { first, end, others } = causesInOrder(view)
  return [...(first ? [first] : []), ...others, ...(end ? [end] : [])]
}

export function showIncident(view: IncidentView, cards: Card[], thread: readonly SaidMessage[]): z.infer<typeof incidentSchema> {
  return {
    ...showIncidentSummary(view.incident),
    stateWords: incidentStateWords(view),
    alerts: view.alerts.map((alert) => ({ ...alert, receivedAt: alert.receivedAt.toISOString() })),
    evidence: view.evidence.map(showEvidence),
    hypotheses: inOrder(view).map(({ since, ...hypothesis }) => ({ ...hypothesis, since: iso(since) })),
    plans: view.approvals.map((approval) => ({
      approval: approval.id,
      state: approvalState(approval),
      digest: approval.digest,
      plan: approval.plan,
    })),
    timeline: view.timeline.map(({ incidentId: _incident, at, ...event }) => ({ ...event, at: at.toISOString() })),
    handling: {
      taken: view.handling.taken && { ...view.handling.taken, at: view.handling.taken.at.toISOString() },
      snoozed: view.handling.snoozed && { ...view.handling.snoozed, until: view.handling.snoozed.until.toISOString() },
    },
    model: view.model && modelUseSchema.parse(view.model),
    feedback: view.feedback.map(({ person, at, ...said }) => ({ ...said, person: person.id, name: person.name, at: at.toISOString() })),
    cards,
    thread: thread.map(({ kind, ref, text, blocks, at }) => ({ kind, ref, text, blocks, at: at.toISOString() })),
  }
}

function showRun({ state, events }: Execution): z.infer<typeof runSchema> {
  return { state, events: events.map(({ seq, state: at, at: moment }) => ({ seq, state: at, at: moment.toISOString() })) }
}

function iso(at: Date | null): string | null {
  return at?.toISOString() ?? null
}
