import type { IncidentView } from '../../agent/agent.ts'
import type { Approval, Decision, Execution, ExecutionEvent, ExecutionState, Vote } from '../../agent/domain/approval.ts'
import type { EvidenceItem } from '../../agent/domain/evidence.ts'
import type { Hypothesis } from '../../agent/domain/hypothesis.ts'
import type { Incident, IncidentEvent } from '../../agent/domain/incident.ts'
import { type Plan, resourceOf, sealPlan } from '../../agent/domain/plan.ts'

/** The night all samples play in. */
export const NIGHT = new Date('2026-03-14T02:10:00.000Z')
export const PEOPLE: Readonly<Record<string, string>> = { alice: 'Alice', bob: 'Bob', carol: 'Carol' }
const ZERO_HASH = '0'.repeat(64)

export function at(secondsAfter: number): Date {
  return new Date(NIGHT.getTime() + secondsAfter * 1_000)
}

export function nameOf(id: string): string {
  return PEOPLE[id] ?? id
}

/** The roll-back that the first drill ends in; `changed` replaces whole fields. */
export function aPlan(changed: Partial<Plan> = {}): Plan {
  const target = changed.target ?? { provider: 'local', environment: 'local', kind: 'service', name: 'payments', uid: 'payments-7c1e' }
  return {
    schema: 'steadyhand.plan/1',
    id: '6f0c1f9e-6a5e-4a53-9f5c-0d8b6f1f2a10',
    incident: 'INC-42',
    severity: 2,
    action: { kind: 'local.rollback', version: 1, title: 'Roll back payments from v42 to v41' },
    resource: resourceOf(target),
    parameters: { version: 'v41' },
    changes: [{ field: 'version', from: 'v42', to: 'v41' }],
    preconditions: [
      { field: 'version', equals: 'v42' },
      { field: 'replicas', equals: 2 },
    ],
    symptom: { service: 'payments', metric: 'error_ratio', comparator: '<=', threshold: '0.2', unit: 'ratio' },
    success: {
      metrics: [{ service: 'payments', metric: 'error_ratio', comparator: '<=', threshold: '0.05', unit: 'ratio' }],
      state: [{ field: 'version', equals: 'v41' }],
      settleSeconds: 2,
      holdSeconds: 5,
      withinSeconds: 20,
      minSamples: 5,
      weaker: null,
    },
    probe: 'the running version and the id of the execution that set it',
    undo: {
      plan: '0b6f3a52-41c8-4c0e-8f0a-3f1f6a7b9c11',
      digest: 'c4'.repeat(32),
      title: 'Put payments back to v42',
      changes: [{ field: 'version', from: 'v41', to: 'v42' }],
    },
    undoOf: null,
    blastRadius: { replicas: 2, ofReplicas: 2, dependents: ['checkout', 'storefront'], downtime: 'none expected, one replica at a time' },
    reversibility: 'reversible',
    risk: 'safe',
    requester: null,
    cause: { class: 'bad_release', component: 'service/payments' },
    approval: { role: 'approver', needed: 1, requesterMayApprove: false, confirm: null, rule: 'local-reversible' },
    limits: { cooldownSeconds: 60, maxAttempts: 2 },
    build: 'b1'.repeat(32),
    createdAt: at(0).toISOString(),
    expiresAt: at(600).toISOString(),
    ...changed,
    target,
  }
}

/** A request for approval as it stands right after it was made. */
export function anApproval(changed: Partial<Approval> = {}): Approval {
  const plan = changed.plan ?? aPlan()
  return {
    id: '3d2c7c0a-58c4-4f9b-9d7c-2b6c0f4b8e01',
    incidentId: plan.incident,
    drillRun: null,
    digest: sealPlan(plan).digest,
    requestState: 'pending',
    reason: null,
    votes: [],
    createdAt: at(0),
    decidedAt: null,
    execution: null,
    undoExecution: null,
    undoFrom: null,
    keptBy: null,
    undoLapsed: false,
    ...changed,
    plan,
  }
}

