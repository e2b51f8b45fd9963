import { UNKNOWN } from '../domain/alert.ts'
import { surelyDependsOn } from './depends.ts'
import { mayJoin, openedWithin, type Stage, type StageInput } from './stage.ts'
import { titleOf } from './title.ts'

const SAME_SERVICE_MINUTES = 240
const GRAPH_MINUTES = 10
const STORM_MINUTES = 1
const STORM_INCIDENTS = 20

/** One incident for what belongs together: by service, by the call graph within minutes, and by storm. */
export const group: Stage = (input) => sameService(input) ?? calledByIncident(input) ?? storm(input)

/** Services nobody knows share a name only by chance, so there the alert has to be the same as well. */
const sameService: Stage = (input) => {
  const { alert, service, facts, now } = input
  const same = facts.openIncidents.find(
    (incident) =>
      incident.service === service &&
      mayJoin(incident, input) &&
      openedWithin(incident, SAME_SERVICE_MINUTES, now) &&
      (service !== UNKNOWN || incident.title === titleOf(input)),
  )
  return same ? { do: 'attach', incidentId: same.id, reason: `${alert.name} is about ${service} too` } : null
}

/** The incident began with a victim, and this may be what it suffers from. */
const calledByIncident: Stage = (input) => {
  const { alert, service, known, facts, graph, now } = input
  if (!known) return null
  const victim = facts.openIncidents.find(
    (incident) =>
      surelyDependsOn(graph, incident.service, service) && mayJoin(incident, input) && openedWithin(incident, GRAPH_MINUTES, now),
  )
  if (!victim) return null
  return {
    do: 'attach',
    incidentId: victim.id,
    reason: `${alert.name}: ${victim.service} depends on ${service}, so both may be one trouble`,
  }
}

/** Known services bound the number of incidents; unknown ones are bounded here. */
function storm(input: StageInput): ReturnType<Stage> {
  const { alert, known, facts, now } = input
  if (known) return null
  const lately = facts.openIncidents.filter((incident) => openedWithin(incident, STORM_MINUTES, now))
  if (lately.length < STORM_INCIDENTS) return null
  const newest = lately.find((incident) => mayJoin(incident, input))
  if (!newest) return null
  return {
    do: 'attach',
    incidentId: newest.id,
    reason: `${alert.name}: ${lately.length} incidents in a minute, so this alert of an unknown service joins the newest`,
  }
}
