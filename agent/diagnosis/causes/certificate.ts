import { type CauseRule, componentOf, countSigns, state } from '../candidate.ts'
import { CERTIFICATE_DAYS } from '../series.ts'

const ABOUT_IT_SCORE = 92
const BY_THE_WAY_SCORE = 30

/** A certificate near its end. It is the cause only of an incident that is about it; of another one's trouble, only once it has expired. */
export const certificate: CauseRule = (facts) => {
  const [found] = [...facts.services.values()].flatMap(({ service, metrics, workload }) => {
    const days = metrics.certificate_days_left
    return days && days.now !== null && days.now < CERTIFICATE_DAYS ? [{ service, workload, days, now: days.now }] : []
  })
  if (!found) return null
  const { service, workload, days, now } = found
  const isExpired = now <= 0
  const isAboutIt = facts.symptom?.metric === 'certificate_days_left' || facts.service === service
  return {
    class: isExpired ? 'certificate_expired' : 'certificate_expiring',
    component: componentOf({ service }),
    score: isAboutIt && (isExpired || onlyThat(facts.symptom?.metric)) ? ABOUT_IT_SCORE : BY_THE_WAY_SCORE,
    signs: countSigns([true, isAboutIt]),
    since: days.began === null ? null : new Date(days.began),
    claims: [
      ...state(
        `The certificate of ${service} ${isExpired ? 'ended' : 'ends in'} ${Math.abs(now).toFixed(1)} days${isExpired ? ' ago' : ''}.`,
        days.label,
      ),
      ...(workload
        ? state(`${workload.readyReplicas} of ${workload.desiredReplicas} replicas of ${service} are ready, and show it.`, workload.label)
        : []),
    ],
    against: [],
    unknown: ['why it was not renewed by itself'],
  }
}

/** Whether what was alerted on says nothing of another trouble. */
function onlyThat(metric: string | undefined): boolean {
  return metric === undefined || metric === 'certificate_days_left'
}
