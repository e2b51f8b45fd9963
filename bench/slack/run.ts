import type { Figure } from '../report.ts'
import type { BenchOptions } from '../run.ts'
import { measureAcknowledgements } from './acknowledgements.ts'
import { measureHostileIncidents } from './hostile-incidents.ts'
import { measureOneCause } from './one-cause.ts'
import { measureOutage } from './outage.ts'

const CASES: Readonly<Record<string, () => Promise<Figure[]>>> = {
  hostile: measureHostileIncidents,
  'one-cause': measureOneCause,
  outage: measureOutage,
  acknowledgements: measureAcknowledgements,
}

/** What Slack is promised and what people on it are, over the wire against the workspace in test/support/slack. */
export async function run({ only }: BenchOptions): Promise<readonly Figure[]> {
  const figures: Figure[] = []
  for (const [name, measure] of Object.entries(CASES)) if (only === null || only.includes(name)) figures.push(...(await measure()))
  return figures
}
