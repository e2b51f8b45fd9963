import { inject } from 'vitest'

/** How much the faults lane does; given as `npm run test:faults -- --kills N --rounds N --sequences N --interactions N --seed S`. */
export type FaultOptions = {
  /** Processes killed in all, two thirds of them on PGlite. */
  readonly kills: number
  /** Repetitions of each race. */
  readonly rounds: number
  /** Random sequences of calls. */
  readonly sequences: number
  /** Forged and refused interactions sent to the Slack endpoint, one in five of them validly signed. */
  readonly interactions: number
  /** Seed of everything random; printed with a failure, so that it can be run again. */
  readonly seed: number
}

/** What the lane does when nothing is asked for: enough to notice a break, over in minutes. */
export const DEFAULT_FAULT_OPTIONS: FaultOptions = { kills: 30, rounds: 20, sequences: 100, interactions: 1_000, seed: 1 }

declare module 'vitest' {
  interface ProvidedContext {
    faults?: FaultOptions
  }
}

/** The options this run was started with. Only for tests of the faults lane. */
export function faultOptions(): FaultOptions {
  return inject('faults') ?? DEFAULT_FAULT_OPTIONS
}
