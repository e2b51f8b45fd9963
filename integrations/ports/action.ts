import type { ZodType } from 'zod'
import type { Hypothesis } from '../../agent/domain/hypothesis.ts'
import type { ChangeLine, Plan, Precondition, SuccessContract, Target } from '../../agent/domain/plan.ts'

/** Parameters after validation: absolute values. */
export type Parameters = Plan['parameters']

/** The part of an action that never changes at run time; the kernel keeps a row of it, docs/actions.md is made from it. */
export interface ActionDefinition {
  /** 'local.rollback': provider and verb. */
  kind: string
  version: number
  description: string
  parameters: ZodType<Parameters>
  reversibility: Plan['reversibility']
  risk: Plan['risk']
  role: Plan['approval']['role']
  /** The least number of people, whatever the policy says. */
  minNeeded: number
  requesterMayApprove: boolean
  stepUp: 'none' | 'typed'
  /** At most 3600; at most 600 for an irreversible action. */
  maxTtlSeconds: number
  minCooldownSeconds: number
  retry: 'token' | 'precondition' | 'never'
  /** How long the effect may take to show up at the provider before "not applied" is believed. */
  probeHorizonSeconds: number
}

/** A target as it is now: what the plan will pin down, and what the undo would restore. */
export interface Observation {
  target: Target
  /** Fields whose change would change the meaning of the action. */
  preconditions: Precondition[]
  replicas: number
}

/** What to do, taken from an approved plan. */
export interface Step {
  planId: string
  target: Target
  parameters: Parameters
  preconditions: Precondition[]
}

export interface DryRun {
  changes: ChangeLine[]
  downtime: string
  /** What whoever decides should know beside it, a sentence each. */
  cautions?: readonly string[]
}

/** `refused`: surely not applied. `unknown`: it may have been. */
export type EffectResult =
  | { result: 'applied' }
  | { result: 'refused'; reason: 'stale-target' | 'permission-missing' | 'invalid'; words: string }
  | { result: 'unknown'; words: string }

export type ProbeResult = 'applied' | 'not-applied' | 'unknown'

/** A suggestion that an action fits a hypothesis; code decides, a model may only choose among these. */
export interface Suggestion {
  target: { environment: string; name: string }
  parameters: Parameters
  /** Why this action fits this cause, one sentence. */
  why: string
}

/** A step as a person would take it, with the incident it is for. */
export type HandStep = Pick<Step, 'target' | 'parameters'> & { incident: string }

/** What a person needs to name the action, or to do without Steadyhand. */
export interface ByHand {
  /** Parameters for somebody who names only the target; null when they have to be said. @throws IntegrationError */
  defaults(where: { environment: string; name: string }): Promise<Parameters | null>
  /** Why there are none, where they depend on what ran before: one sentence. */
  noDefaults?: string
  /** One line that a person would type to do the same: shown as text, never run. */
  command(step: HandStep): string
  /**
   * For targets that are no services, such as nodes: where the one of this name is, and the services that it concerns; null for what is none. Left
   * out where targets are services. @throws IntegrationError
   */
  concerns?(name: string): Promise<{ environment: string; services: readonly string[] } | null>
}

/** One entry of the catalogue. Only `effect` changes anything, and only the executor calls it. */
export interface Action {
  definition: ActionDefinition
  /** What it would do, for cards: "Roll back payments from v42 to v41". */
  title(target: Target, parameters: Parameters): string
  /** There where what it changes outlasts the incident: it is wanted whether or not the symptom is still there, and a plan of it holds none. */
  outlastsIncident?: true
  suggest(hypothesis: Hypothesis, context: { service: string; environment: string }): Promise<Suggestion | null>
  /**
   * For what is done about one alert: its labels, all of them. It is asked for in an incident of this very alert and in no other. Left out where it
   * is done to a target.
   */
  ofAlert?(parameters: Parameters): Readonly<Record<string, string>>
  /** Null when there is no such target. */
  observe(where: { environment: string; name: string }, signal?: AbortSignal): Promise<Observation | null>
  dryRun(step: Step, signal?: AbortSignal): Promise<DryRun>
  success(step: Step, observation: Observation): SuccessContract
  probeWords: string
  /** The step that restores what was captured, by an action of the same kind; null when there is no way back. */
  undo(step: Step, observation: Observation): { parameters: Parameters; preconditions: Precondition[]; success: SuccessContract } | null
  /** Carries it out once, guarded by the step's preconditions. `executionId` marks the effect so that a probe can find it. */
  effect(step: Step, executionId: string, signal: AbortSignal): Promise<EffectResult>
  probe(step: Step, executionId: string, signal: AbortSignal): Promise<ProbeResult>
  /** Current values of the named fields of the target, for state checks. */
  readState(target: Target, fields: readonly string[], signal?: AbortSignal): Promise<Record<string, string | number | boolean | null>>
  /**
   * For what people finish elsewhere, such as a request that somebody has to merge: whether they have, and how, in one sentence. Left out where
   * nothing is left to people. @throws IntegrationError
   */
  standing?(step: Step, signal: AbortSignal): Promise<{ isOver: boolean; words: string }>
  /** Left out where only Steadyhand can do it. */
  byHand?: ByHand
}
