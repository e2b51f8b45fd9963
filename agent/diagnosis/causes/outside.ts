import { type CauseRule, countSigns, state } from '../candidate.ts'
import { correlateChanges } from '../change-correlation.ts'
import type { Culprit } from '../culprit.ts'
import type { Facts } from '../facts.ts'
import { symptomStatements, victimStatements } from '../symptoms.ts'
import { clock } from '../wording.ts'

const SCORE = 90
/** Slow by itself, or seen by nobody: not enough to blame somebody else. */
const UNFELT_SCORE = 20
/** As slow as this its callers stop waiting. */
const TIMEOUT_SECONDS = 0.5
const MAX_QUOTED = 160

/** The trouble comes from somebody else's service: nothing here can mend it, and its owner has to be told. */
export const outsideCause: CauseRule = (facts, culprit) => {
  const party = facts.outside.get(culprit.service)
  if (!party || culprit.troubles.length === 0) return null
  const callers = callersOf(facts, culprit.service)
  const changed = callers.find(
    (caller) =>
      culprit.since && correlateChanges(facts.changes?.changes ?? [], caller, culprit.since).some(({ strength }) => strength >= 0.5),
  )
  const isSlow = (culprit.facts.metrics.latency_p99?.peak ?? 0) >= TIMEOUT_SECONDS
  const isFelt = culprit.victims.length > 0 && (culprit.troubles.includes('errors') || isSlow)
  return {
    class: 'provider_outage',
    component: `external/${culprit.service}`,
    score: !isFelt ? UNFELT_SCORE : changed ? SCORE / 2 : SCORE,
    signs: countSigns([true, isFelt, !changed]),
    since: culprit.since,
    claims: [
      ...state(`${culprit.service} is run by “${party.owner}”, out of reach from here; to be told: “${party.contact}”.`, facts.graphLabel),
      ...symptomStatements(culprit),
      ...callerStatements(facts, callers),
      ...victimStatements(culprit, facts),
    ],
    against: changed
      ? state(`${changed}, which calls ${culprit.service}, was changed close before.`, facts.changes?.label, facts.graphLabel)
      : [],
    unknown: ['when its owner will have mended it'],
  }
}

function callersOf({ graph }: Facts, service: Culprit['service']): string[] {
  return graph.edges.filter(({ to }) => to === service).map(({ from }) => from)
}

/** What the callers say of it: nobody else can look. */
function callerStatements({ services }: Facts, callers: readonly string[]) {
  return callers.flatMap((caller) => {
    const logs = services.get(caller)?.logs
    const top = logs?.patterns[0]
    if (!logs || !top) return []
    return state(`${caller} logs “${top.sample.slice(0, MAX_QUOTED)}”, first at ${clock(top.first)}.`, logs.label)
  })
}
