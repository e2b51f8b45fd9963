import { surelyDependsOn } from './depends.ts'
import { mayJoin, openedWithin, type Stage } from './stage.ts'

const CAUSE_WINDOW_MINUTES = 60

/**
 * Alerts that need no incident of their own: heartbeats, and the victims of a dependency that an open incident is about. A victim is kept with
 * that incident, because its beginning and end tell how far the trouble reaches.
 */
export const inhibit: Stage = (input) => {
  const { alert, service, known, facts, graph, now } = input
  if (alert.labels['severity']?.toLowerCase() === 'none')
    return { do: 'drop', reason: 'its severity is "none": a heartbeat that fires always', repeats: true }
  if (!known) return null
  const dependencies = graph.dependenciesOf(service)
  const causes = facts.openIncidents
    .filter(
      (incident) =>
        surelyDependsOn(graph, service, incident.service) && mayJoin(incident, input) && openedWithin(incident, CAUSE_WINDOW_MINUTES, now),
    )
    .sort((a, b) => (dependencies.get(a.service) ?? 0) - (dependencies.get(b.service) ?? 0))
  const [cause] = causes
  if (!cause) return null
  return {
    do: 'attach',
    incidentId: cause.id,
    reason: `${alert.name}: ${service} depends on ${cause.service}, which this incident is about`,
  }
}
