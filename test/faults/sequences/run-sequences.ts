import fc from 'fast-check'
import { type Kysely, sql } from 'kysely'
import type { Database } from '../../../storage/schema.ts'
import type { Model } from './model.ts'
import { play } from './play.ts'
import { type Step, sequences } from './steps.ts'
import { tidy, type World } from './world.ts'

export interface SequenceReport {
  sequences: number
  /** Steps that applied where things stood, and were compared. */
  steps: number
  /** How the steps ended, and how often. */
  endings: ReadonlyMap<string, number>
  /** What was sent, and how many backups were restored behind it. */
  sent: number
  journalAhead: number
  /** Null when all agreed; else the first violation with its shrunk trace. */
  violation: { words: string; batch: number; steps: readonly Step[] } | null
  seconds: number
}

export interface SequenceOptions {
  sequences: number
  seed: number
  /** Longest sequence. */
  most?: number
  /** Sequences in one database, before every checker runs over all of them. */
  batch?: number
  onBatch?(report: SequenceReport): void
}

const BATCH = 25
const MOST_STEPS = 45

/** Runs random sequences in batches, one at a time in each world; stops at the first violation and shrinks it. What a batch holds depends on the seed alone. */
export async function runSequences(worlds: readonly World[], options: SequenceOptions): Promise<SequenceReport> {
  const { seed, most = MOST_STEPS, batch = BATCH } = options
  const report = {
    sequences: 0,
    steps: 0,
    endings: new Map<string, number>(),
    sent: 0,
    journalAhead: 0,
    violation: null as SequenceReport['violation'],
    seconds: 0,
  }
  const started = performance.now()
  let begun = 0
  const play = async (world: World): Promise<void> => {
    while (begun < options.sequences && !report.violation) {
      const number = begun / batch
      const count = Math.min(batch, options.sequences - begun)
      begun += batch
      const traces = fc.sample(sequences(most), { seed: seed * 1_000_003 + number, numRuns: count })
      const words = await runBatch(world, traces, report)
      if (words) report.violation ??= { batch: number, ...(await shrink(world, traces, words)) }
      report.sequences += count
      report.seconds = (performance.now() - started) / 1_000
      options.onBatch?.(report)
    }
  }
  await Promise.all(worlds.map(play))
  return report
}

type Tally = Pick<SequenceReport, 'steps' | 'sent' | 'journalAhead'> & { endings: Map<string, number> }

/** Runs sequences beside each other in one database, then every checker over all of them: history stays, so none is missed. */
export async function runBatch(world: World, traces: readonly (readonly Step[])[], tally?: Tally): Promise<string | null> {
  await world.fresh()
  let now = 0
  for (const trace of traces) {
    const end = await runSequence(world, trace, now, tally)
    if (end.words) return end.words
    now = end.now
  }
  return (await world.kernel.audit.verify()).violations[0] ?? null
}

async function runSequence(
  world: World,
  trace: readonly Step[],
  now: number,
  tally?: Tally,
): Promise<{ words: string | null; now: number }> {
  const table = { model: await world.next(now), world }
  for (const [index, step] of trace.entries()) {
    const played = await play(table, step)
    if (!played) continue
    if (tally) tally.steps += 1
    tally?.endings.set(played.actual, (tally.endings.get(played.actual) ?? 0) + 1)
    const { expected, actual } = played
    if (expected !== actual) return { words: `step ${index + 1} ${JSON.stringify(step)}: expected ${expected}, was ${actual}`, now: 0 }
  }
  const words = (await difference(world, table.model)) ?? doubled(world)
  if (words) return { words, now: 0 }
  if (tally) tally.sent += world.journal.length
  if (tally && (await world.ahead())) tally.journalAhead += 1
  await tidy(world, table.model)
  return { words: null, now: table.model.now }
}

function doubled({ effects }: World): string | null {
  const twice = [...effects].find(([, count]) => count > 1)
  return twice ? `plan ${twice[0]} was carried out ${twice[1]} times` : null
}

/** Where the rows disagree with the model, in words. */
async function difference({ kernel: { db }, asked }: World, model: Model): Promise<string | null> {
  const rows = await standing(
    db,
    asked.map(({ parent }) => parent.plan.id),
  )
  for (const [index, plan] of model.plans.entries()) {
    const expected = [plan.state, plan.run?.state, plan.undoRun?.state, plan.waived].map((word) => word ?? '-').join(' ')
    const actual = rows.get(asked[index]?.parent.plan.id ?? '')
    if (actual !== expected) return `plan ${index} is ${actual}, expected ${expected}`
  }
  return null
}

async function standing(db: Kysely<Database>, planIds: readonly string[]): Promise<Map<string, string>> {
  const { rows } = await sql<{ id: string; words: string }>`
    select p.id, r.state || ' ' || coalesce(x.state, '-') || ' ' || coalesce(u.state, '-') || ' ' || coalesce(w.how, '-') as words
    from plan p join request r on r.plan_id = p.id left join execution x on x.plan_id = p.id
    left join execution u on u.plan_id = p.undo_plan_id left join undo_waived w on w.execution_id = x.id
    where p.id = any (${[...planIds]}::uuid[])`.execute(db)
  return new Map(rows.map(({ id, words }) => [id, words]))
}

/** The shortest sequence found that still goes wrong, by leaving steps out. */
async function shrink(
  world: World,
  traces: readonly (readonly Step[])[],
  words: string,
): Promise<{ words: string; steps: readonly Step[] }> {
  for (const trace of traces) {
    const found = await runBatch(world, [trace])
    if (found) return await withoutSteps(world, trace, found)
  }
  return { words: `only together: ${words}`, steps: traces.flat() }
}

async function withoutSteps(world: World, trace: readonly Step[], words: string): Promise<{ words: string; steps: readonly Step[] }> {
  let shortest = { words, steps: trace }
  for (let size = Math.ceil(trace.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let from = 0; from < shortest.steps.length; ) {
      const shorter = shortest.steps.toSpliced(from, size)
      const found = await runBatch(world, [shorter])
      if (found) shortest = { words: found, steps: shorter }
      else from += size
    }
  }
  return shortest
}
