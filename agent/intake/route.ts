import { severityOf } from '../diagnosis/severity.ts'
import { reachOf } from '../topology/blast-radius.ts'
import { recurrenceOf } from './recurrence.ts'
import type { Stage } from './stage.ts'
import { titleOf } from './title.ts'

/** What no stage before has claimed becomes an incident. An unknown service is flagged: it can be looked at, but nothing can be done to it. */
export const route: Stage = (input) => {
  const { alert, service, environment, known, doubt, facts, graph, drillRun } = input
  const { severity, reason } = severityOf({ level: alert.level, reach: known ? reachOf(graph, service) : null })
  const before = facts.known?.incident
  const recurrence = recurrenceOf(input)
  const again = before ? `; the same alert made ${before.id} before` : ''
  return {
    do: 'open',
    title: titleOf(input),
    service,
    environment,
    severity,
    severityReason: doubt === null ? reason : `${reason}. ${doubt}, so no action is possible`,
    drillRun,
    reason: `${alert.name} is firing for ${service}${again}`,
    ...(recurrence === null ? {} : { recurrence }),
  }
}
