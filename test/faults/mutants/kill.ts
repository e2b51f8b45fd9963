import type { Kysely } from 'kysely'
import type { Database } from '../../../storage/schema.ts'
import { rememberFresh } from '../../support/fresh-database.ts'
import { seed } from '../../support/kernel.ts'
import type { Mutant } from './generate.ts'
import { openShared } from './one-database.ts'
import type { Scenario } from './scenarios.ts'

/** A test as the unchanged kernel runs it. */
interface Known {
  scenario: Scenario
  /** Constraints, codes and messages that it provoked. */
  said: ReadonlySet<string>
  ms: number
}

export interface Verdict {
  mutant: string
  /** The first test that failed, or null when none did. */
  killedBy: string | null
  ms: number
}

/** Longer than any test takes on a busy machine: a mutant may wait for ever. */
const TIMEOUT_MS = 60_000
/** Likely tests that are followed by the whole proof: it takes longer than the test. */
const PROVED = 30

export interface Killer {
  db: Kysely<Database>
  /** Tests that fail on the kernel as it is: then nothing can be said. */
  failing: readonly string[]
  tests: number
  /** Tries the tests that are likeliest to notice first, and stops at the first that fails. */
  kill(mutant: Mutant): Promise<Verdict>
  close(): Promise<void>
}

/** @param most tests to try for a mutant, the likeliest first */
export async function createKiller(scenarios: readonly Scenario[], most: number, log: (line: string) => void): Promise<Killer> {
  const opened = await openShared(async (db) => {
    await seed(db)
    await rememberFresh(db)
  })
  const { db, said } = opened
  const known = new Set<Known>()
  const failing: string[] = []
  for (const scenario of scenarios) {
    said.clear()
    const started = performance.now()
    const failure = await failureOf(scenario, false)
    if (failure) failing.push(`${scenario.name}: ${failure}`)
    else known.add({ scenario, said: new Set(said), ms: performance.now() - started })
  }
  /** What found a mutant of the same part finds the next one sooner than any guess. */
  const found = new Map<string, Set<Known>>()
  log(`${opened.where}: ${scenarios.length} tests, ${failing.length} of which fail on the kernel as it is`)

  /** Not a test that fails on the kernel as it is by now: it says nothing, and fails the run. */
  const killerOf = async (mutant: Mutant): Promise<Found | null> => {
    const before = found.get(partOf(mutant)) ?? new Set<Known>()
    const killer = await opened.without(
      mutant.apply,
      async () => (await firstOf([...before], false)) ?? (await firstFailure(inOrder([...known], mutant), most)),
    )
    if (!killer) return null
    const failure = await failureOf(killer.test.scenario, killer.proof)
    if (!failure) {
      found.set(partOf(mutant), before.add(killer.test))
      return killer
    }
    failing.push(`${killer.test.scenario.name}, after ${mutant.name}: ${failure}`)
    known.delete(killer.test)
    for (const tests of found.values()) tests.delete(killer.test)
    return await killerOf(mutant)
  }
  return {
    db,
    failing,
    tests: scenarios.length,
    async kill(mutant) {
      const started = performance.now()
      const killer = await killerOf(mutant)
      const killedBy = killer && `${killer.test.scenario.name}${killer.proof ? ' (the proof)' : ''}`
      return { mutant: mutant.name, killedBy, ms: performance.now() - started }
    },
    close: opened.close,
  }
}

interface Found {
  test: Known
  /** Found only by the whole proof behind the test. */
  proof: boolean
}

/** The table, function or trigger that a mutant changes. */
function partOf({ name }: Mutant): string {
  return name.split(':')[0] ?? name
}

/** The likely tests, the same with the whole proof after each, and at last all others. */
async function firstFailure({ likely, rest }: { likely: readonly Known[]; rest: readonly Known[] }, most: number): Promise<Found | null> {
  return (
    (await firstOf(likely.slice(0, most), false)) ??
    (await firstOf(likely.slice(0, Math.min(most, PROVED)), true)) ??
    (await firstOf(rest.slice(0, Math.max(0, most - likely.length)), false))
  )
}

/** The first that fails, and fails again. */
async function firstOf(tests: readonly Known[], proof: boolean): Promise<Found | null> {
  for (const test of tests) if ((await failureOf(test.scenario, proof)) && (await failureOf(test.scenario, proof))) return { test, proof }
  return null
}

function inOrder(known: readonly Known[], { signals }: Mutant): { likely: Known[]; rest: Known[] } {
  const rank = ({ said, scenario }: Known): number => {
    const place = signals.findIndex((signal) => said.has(signal) || scenario.name.includes(signal))
    return place < 0 ? signals.length : place
  }
  const sorted = known.map((test) => ({ test, rank: rank(test) })).sort((a, b) => a.rank - b.rank || a.test.ms - b.test.ms)
  return {
    likely: sorted.filter((one) => one.rank < signals.length).map(({ test }) => test),
    rest: sorted.filter((one) => one.rank === signals.length).map(({ test }) => test),
  }
}

/** What a test failed with, or null. */
async function failureOf({ before, run, after }: Scenario, proof: boolean): Promise<string | null> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('it took too long')), TIMEOUT_MS)
  })
  try {
    await Promise.race([all([...before, run, ...(proof ? after : [])]), late])
    return null
  } catch (error) {
    // Whatever a test throws is its way to say no.
    return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
  } finally {
    clearTimeout(timer)
  }
}

async function all(hooks: readonly (() => unknown)[]): Promise<void> {
  for (const hook of hooks) await hook()
}
