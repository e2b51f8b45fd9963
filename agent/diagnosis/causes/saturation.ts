import type { Candidate, CauseRule, Statement } from '../candidate.ts'
import { componentOf, countSigns, state } from '../candidate.ts'
import type { Culprit } from '../culprit.ts'
import type { Facts } from '../facts.ts'
import { symptomStatements, victimStatements } from '../symptoms.ts'
import { clock } from '../wording.ts'

/** More work than there are hands: more requests than usual, or fewer replicas than the usual requests need. */
export const saturation: CauseRule = (facts, culprit) => {
  const { workload, metrics } = culprit.facts
  if (workload?.desiredReplicas === 0) return zeroReplicas(facts, culprit)
  const rate = metrics.request_rate
  if (!rate || rate.now === null || rate.before === null) return null
  const surge = rate.before > 0 && rate.now > 1.8 * rate.before + 2
  const saturated = culprit.troubles.includes('cpu') || culprit.troubles.includes('latency')
  const rates = [
    ...state(`Requests of ${culprit.service}: ${rate.now.toFixed(1)} /s now, ${rate.before.toFixed(1)} /s before.`, rate.label),
    ...(workload
      ? state(`${workload.readyReplicas} of ${workload.desiredReplicas} replicas of ${culprit.service} are ready.`, workload.label)
      : []),
  ]
  const shrunk = scaledDown(facts, culprit)
  if (surge || shrunk.length === 0) return surgeCandidate(facts, culprit, { surge, saturated, rates })
  return {
    class: 'insufficient_replicas',
    component: componentOf(culprit),
    score: saturated ? 75 : 25,
    signs: countSigns([saturated, true, !culprit.troubles.includes('errors')]),
    since: culprit.since,
    claims: [...shrunk, ...rates, ...symptomStatements(culprit), ...victimStatements(culprit, facts)],
    against: saturated ? [] : rates,
    unknown: ['how much one replica can carry'],
  }
}

function surgeCandidate(
  facts: Facts,
  culprit: Culprit,
  { surge, saturated, rates }: { surge: boolean; saturated: boolean; rates: Statement[] },
): Candidate | null {
  if (!surge && culprit.troubles.length === 0) return null
  // Requests that are retried because they fail look like a surge; then the failure comes first.
  const failsOutright = culprit.troubles.includes('errors') && !culprit.troubles.includes('cpu')
  return {
    class: 'traffic_surge',
    component: componentOf(culprit),
    score: surge ? (saturated ? (failsOutright ? 45 : 75) : 25) : 6,
    signs: countSigns([surge, saturated, !failsOutright]),
    since: surge ? culprit.since : null,
    claims: surge ? [...rates, ...symptomStatements(culprit), ...victimStatements(culprit, facts)] : [],
    against: surge ? [] : rates,
    unknown: ['where the requests come from'],
  }
}

function zeroReplicas(facts: Facts, culprit: Culprit): Candidate {
  const { workload } = culprit.facts
  return {
    class: 'deployment_zero_replicas',
    component: componentOf(culprit),
    score: 95,
    signs: countSigns([true]),
    since: culprit.since,
    claims: [
      ...state(`${culprit.service} is scaled to ${workload?.desiredReplicas} replicas.`, workload?.label),
      ...scaledDown(facts, culprit),
      ...victimStatements(culprit, facts),
    ],
    against: [],
    unknown: ['whether it was meant to be off'],
  }
}

function scaledDown({ changes }: Facts, { service, since }: Culprit): Statement[] {
  const scale = changes?.changes.find(
    ({ kind, service: scaled, from, to, at }) =>
      kind === 'scale' && scaled === service && Number(to) < Number(from) && (since === null || Date.parse(at) <= since.getTime() + 10_000),
  )
  return scale ? state(`${service} was scaled from ${scale.from} to ${scale.to} at ${clock(scale.at)}.`, changes?.label) : []
}