export function aVote(person: string, decision: Decision = 'approve', seconds = 41, reason: string | null = null): Vote {
  return { person, personName: nameOf(person), decision, at: at(seconds), reason }
}

/** An execution that went through `states`, one second apart; `detail` belongs to the last. */
export function anExecution(states: readonly ExecutionState[], detail: Record<string, unknown> = {}, from = 42): Execution {
  const events = states.map(
    (state, index): ExecutionEvent => ({
      seq: index + 1,
      state,
      at: at(from + index),
      detail: index === states.length - 1 ? detail : {},
    }),
  )
  return { id: '9a0e4d0c-7a34-4c5b-8f7e-5d1c2b3a4f02', planId: aPlan().id, state: states.at(-1) ?? 'claimed', epoch: 7, events }
}

const CHECKED = {
  samples: 9,
  words: 'held for 5 s',
  checks: [
    { check: 'error_ratio of payments <= 0.05', last: '0.002', held: true, samples: 9 },
    { check: 'version = v41', last: 'v41', held: true, samples: 9 },
  ],
}
const EFFECT = ['claimed', 'intent', 'sent', 'succeeded'] as const

/** The same request in every state a card tells apart, with the moment to look at it. */
export function approvalsInEveryState(): Readonly<Record<string, { approval: Approval; now: Date }>> {
  const authorised: Partial<Approval> = { requestState: 'authorised', votes: [aVote('alice')], decidedAt: at(41) }
  const run = (states: readonly ExecutionState[], more: Partial<Approval> = {}, detail: Record<string, unknown> = {}) => ({
    approval: anApproval({ ...authorised, execution: anExecution(states, detail), ...more }),
    now: at(60),
  })
  const failed = [...EFFECT, 'failed'] as const
  const twoPeople = aPlan({
    approval: { role: 'approver', needed: 2, requesterMayApprove: false, confirm: 'payments', rule: 'two-for-caution' },
  })
  const askedFor = aPlan({
    requester: 'alice',
    approval: { role: 'approver', needed: 1, requesterMayApprove: true, confirm: null, rule: 'one-person-team' },
  })
  const ended = (changed: Partial<Approval>) => ({ approval: anApproval({ decidedAt: at(41), ...changed }), now: at(60) })
  return {
    asking: { approval: anApproval(), now: at(30) },
    'asking-two': { approval: anApproval({ plan: twoPeople, votes: [aVote('alice')] }), now: at(50) },
    'asking-own': { approval: anApproval({ plan: askedFor }), now: at(30) },
    'asking-no-undo': {
      approval: anApproval({ plan: aPlan({ undo: null, reversibility: 'irreversible', risk: 'caution' }) }),
      now: at(30),
    },
    'time-over': { approval: anApproval(), now: at(600) },
    denied: ended({ requestState: 'denied', votes: [aVote('carol', 'deny', 41, 'payments is in the middle of a migration')] }),
    expired: ended({ requestState: 'expired', decidedAt: at(600) }),
    cancelled: ended({ requestState: 'cancelled', reason: 'Withdrawn by Alice: handled by hand' }),
    superseded: ended({ requestState: 'superseded', reason: 'A newer plan was made' }),
    authorised: { approval: anApproval(authorised), now: at(42) },
    checking: run(['claimed', 'intent']),
    aborted: run(['claimed', 'aborted'], {}, { reason: 'healed', words: 'errors of payments are at 0.1 % again' }),
    restored: run(['claimed', 'aborted'], {}, { reason: 'restored', words: 'It was the backup of 2026-03-01 02:00 UTC.' }),
    running: run(['claimed', 'intent', 'sent']),
    'no-answer': run(['claimed', 'intent', 'sent', 'unknown']),
    verifying: run(EFFECT),
    verified: run([...EFFECT, 'verified'], {}, CHECKED),
    undetermined: run([...EFFECT, 'undetermined'], {}, { words: '2 of at least 5 samples arrived in 20 s' }),
    'not-applied': run(
      ['claimed', 'intent', 'sent', 'failed'],
      {},
      { reason: 'permission-missing', words: 'workloads.update on payments' },
    ),
    failed: run(failed, { plan: aPlan({ undo: null }) }, { words: 'errors of payments stayed at 36 %' }),
    'undo-waiting': run(failed, { undoFrom: at(106) }, { words: 'errors of payments stayed at 36 %' }),
    undoing: run(failed, { undoFrom: at(46), undoExecution: anExecution(EFFECT, {}, 110) }),
    undone: run([...failed, 'undone'], { undoFrom: at(46), undoExecution: anExecution([...EFFECT, 'verified'], {}, 110) }),
    kept: run(failed, { undoFrom: at(106), keptBy: 'carol' }),
    'undo-failed': run(failed, { undoFrom: at(46), undoExecution: anExecution([...EFFECT, 'failed'], {}, 110) }),
    'undo-lapsed': run(failed, { undoFrom: at(46), undoLapsed: true }),
  }
}

