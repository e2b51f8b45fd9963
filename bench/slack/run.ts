import type { Figure } from '../report.ts'
import { measureAcknowledgements } from './acknowledgements.ts'
import { measureHostileIncidents } from './hostile-incidents.ts'
import { measureOneCause } from './one-cause.ts'
import { measureOutage } from './outage.ts'

/** What Slack is promised and what people on it are, over the wire against the workspace in test/support/slack. */
export async function run(): Promise<readonly Figure[]> {
  return [
    ...(await measureHostileIncidents()),
    ...(await measureOneCause()),
    ...(await measureOutage()),
    ...(await measureAcknowledgements()),
  ]
}
