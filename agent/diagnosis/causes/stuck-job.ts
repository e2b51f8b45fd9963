import { type CauseRule, componentOf, countSigns, state } from '../candidate.ts'
import { slowBatchSeconds } from '../series.ts'
import { inUnit } from '../wording.ts'

/** A job that holds its work and does not get on, while the service around it is well. */
export const stuckJob: CauseRule = (facts, culprit) => {
  const own = facts.services.get(facts.service)
  const age = own?.metrics.job_age_seconds
  if (!own || !age || age.now === null || age.now < slowBatchSeconds(age.before)) return null
  const queue = own.metrics.queue_depth
  const isGrowing = queue?.now != null && queue.now > 2 * (queue.before ?? 0)
  const isWell = culprit.troubles.length === 0
  const { logs, workload } = own
  const top = logs?.patterns[0]
  return {
    class: 'job_stuck',
    component: componentOf(own),
    score: isGrowing ? 93 : 80,
    signs: countSigns([true, isGrowing, isWell]),
    since: age.began === null ? null : new Date(age.began),
    claims: [
      ...state(`The job of ${own.service} has been at one batch for ${inUnit('job_age_seconds', age.now)}.`, age.label),
      ...(isGrowing
        ? state(
            `Its queue holds ${Math.round(queue.now ?? 0)}${queue.before === null ? '' : `, ${Math.round(queue.before)} before`}.`,
            queue.label,
          )
        : []),
      ...(workload
        ? state(`${workload.readyReplicas} of ${workload.desiredReplicas} replicas of ${own.service} are ready.`, workload.label)
        : []),
      ...(logs && top ? state(`${own.service} logs “${top.sample.slice(0, 160)}”.`, logs.label) : []),
    ],
    against: [],
    unknown: ['what it waits for'],
  }
}
