import { z } from 'zod'
import { type CanonicalValue, canonicalJson, digestOf } from './canonical-json.ts'
import { ALL_FAULT_CLASSES } from './fault-classes.ts'

const name = z.string().min(1).max(200)
const integer = z.int().min(-1_000_000_000).max(1_000_000_000)
/** Canonical documents hold no floats, so a decimal is written as text: '0.05'. */
const decimal = z.string().regex(/^-?\d{1,12}(\.\d{1,6})?$/)
const scalar = z.union([z.string().max(500), integer, z.boolean(), z.null()])
const time = z.iso.datetime()
const hexDigest = z.string().regex(/^[0-9a-f]{64}$/)
const faultClass = z.enum(ALL_FAULT_CLASSES)

/** What is acted on. `uid` tells this object from a later one of the same name. */
export const targetSchema = z.strictObject({
  provider: name,
  environment: name,
  kind: name,
  name,
  uid: name,
})
export type Target = z.infer<typeof targetSchema>

/** The one name of a target for locks, cooldowns and "one thing at a time". */
export function resourceOf(target: Target): string {
  return `${target.provider}/${target.environment}/${target.kind}/${target.name}`
}

/** A bound on one metric of one service; `threshold` in the metric's own unit, which `unit` names for people. */
export const metricBoundSchema = z.strictObject({
  service: name,
  metric: name,
  comparator: z.enum(['<=', '>=']),
  threshold: decimal,
  unit: z.string().max(20),
})
export type MetricBound = z.infer<typeof metricBoundSchema>

/** One property of the target's own state, compared exactly: for undo, and where no metric can tell. */
export const stateCheckSchema = z.strictObject({ field: name, equals: scalar })
export type StateCheck = z.infer<typeof stateCheckSchema>

/**
 * What will count as success, shown before the click. Every bound has to hold for `holdSeconds` without a break, from `settleSeconds` after the
 * effect, before `withinSeconds` are over, with at least `minSamples` samples. Fewer samples is undetermined, never success.
 */
export const successContractSchema = z.strictObject({
  /** The action's own, at most four, and the symptom of the incident where it is another. */
  metrics: z.array(metricBoundSchema).max(5),
  state: z.array(stateCheckSchema).max(6),
  settleSeconds: z.int().min(0).max(600),
  holdSeconds: z.int().min(1).max(600),
  withinSeconds: z.int().min(2).max(3_600),
  minSamples: z.int().min(1).max(1_000),
  /** Non-null when too few samples are expected at this hour, so that only the weaker state checks decide: said on the card. */
  weaker: z.string().max(300).nullable(),
  /** There where the action heals nothing by itself: the symptom then neither condemns it nor is gone because of it, and the incident stays open. */
  heals: z.literal(false).optional(),
})
export type SuccessContract = z.infer<typeof successContractSchema>

/** A field of the target as it was seen, and whether a change of it means that the plan is stale. */
export const preconditionSchema = z.strictObject({ field: name, equals: scalar })
export type Precondition = z.infer<typeof preconditionSchema>

/** One line of the dry run: what changes, from what to what. */
export const changeLineSchema = z.strictObject({ field: name, from: scalar, to: scalar })
export type ChangeLine = z.infer<typeof changeLineSchema>

/**
 * An immutable description of one action, everything the click covers and everything the card shows. Its canonical JSON is stored, its
 * SHA-256 is the digest that travels from plan to vote to execution.
 */
export const planSchema = z.strictObject({
  schema: z.literal('steadyhand.plan/1'),
  id: z.uuid(),
  incident: name,
  severity: z.int().min(1).max(4),
  action: z.strictObject({ kind: name, version: z.int().min(1).max(1_000), title: z.string().min(1).max(200) }),
  target: targetSchema,
  /** `resourceOf(target)`, in the document so that the database can read it there. */
  resource: z.string().min(1).max(820),
  /** Absolute values, never deltas. */
  parameters: z.record(name, scalar),
  /** What it changes, from the dry run. */
  changes: z.array(changeLineSchema).max(12),
  preconditions: z.array(preconditionSchema).max(12),
  /** The healthy side of the trigger, read again at claim: when it holds, the incident healed by itself and nothing is run. */
  symptom: metricBoundSchema.nullable(),
  success: successContractSchema,
  /** How one knows, after a crash or a lost reply, whether the effect took place. */
  probe: z.string().min(1).max(300),
  /** The way back, a plan of its own that the same click covers; null when there is none. */
  undo: z
    .strictObject({ plan: z.uuid(), digest: hexDigest, title: z.string().min(1).max(200), changes: z.array(changeLineSchema).max(12) })
    .nullable(),
  undoOf: z.uuid().nullable(),
  blastRadius: z.strictObject({
    replicas: z.int().min(0).max(100_000),
    ofReplicas: z.int().min(0).max(100_000),
    /** The nearest ones, by name. */
    dependents: z.array(name).max(50),
    /** How many there are besides; there only where there are. */
    moreDependents: z.int().min(1).max(100_000).optional(),
    downtime: z.string().max(200),
  }),
  /** What whoever decides should know of its past, a sentence each; there only where something speaks against it. */
  cautions: z.array(z.string().min(1).max(300)).min(1).max(3).optional(),
  reversibility: z.enum(['reversible', 'compensable', 'irreversible']),
  risk: z.enum(['safe', 'caution']),
  /** The person who named this action; null when the agent proposed it. */
  requester: name.nullable(),
  cause: z.strictObject({ class: faultClass, component: name }),
  approval: z.strictObject({
    role: z.enum(['approver', 'admin']),
    needed: z.int().min(1).max(5),
    requesterMayApprove: z.boolean(),
    /** Text to type, when a click alone is not enough. */
    confirm: z.string().min(1).max(200).nullable(),
    /** The policy rule that decided, by name. */
    rule: name,
  }),
  limits: z.strictObject({ cooldownSeconds: z.int().min(0).max(86_400), maxAttempts: z.int().min(1).max(2) }),
  /** SHA-256 of what decided: catalogue, policy, prompts and model. */
  build: hexDigest,
  createdAt: time,
  expiresAt: time,
})
export type Plan = z.infer<typeof planSchema>

/** A plan with the bytes that stand for it. */
export interface SealedPlan {
  plan: Plan
  canonical: string
  digest: string
}

/** Validates and freezes a plan into its bytes. @throws ZodError when the plan is not of this shape, or RangeError when it has no canonical form. */
export function sealPlan(plan: Plan): SealedPlan {
  const valid = planSchema.parse(plan)
  const canonical = canonicalJson(valid as unknown as CanonicalValue)
  return { plan: valid, canonical, digest: digestOf(canonical) }
}

/** By what a plan's contract is judged, in words that follow "verified": not every contract has something to measure. */
export function byWhat({ success }: Pick<Plan, 'success'>): string {
  return success.metrics.length > 0 ? 'by telemetry' : 'at its target'
}
