import { createHash, randomUUID } from 'node:crypto'
import { z } from 'zod'
import { type CanonicalValue, canonicalJson, digestOf } from '../../agent/domain/canonical-json.ts'
import { type Plan, resourceOf, type SealedPlan, sealPlan, type Target } from '../../agent/domain/plan.ts'
import type { ActionDefinition } from '../../integrations/ports/action.ts'

const definition = (over: Partial<ActionDefinition> & Pick<ActionDefinition, 'kind'>): ActionDefinition => ({
  version: 1,
  description: 'A sample.',
  parameters: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
  reversibility: 'reversible',
  risk: 'safe',
  role: 'approver',
  minNeeded: 1,
  requesterMayApprove: true,
  stepUp: 'none',
  maxTtlSeconds: 3_000,
  minCooldownSeconds: 0,
  retry: 'precondition',
  probeHorizonSeconds: 10,
  ...over,
})

/** A catalogue with one action of each class, and one that asks for more in every respect. */
export const SAMPLE_ACTIONS = {
  restart: definition({ kind: 'sample.restart' }),
  rollback: definition({ kind: 'sample.rollback', reversibility: 'compensable', risk: 'caution' }),
  purge: definition({
    kind: 'sample.purge',
    reversibility: 'irreversible',
    risk: 'caution',
    minNeeded: 2,
    requesterMayApprove: false,
    stepUp: 'typed',
    maxTtlSeconds: 600,
    retry: 'never',
  }),
  failover: definition({
    kind: 'sample.failover',
    reversibility: 'compensable',
    risk: 'caution',
    role: 'admin',
    minNeeded: 2,
    requesterMayApprove: false,
    stepUp: 'typed',
    maxTtlSeconds: 300,
    minCooldownSeconds: 120,
  }),
} as const satisfies Record<string, ActionDefinition>

export interface PlanOptions {
  action?: ActionDefinition
  incident?: string
  target?: Partial<Target>
  needed?: number
  role?: Plan['approval']['role']
  requester?: string | null
  requesterMayApprove?: boolean
  confirm?: string | null
  cooldownSeconds?: number
  maxAttempts?: number
  cause?: Plan['cause']
  ttlSeconds?: number
  undoTtlSeconds?: number
  /** False for a plan without a way back; irreversible plans have none anyway. */
  undo?: boolean
  /** Changes of the undo's own document. */
  undoOver?: Partial<Plan>
  over?: Partial<Plan>
}

/** A valid plan with its undo, by a clock that the caller gives. */
export function samplePlan(now: Date, options: PlanOptions = {}): { parent: SealedPlan; undo: SealedPlan | null } {
  const action = options.action ?? SAMPLE_ACTIONS.restart
  const common = commonFields(now, action, options)
  const hasUndo = options.undo ?? action.reversibility !== 'irreversible'
  const id = randomUUID()
  const undo = hasUndo
    ? sealPlan({
        ...common,
        id: randomUUID(),
        undoOf: id,
        symptom: null,
        parameters: { version: 'v1' },
        expiresAt: after(now, options.undoTtlSeconds ?? 3_540),
        ...options.undoOver,
      })
    : null
  const reference = undo && { plan: undo.plan.id, digest: undo.digest, title: 'Back to v1', changes: [] }
  const parent = sealPlan({ ...common, id, undo: reference, ...options.over })
  return { parent, undo }
}

function commonFields(now: Date, action: ActionDefinition, options: PlanOptions): Omit<Plan, 'id'> {
  const target: Target = { provider: 'sample', environment: 'shop', kind: 'service', name: 'payments', uid: 'u-1', ...options.target }
  return {
    schema: 'steadyhand.plan/1',
    incident: options.incident ?? 'inc-1',
    severity: 2,
    action: { kind: action.kind, version: action.version, title: `${action.kind} ${target.name}` },
    target,
    resource: resourceOf(target),
    parameters: { version: 'v2' },
    changes: [{ field: 'version', from: 'v1', to: 'v2' }],
    preconditions: [{ field: 'version', equals: 'v1' }],
    symptom: { service: target.name, metric: 'error_ratio', comparator: '<=', threshold: '0.05', unit: '' },
    success: { metrics: [], state: [], settleSeconds: 0, holdSeconds: 5, withinSeconds: 60, minSamples: 3, weaker: null },
    probe: 'the version that runs',
    undo: null,
    undoOf: null,
    blastRadius: { replicas: 1, ofReplicas: 1, dependents: ['checkout'], downtime: 'none' },
    reversibility: action.reversibility,
    risk: action.risk,
    requester: options.requester ?? null,
    cause: options.cause ?? { class: 'bad_release', component: target.name },
    approval: {
      role: options.role ?? action.role,
      needed: options.needed ?? action.minNeeded,
      requesterMayApprove: options.requesterMayApprove ?? false,
      confirm: options.confirm === undefined ? (action.stepUp === 'typed' ? target.name : null) : options.confirm,
      rule: 'sample',
    },
    limits: {
      cooldownSeconds: options.cooldownSeconds ?? action.minCooldownSeconds,
      maxAttempts: options.maxAttempts ?? 2,
    },
    build: createHash('sha256').update('sample build').digest('hex'),
    createdAt: now.toISOString(),
    expiresAt: after(now, options.ttlSeconds ?? Math.min(600, action.maxTtlSeconds)),
  }
}

/** Fields of a plan's document by their path, 'approval.needed'; undefined takes the field away. */
export type Forgery = Readonly<Record<string, CanonicalValue | undefined>>

/** Other bytes under the same id, with their own digest: what no code of ours would seal. */
export function forge(sealed: SealedPlan, forgery: Forgery): SealedPlan {
  const document = JSON.parse(sealed.canonical) as Document
  for (const [path, value] of Object.entries(forgery)) {
    const names = path.split('.')
    const field = names.pop() ?? ''
    const parent = names.reduce((found, name) => found[name] as Document, document)
    if (value === undefined) delete parent[field]
    else parent[field] = value
  }
  const canonical = canonicalJson(document)
  return { plan: sealed.plan, canonical, digest: digestOf(canonical) }
}

type Document = Record<string, CanonicalValue>

function after(now: Date, seconds: number): string {
  return new Date(now.getTime() + seconds * 1_000).toISOString()
}