export function anIncident(changed: Partial<Incident> = {}): Incident {
  return {
    id: 'INC-42',
    title: 'payments answers errors to 38 % of requests',
    service: 'payments',
    environment: 'local',
    severity: 2,
    severityReason: '38 % of requests to payments fail, and checkout and storefront depend on it',
    state: 'awaiting-approval',
    openedAt: at(-95),
    endedAt: null,
    drillRun: null,
    ...changed,
  }
}

export function anEvidenceItem(label: string, changed: Partial<EvidenceItem> = {}): EvidenceItem {
  return {
    id: `evidence-${label}`,
    incidentId: 'INC-42',
    label,
    kind: 'metrics',
    source: 'local',
    trust: 'metric',
    status: 'ok',
    summary: 'Errors of payments went from 0.2 % to 38 % at 02:08:31.',
    query: 'error_ratio{service="payments"}',
    from: at(-900),
    to: at(0),
    link: null,
    content: { points: [] },
    hash: ZERO_HASH,
    collectedAt: at(2),
    ...changed,
  }
}

export function someEvidence(): EvidenceItem[] {
  return [
    anEvidenceItem('E1'),
    anEvidenceItem('E2', {
      kind: 'changes',
      trust: 'platform',
      summary: 'payments went from v41 to v42 at 02:08:25, 6 s before the errors began.',
      query: 'changes of payments, checkout, inventory',
    }),
    anEvidenceItem('E3', {
      kind: 'logs',
      trust: 'log',
      summary: '214 lines "card schema v3 not supported", all from v42; none from v41.',
      query: '{service="payments"} level=error',
    }),
    anEvidenceItem('E4', {
      kind: 'workload',
      trust: 'platform',
      summary: '2 of 2 replicas are ready on v42; no restarts.',
      query: 'workload payments',
    }),
    anEvidenceItem('E5', { status: 'empty', summary: 'no traces in this window.', kind: 'traces', query: 'service=payments' }),
  ]
}

export function aHypothesis(changed: Partial<Hypothesis> = {}): Hypothesis {
  return {
    rank: 1,
    class: 'bad_release',
    component: 'service/payments',
    confidence: 86,
    parts: [
      { name: 'validator', score: 100, weight: 50, why: 'every number was found in its source' },
      { name: 'evidence', score: 72, weight: 50, why: '4 of 5 sources answered' },
    ],
    claims: [
      { text: 'Errors of payments went from 0.2 % to 38 % at 02:08:31.', cites: ['E1'], supported: true },
      { text: 'That is 6 s after payments went from v41 to v42.', cites: ['E1', 'E2'], supported: true },
      { text: 'All 214 error lines come from v42.', cites: ['E3'], supported: true },
    ],
    against: [{ text: 'Both replicas of v42 are ready.', cites: ['E4'], supported: true }],
    unknown: ['Whether v41 handles cards issued since the release.'],
    since: at(-89),
    ...changed,
  }
}

