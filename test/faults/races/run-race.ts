import { setTimeout as pause } from 'node:timers/promises'
import { sqlFaultOf } from '../../../storage/errors.ts'
import type { PlanOptions } from '../../support/kernel-plans.ts'
import { outcomeOf } from '../../support/kernel-sql.ts'
import type { Arena, Prize } from './arena.ts'
import { readFacts } from './facts.ts'
import type { Outcome, Race, Round } from './race.ts'
import { type Random, seeded } from './random.ts'

export interface RaceReport {
  race: string
  rounds: number
  /** How often it went which way. */
  went: ReadonlyMap<string, number>
  /** One sentence for each round that went wrong, and for each violation the whole proof found. */
  violations: string[]
  /** Times the whole proof ran. */
  proofs: number
  seconds: number
}

export interface RaceOptions {
  rounds: number
  seed: number
  /** Number of the first round: the same seed and number is the same round. */
  from?: number
  /** Rounds after which the whole proof runs and the database is emptied. */
  proofEvery?: number
  /** Stops at the first violation. */
  untilViolated?: boolean
}

const PROOF_EVERY = 250
/** How long a contender was taken to need before any was measured. */
const FIRST_GUESS_MS = 5
/** The share of a new measurement in what contenders are taken to need. */
const NEWS = 0.05
/** Time to prepare for a deadline, as multiples of what preparing took last. */
const PREPARATIONS = 3
const FIRST_PREPARATION_MS = 400
/** Timers are late by as much. */
const COARSE_MS = 4
/** Above those of the seed. */
const FIRST_INCIDENT = 100

/** Runs rounds of one race in one arena. */
export async function runRace(arena: Arena, race: Race, options: RaceOptions): Promise<RaceReport> {
  const { rounds, seed, from = 0, proofEvery = PROOF_EVERY, untilViolated = false } = options
  const pace: Pace = { contenderMs: FIRST_GUESS_MS, preparationMs: FIRST_PREPARATION_MS }
  const report = { race: race.name, rounds: 0, went: new Map<string, number>(), violations: [] as string[], proofs: 0, seconds: 0 }
  const started = performance.now()
  while (report.rounds < rounds && !(untilViolated && report.violations.length > 0)) {
    const until = Math.min(report.rounds + proofEvery, rounds)
    await arena.fresh()
    while (report.rounds < until && !(untilViolated && report.violations.length > 0)) {
      const count = Math.min(race.together, until - report.rounds)
      await runTogether(arena, race, { first: from + report.rounds, count, seed, report, pace })
      report.rounds += count
    }
    report.proofs += 1
    report.violations.push(
      ...(await arena.kernel.audit.verify()).violations.map((words) => `after round ${from + report.rounds}: ${words}`),
    )
  }
  return { ...report, seconds: (performance.now() - started) / 1_000 }
}

/** What took how long lately, so that contenders can be let go at moments that make it close. */
interface Pace {
  contenderMs: number
  preparationMs: number
}

interface Together {
  pace: Pace
  first: number
  count: number
  seed: number
  report: { went: Map<string, number>; violations: string[] }
}

async function runTogether(arena: Arena, race: Race, { first, count, seed, report, pace }: Together): Promise<void> {
  const since = await arena.head()
  const numbers = Array.from({ length: count }, (_, index) => first + index)
  const { prizes, expiry } = await prepareInTime(arena, race, numbers, pace)
  if (race.later !== undefined) await arena.kernel.later(race.later)
  const rounds = numbers.map((number, index): Round => {
    const own = prizes.slice(index * race.plans.length, (index + 1) * race.plans.length)
    return { arena, prizes: own, random: seeded(seed, number, race.name.length), noted: new Map() }
  })
  const outcomes: Outcome[][] = []
  if (expiry === null) for (const round of rounds) outcomes.push(await runRound(race, round, pace, 0))
  else {
    const wait = expiry - 1.5 * pace.contenderMs - arena.kernel.now().getTime()
    outcomes.push(...(await Promise.all(rounds.map(async (round) => await runRound(race, round, pace, wait)))))
  }
  const facts = await readFacts(arena.db, idsOf(prizes), since)
  for (const [index, round] of rounds.entries()) {
    const own = facts.slice(index * race.plans.length, (index + 1) * race.plans.length)
    const words = judge(race, own, outcomes[index] ?? [], round.noted)
    if ('went' in words) report.went.set(words.went, (report.went.get(words.went) ?? 0) + 1)
    else report.violations.push(`round ${first + index} of seed ${seed}: ${words.violated} (${inWords(outcomes[index] ?? [])})`)
  }
}

