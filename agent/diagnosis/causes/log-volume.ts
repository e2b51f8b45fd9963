import { type CauseRule, componentOf, countSigns, state } from '../candidate.ts'
import { NEARLY_FULL } from '../series.ts'
import { logStatements, symptomStatements, victimStatements } from '../symptoms.ts'
import { clock, percent } from '../wording.ts'

/** With less room than this nothing more can be written. */
const FULL = 0.98

/** A directory of logs without room: what has to be written down first cannot be done any more. */
export const logVolume: CauseRule = (facts, culprit) => {
  const own = [facts.services.get(facts.service), culprit.facts].find(
    (each) => (each?.metrics.log_volume_used_ratio?.now ?? 0) >= NEARLY_FULL,
  )
  const used = own?.metrics.log_volume_used_ratio
  if (!own || !used || used.now === null) return null
  const { workload, service } = own
  const isCulprit = service === culprit.service
  const isFull = used.now >= FULL
  const fails = isCulprit && culprit.troubles.includes('errors')
  return {
    class: 'log_volume_full',
    component: componentOf(own),
    score: isFull ? 95 : fails ? 60 : 88,
    signs: countSigns([true, isFull || !fails]),
    since: used.began === null ? culprit.since : new Date(used.began),
    claims: [
      ...state(
        `The log volume of ${service} is ${percent(used.now)} used${used.before === null ? '' : `, ${percent(used.before)} before`}${used.began === null ? '' : `; it began at ${clock(used.began)}`}.`,
        used.label,
      ),
      ...(isCulprit ? symptomStatements(culprit) : []),
      ...(workload
        ? state(`${workload.readyReplicas} of ${workload.desiredReplicas} replicas of ${service} are ready.`, workload.label)
        : []),
      ...(isCulprit ? [...logStatements(culprit), ...victimStatements(culprit, facts)] : []),
    ],
    against: [],
    unknown: ['what filled it'],
  }
}