export function anIncidentView(changed: Partial<IncidentView> = {}): IncidentView {
  return {
    incident: anIncident(),
    alerts: [
      {
        source: 'local',
        key: 'payments-errors',
        name: 'HighErrorRatio',
        status: 'firing',
        level: 'critical',
        service: 'payments',
        environment: 'local',
        summary: 'Error ratio of payments is 38 %, over its limit of 5 %.',
        labels: { service: 'payments' },
        annotations: {},
        startsAt: at(-95).toISOString(),
        endsAt: null,
        link: null,
        trigger: { service: 'payments', metric: 'error_ratio', comparator: '>', threshold: 0.05 },
        receivedAt: at(-95),
      },
    ],
    evidence: someEvidence(),
    hypotheses: [aHypothesis(), aHypothesis({ rank: 2, class: 'dependency_down', component: 'service/bank', confidence: 12, claims: [] })],
    approvals: [anApproval()],
    timeline: aTimeline(),
    handling: { taken: null, snoozed: null },
    relations: { recurrence: null, backAs: null, mergedInto: null, parts: [] },
    model: null,
    feedback: [],
    ...changed,
  }
}

export function aTimeline(): IncidentEvent[] {
  const line = (seq: number, seconds: number, kind: string, text: string): IncidentEvent => ({
    incidentId: 'INC-42',
    seq,
    at: at(seconds),
    kind,
    text,
    detail: {},
  })
  return [
    line(1, -95, 'alert-received', 'HighErrorRatio of payments began.'),
    line(2, -94, 'evidence-collected', '5 questions were asked, 4 had an answer.'),
    line(3, -93, 'diagnosis-made', 'Most likely a bad release of payments (86 % sure).'),
    line(4, -92, 'plan-proposed', 'Roll back payments from v42 to v41 was proposed.'),
  ]
}

/** The same incident beside others. */
export function incidentsBesideOthers(): Readonly<Record<string, IncidentView>> {
  const alone = anIncidentView().relations
  const resolved = anIncident({ state: 'resolved', endedAt: at(75) })
  const merged = {
    incidentId: 'INC-42',
    seq: 5,
    at: at(75),
    kind: 'incident-merged',
    text: 'Alice merged it into INC-40: what follows is there.',
  }
  return {
    recurred: anIncidentView({ relations: { ...alone, recurrence: { of: 'INC-41', count: 3, since: at(-200_000) } } }),
    back: anIncidentView({ incident: resolved, approvals: [], relations: { ...alone, backAs: 'INC-43' } }),
    whole: anIncidentView({ relations: { ...alone, parts: ['INC-43', 'INC-44'] } }),
    part: anIncidentView({
      incident: resolved,
      approvals: [],
      relations: { ...alone, mergedInto: 'INC-40' },
      timeline: [...aTimeline(), { ...merged, detail: { into: 'INC-40' } }],
    }),
  }
}

/** The same incident in every state. */
export function incidentsInEveryState(): Readonly<Record<string, IncidentView>> {
  const states = approvalsInEveryState()
  const approvals = (name: string): Approval[] => (states[name] ? [states[name].approval] : [])
  const early = { approvals: [], hypotheses: [] }
  return {
    open: anIncidentView({ incident: anIncident({ state: 'open' }), evidence: [], ...early }),
    investigating: anIncidentView({ incident: anIncident({ state: 'investigating' }), evidence: someEvidence().slice(0, 2), ...early }),
    observing: anIncidentView({
      incident: anIncident({ state: 'observing' }),
      hypotheses: [aHypothesis({ class: 'unknown', component: 'service/payments', confidence: 20, claims: [], against: [] })],
      approvals: [],
    }),
    'awaiting-approval': anIncidentView(),
    acting: anIncidentView({ incident: anIncident({ state: 'acting' }), approvals: approvals('running') }),
    verifying: anIncidentView({ incident: anIncident({ state: 'verifying' }), approvals: approvals('verifying') }),
    resolved: anIncidentView({ incident: anIncident({ state: 'resolved', endedAt: at(75) }), approvals: approvals('verified') }),
    healed: anIncidentView({ incident: anIncident({ state: 'healed', endedAt: at(20), drillRun: 'run-1' }), approvals: [] }),
  }
}
