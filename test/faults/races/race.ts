import type { ExecutionState } from '../../../agent/domain/approval.ts'
import type { PlanOptions } from '../../support/kernel-plans.ts'
import type { Arena, Prize } from './arena.ts'
import type { Facts } from './facts.ts'
import type { Random } from './random.ts'

/** One round as its contenders see it. */
export interface Round {
  arena: Arena
  /** The plans of this round, as many as the race has. */
  prizes: readonly Prize[]
  random: Random
  /** Places in the audit log that contenders noted, by name. */
  noted: Map<string, number>
}

/** What a contender does, and how it may end: 'done', or 'refused CODE' for the codes listed. */
export interface Contender {
  name: string
  act(round: Round): Promise<unknown>
  /** Codes of refusals that are an answer; anything else is a violation. */
  refusals: readonly string[]
}

/** How a round ended: which way it went, or what was violated, in words. */
export type Verdict = { went: string } | { violated: string }

export interface Outcome {
  contender: string
  /** 'done' or 'refused CODE'. */
  ended: string
}

export interface Race {
  name: string
  /** What must hold, in one sentence. */
  claim: string
  plans: readonly PlanOptions[]
  voters: readonly string[]
  steps: readonly ExecutionState[]
  /** Rounds that are prepared in one go; 1 when a round changes what the next one stands on. */
  together: number
  /** Seconds to move the clock by between preparation and race. */
  later?: number
  /** Whether the plans expire while they are raced for, all that were prepared together at the same moment. */
  deadline?: boolean
  contenders: readonly Contender[]
  /** Puts back what the round changed for everybody. */
  after?(round: Round): Promise<void>
  judge(facts: readonly Facts[], outcomes: readonly Outcome[], noted: ReadonlyMap<string, number>): Verdict
}

/** A verdict from a list of what must hold: the first that does not is the violation. */
export function verdict(went: string, ...musts: readonly (readonly [holds: boolean, violated: string])[]): Verdict {
  const broken = musts.find(([holds]) => !holds)
  return broken ? { violated: broken[1] } : { went }
}

/** How many contenders whose name begins so ended so. */
export function ended(outcomes: readonly Outcome[], contender: string, end: string): number {
  return outcomes.filter((outcome) => outcome.contender.startsWith(contender) && outcome.ended === end).length
}
