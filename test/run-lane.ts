import { startVitest } from 'vitest/node'
import { type LaneArguments, parseLaneArguments } from './support/lane-arguments.ts'

/** Runs one lane of the tests: `node test/run-lane.ts unit|live|faults [NAME…] [--kills N --rounds N --sequences N --interactions N --seed S]`. */
const lane = readArguments(process.argv.slice(2))
if (lane !== null) await run(lane)

async function run({ lane, names, faults }: LaneArguments): Promise<void> {
  if (lane === 'faults') console.log(`faults: ${JSON.stringify(faults)}`)
  const vitest = await startVitest([...names], { project: [lane, `${lane} alone`], run: true }, { test: { provide: { faults } } })
  await vitest.exit()
}

function readArguments(args: readonly string[]): LaneArguments | null {
  try {
    return parseLaneArguments(args)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    console.error(error.message)
    process.exitCode = 2
    return null
  }
}