/** Prepares the plans of some rounds; where they expire during the race, with as much time as preparing them needs. */
async function prepareInTime(
  arena: Arena,
  race: Race,
  numbers: readonly number[],
  pace: Pace,
): Promise<{ prizes: Prize[]; expiry: number | null }> {
  const began = arena.kernel.now().getTime()
  const timeToLive = race.deadline ? PREPARATIONS * pace.preparationMs + 2 * pace.contenderMs : null
  const over = timeToLive === null ? {} : { ttlSeconds: timeToLive / 1_000 }
  const plans = numbers.flatMap((number) => race.plans.map((plan) => planOf(plan, number, over)))
  try {
    const prizes = await arena.prepare({ plans, voters: race.voters, steps: race.steps })
    pace.preparationMs = arena.kernel.now().getTime() - began + 20
    return { prizes, expiry: timeToLive === null ? null : began + timeToLive }
  } catch (error) {
    // Nothing of it was written: on a machine that became busy, it needs more time than it was given.
    const fault = sqlFaultOf(error)
    if (timeToLive === null || (fault?.constraint !== 'plan_lives_an_hour_at_most' && fault?.message !== 'expired')) throw error
    pace.preparationMs *= 2
    return await prepareInTime(arena, race, numbers, pace)
  }
}

function judge(race: Race, facts: Parameters<Race['judge']>[0], outcomes: readonly Outcome[], noted: ReadonlyMap<string, number>) {
  const strange = outcomes.find(({ contender, ended }) => {
    const allowed = race.contenders.find(({ name }) => name === contender)?.refusals ?? []
    return ended !== 'done' && !allowed.some((code) => ended === `refused ${code}`)
  })
  return strange ? { violated: `${strange.contender} ended ${strange.ended}` } : race.judge(facts, outcomes, noted)
}

async function runRound(race: Race, round: Round, pace: Pace, waitMs: number): Promise<Outcome[]> {
  const outcomes = await Promise.all(
    race.contenders.map(async (contender) => {
      await waitFor(waitMs + delay(round.random, pace))
      const started = performance.now()
      const ended = codeOf(await outcomeOf(contender.act(round)))
      pace.contenderMs += (performance.now() - started - pace.contenderMs) * NEWS
      return { contender: contender.name, ended }
    }),
  )
  await race.after?.(round)
  return outcomes
}

/** Targets and incidents of a round's own, so that no round is in another's way; the plans of one round number theirs from 0. */
function planOf(plan: PlanOptions, number: number, over: PlanOptions): PlanOptions {
  return {
    ...plan,
    incident: `inc-${FIRST_INCIDENT + 10 * number + Number(plan.incident ?? 0)}`,
    target: { name: `race-${number}-${plan.target?.name ?? 'a'}` },
    ...over,
  }
}

/** Half of the contenders start at once, the others while the first are under way. */
function delay(random: Random, { contenderMs }: Pace): number {
  const late = random() < 0.5
  return random() * (late ? 2 * contenderMs : 0)
}

/** To a fraction of a millisecond, with everything else going on meanwhile. */
async function waitFor(ms: number): Promise<void> {
  const until = performance.now() + ms
  if (ms > COARSE_MS) await pause(ms - COARSE_MS)
  while (performance.now() < until) await new Promise((resolve) => setImmediate(resolve))
}

/** A guard's own words after the code are for people. */
function codeOf(outcome: string): string {
  return /^refused [a-z-]+/.exec(outcome)?.[0] ?? outcome
}

function inWords(outcomes: readonly Outcome[]): string {
  return outcomes.map(({ contender, ended }) => `${contender}: ${ended}`).join('; ')
}

function idsOf(prizes: readonly Prize[]): string[] {
  return prizes.map(({ parent }) => parent.plan.id)
}
