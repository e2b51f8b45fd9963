import fc from 'fast-check'
import { z } from 'zod'

const APPROVERS = ['ada', 'ben', 'cleo'] as const
const PEOPLE = [...APPROVERS, 'rex', 'vera'] as const
const SCOPES = ['*', 'env:shop', 'kind:sample.restart'] as const
const FREEZES = ['*', 'env:shop', 'resource:0', 'resource:1'] as const
const LATER = [1, 30, 61, 130, 300, 605] as const
const TARGET_STATES = ['intent', 'sent', 'unknown', 'succeeded', 'verified', 'failed', 'undetermined', 'undone', 'aborted'] as const
const LARGEST_PLAN = 5

/** Kinds of plans that a sequence proposes. */
export const SHAPES = ['one', 'two', 'own', 'own-allowed', 'irreversible', 'cooling'] as const
export type Shape = (typeof SHAPES)[number]

const plan = z.int().min(0).max(LARGEST_PLAN)
/** Whether the undo of a plan is meant instead of the plan. */
const undo = z.boolean()
/** The holder of the lease, or the one before it. */
const by = z.enum(['holder', 'former'])
const person = z.enum(PEOPLE)

/**
 * Everything that can happen, as data, so that a sequence is a document. Plans are numbered in the order in which they were proposed, and counted
 * round.
 */
export const stepSchema = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('propose'), shape: z.enum(SHAPES), incident: z.int().min(0).max(1), resource: z.int().min(0).max(1) }),
  z.strictObject({ do: z.literal('vote'), plan, person, decision: z.enum(['approve', 'deny']), again: z.boolean(), typed: z.boolean() }),
  z.strictObject({ do: z.literal('cancel'), plan }),
  z.strictObject({ do: z.literal('later'), seconds: z.literal(LATER) }),
  z.strictObject({ do: z.literal('expire') }),
  z.strictObject({ do: z.literal('stop'), scope: z.enum(SCOPES), person }),
  z.strictObject({ do: z.literal('start'), scope: z.enum(SCOPES), person: z.enum([...PEOPLE, 'host']) }),
  z.strictObject({ do: z.literal('freeze'), scope: z.enum(FREEZES), seconds: z.literal(LATER), person }),
  z.strictObject({ do: z.literal('unfreeze'), person }),
  z.strictObject({ do: z.literal('revoke'), what: z.enum(['role', 'link', 'active']), person: z.enum(APPROVERS) }),
  z.strictObject({ do: z.literal('grant'), person: z.enum(APPROVERS) }),
  z.strictObject({ do: z.literal('crash') }),
  z.strictObject({ do: z.literal('lapse') }),
  z.strictObject({ do: z.literal('claim'), plan, undo, by }),
  z.strictObject({ do: z.literal('advance'), plan, undo, by, to: z.enum(TARGET_STATES), samples: z.boolean() }),
  /** What comes next: a vote, the claim, intent, sent, the reply, the verification, the undo; `good` decides which of two. */
  z.strictObject({ do: z.literal('next'), plan, good: z.boolean() }),
  z.strictObject({ do: z.literal('undo'), plan }),
  z.strictObject({ do: z.literal('keep'), plan, person }),
  z.strictObject({ do: z.literal('settle') }),
  z.strictObject({ do: z.literal('backup') }),
  z.strictObject({ do: z.literal('restore') }),
])
export type Step = z.infer<typeof stepSchema>

const plans = fc.nat({ max: LARGEST_PLAN })
const oftenFalse = fc.nat({ max: 5 }).map((n) => n === 0)
const oftenTrue = oftenFalse.map((value) => !value)
const holders = oftenTrue.map((holder) => (holder ? ('holder' as const) : ('former' as const)))
const approvers = fc.constantFrom(...APPROVERS)
const people = fc.oneof({ weight: 4, arbitrary: approvers }, { weight: 1, arbitrary: fc.constantFrom(...PEOPLE) })
const seconds = fc.constantFrom(...LATER)
const scope = fc.constantFrom(...SCOPES)

const weighted: readonly [number, fc.Arbitrary<Step>][] = [
  [7, fc.record({ do: fc.constant('propose' as const), shape: fc.constantFrom(...SHAPES), incident: fc.nat(1), resource: fc.nat(1) })],
  [
    9,
    fc.record({
      do: fc.constant('vote' as const),
      plan: plans,
      person: people,
      decision: oftenFalse.map((deny) => (deny ? ('deny' as const) : ('approve' as const))),
      again: oftenFalse,
      typed: oftenTrue,
    }),
  ],
  [1, fc.record({ do: fc.constant('cancel' as const), plan: plans })],
  [3, fc.record({ do: fc.constant('later' as const), seconds })],
  [1, fc.constant({ do: 'expire' as const })],
  [1, fc.record({ do: fc.constant('stop' as const), scope, person: people })],
  [4, fc.record({ do: fc.constant('start' as const), scope, person: fc.oneof(people, fc.constant('host' as const)) })],
  [1, fc.record({ do: fc.constant('freeze' as const), scope: fc.constantFrom(...FREEZES), seconds, person: fc.constantFrom(...PEOPLE) })],
  [1, fc.record({ do: fc.constant('unfreeze' as const), person: fc.constantFrom(...PEOPLE) })],
  [
    2,
    fc.record({
      do: fc.constant('revoke' as const),
      what: fc.constantFrom('role' as const, 'link' as const, 'active' as const),
      person: approvers,
    }),
  ],
  [2, fc.record({ do: fc.constant('grant' as const), person: approvers })],
  [1, fc.constant({ do: 'crash' as const })],
  [1, fc.constant({ do: 'lapse' as const })],
  [2, fc.record({ do: fc.constant('claim' as const), plan: plans, undo: oftenFalse, by: holders })],
  [
    4,
    fc.record({
      do: fc.constant('advance' as const),
      plan: plans,
      undo: oftenFalse,
      by: holders,
      to: fc.constantFrom(...TARGET_STATES),
      samples: oftenTrue,
    }),
  ],
  [40, fc.record({ do: fc.constant('next' as const), plan: plans, good: fc.nat({ max: 3 }).map((n) => n > 0) })],
  [3, fc.record({ do: fc.constant('undo' as const), plan: plans })],
  [2, fc.record({ do: fc.constant('keep' as const), plan: plans, person: fc.constantFrom(...PEOPLE) })],
  [1, fc.constant({ do: 'settle' as const })],
]

const step: fc.Arbitrary<Step> = fc.oneof(...weighted.map(([weight, arbitrary]) => ({ weight, arbitrary })))

/** One in so many sequences restores a backup: copying the database takes longer than everything else. */
const RARELY = 12

/** A sequence begins with a plan that somebody asks for; steps that do not apply are skipped when it is run. */
export const sequences = (most: number): fc.Arbitrary<Step[]> =>
  fc
    .tuple(
      weighted[0]?.[1] ?? step,
      fc.array(step, { minLength: Math.floor(most / 3), maxLength: most - 1, size: 'max' }),
      fc.nat({ max: RARELY - 1 }),
      fc.tuple(fc.nat(most), fc.nat(most)),
    )
    .map(([first, rest, restores, [one, other]]) => [
      first,
      ...(restores === 0 ? withBackup(rest, Math.min(one, other), Math.max(one, other)) : rest),
    ])

function withBackup(steps: readonly Step[], taken: number, restored: number): Step[] {
  return [...steps.slice(0, taken), { do: 'backup' }, ...steps.slice(taken, restored), { do: 'restore' }, ...steps.slice(restored)]
}
