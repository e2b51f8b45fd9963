import { type Kysely, sql } from 'kysely'
import type { Database } from '../../../storage/schema.ts'
import { makeFresh, rememberFresh } from '../../support/fresh-database.ts'
import { seed } from '../../support/kernel.ts'
import type { Mutant } from './generate.ts'
import { mutateNewDatabases, openShared } from './one-database.ts'
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
  const opened = await openShared()
  const { db, said } = opened
  await seed(db)
  await rememberFresh(db)
  const known: Known[] = []
  const failing: string[] = []
  for (const scenario of scenarios) {
    said.clear()
    const started = performance.now()
    const failure = await failureOf(scenario, false)
    if (failure) failing.push(`${scenario.name}: ${failure}`)
    else known.push({ scenario, said: new Set(said), ms: performance.now() - started })
  }
  /** What found a mutant of the same part finds the next one sooner than any guess. */
  const found = new Map<string, Set<Scenario>>()
  log(`${opened.where}: ${scenarios.length} tests, ${failing.length} of which fail on the kernel as it is`)
  return {
    db,
    failing,
    tests: scenarios.length,
    async kill(mutant) {
      const started = performance.now()
      await makeFresh(db)
      for (const statement of mutant.apply) await sql.raw(statement).execute(db)
      mutateNewDatabases(mutant.apply)
      const before = found.get(partOf(mutant)) ?? new Set()
      const killer = (await firstOf([...before], false)) ?? (await firstFailure(inOrder(known, mutant), most))
      if (killer) found.set(partOf(mutant), before.add(killer.scenario))
      mutateNewDatabases([])
      await makeFresh(db)
      for (const statement of mutant.restore) await sql.raw(statement).execute(db)
      const killedBy = killer && `${killer.scenario.name}${killer.proof ? ' (the proof)' : ''}`
      return { mutant: mutant.name, killedBy, ms: performance.now() - started }
    },
    close: opened.close,
  }
}

interface Found {
  scenario: Scenario
  /** Found only by the whole proof behind the test. */
  proof: boolean
}

/** The table, function or trigger that a mutant changes. */
function partOf({ name }: Mutant): string {
  return name.split(':')[0] ?? name
}

/** The likely tests, the same with the whole proof after each, and at last all others. */
async function firstFailure(
  { likely, rest }: { likely: readonly Scenario[]; rest: readonly Scenario[] },
  most: number,
): Promise<Found | null> {
  return (
    (await firstOf(likely.slice(0, most), false)) ??
    (await firstOf(likely.slice(0, Math.min(most, PROVED)), true)) ??
    (await firstOf(rest.slice(0, Math.max(0, most - likely.length)), false))
  )
}

async function firstOf(scenarios: readonly Scenario[], proof: boolean): Promise<Found | null> {
  for (const scenario of scenarios) if (await failureOf(scenario, proof)) return { scenario, proof }
  return null
}

function inOrder(known: readonly Known[], { signals }: Mutant): { likely: Scenario[]; rest: Scenario[] } {
  const rank = ({ said, scenario }: Known): number => {
    const place = signals.findIndex((signal) => said.has(signal) || scenario.name.includes(signal))
    return place < 0 ? signals.length : place
  }
  const sorted = known.map((test) => ({ test, rank: rank(test) })).sort((a, b) => a.rank - b.rank || a.test.ms - b.test.ms)
  return {
    likely: sorted.filter((one) => one.rank < signals.length).map(({ test }) => test.scenario),
    rest: sorted.filter((one) => one.rank === signals.length).map(({ test }) => test.scenario),
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
