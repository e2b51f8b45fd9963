import { expect, onTestFinished, test } from 'vitest'
import { faultOptions } from '../support/fault-options.ts'
import { openInMemory, openOnPostgres } from './sequences/open-worlds.ts'
import { runSequences } from './sequences/run-sequences.ts'

const { sequences, seed } = faultOptions()
/** Far more than a sequence takes on a busy machine. */
const SEQUENCE_MS = 3_000
const SAY_EVERY = 500
/** As many as the smallest machine has cores. */
const WORLDS = 2

/** On PostgreSQL where there is one, which is several times faster; else in memory. */
async function openWorlds() {
  const server = await openOnPostgres(WORLDS)
  if (!('missing' in server)) return { ...server, where: 'PostgreSQL 15' }
  const { world, close } = await openInMemory()
  return { worlds: [world], close, where: `PGlite (without ${server.missing})` }
}

test('every step ends as the model says, and every checker holds', { timeout: 60_000 + sequences * SEQUENCE_MS }, async () => {
  const { worlds, close, where } = await openWorlds()
  onTestFinished(close)
  const say = (report: Parameters<typeof inOneLine>[0]) => {
    // biome-ignore lint/suspicious/noConsole: the figures are what this lane is run for
    console.log(`${where}: ${inOneLine(report)}`)
  }
  const report = await runSequences(worlds, {
    sequences,
    seed,
    onBatch: (so) => {
      if (so.sequences % SAY_EVERY === 0) say(so)
    },
  })
  say(report)
  // biome-ignore lint/suspicious/noConsole: the same
  console.log(
    `endings: ${[...report.endings]
      .sort(([, a], [, b]) => b - a)
      .map(([ending, count]) => `${ending} ${count}`)
      .join(', ')}`,
  )
  expect(report.violation).toBeNull()
})

function inOneLine({ sequences: count, steps, sent, journalAhead, violation, seconds }: Awaited<ReturnType<typeof runSequences>>): string {
  const bound = violation ? '' : `, at most ${(300 / count).toFixed(3)} % at 95 %`
  return `${count} sequences, seed ${seed}, ${violation ? 1 : 0} violations${bound}; ${steps} steps compared, ${sent} sent, ${journalAhead} ended with the journal ahead; ${(count / seconds).toFixed(1)} sequences/s`
}
