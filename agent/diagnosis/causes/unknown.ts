import { type Candidate, componentOf } from '../candidate.ts'
import type { Culprit } from '../culprit.ts'
import type { Facts } from '../facts.ts'
import { logStatements, symptomStatements, victimStatements } from '../symptoms.ts'

/** A cause that scores less than this is a possibility, and the diagnosis is that the cause is unknown. */
export const UNKNOWN_SCORE = 40

/** What is known although the cause is not, and what would settle it. */
export function unknownCause(facts: Facts, culprit: Culprit): Candidate {
  return {
    class: 'unknown',
    component: componentOf(culprit),
    score: UNKNOWN_SCORE,
    // Its one sign: everything was weighed and no cause fits.
    signs: { found: 1, of: 1 },
    since: culprit.since,
    claims: [...symptomStatements(culprit), ...logStatements(culprit), ...victimStatements(culprit, facts)],
    against: [],
    unknown: [
      ...unseenWords(facts, culprit),
      ...(facts.ranking?.abstained ? ['the numbers do not tell where it began: nothing left its usual by more than chance does'] : []),
      ...facts.missing.map((words) => `no answer: ${words}`),
    ],
  }
}

/** Silence is never called health: "nothing unusual" is said only of what has samples. */
function unseenWords(facts: Facts, { service, troubles, facts: { metrics, logs, workload } }: Culprit): string[] {
  const others = [...(workload ? [] : [`the workload of ${service}`]), ...(facts.changes ? [] : ['recent changes'])]
  const unseen = (what: readonly string[]): string[] => what.map((each) => `not seen: ${each}`)
  const findings = Object.values(metrics)
  const isKnown = findings.some(({ samples }) => samples > 0)
  if (!isKnown && (logs?.lines ?? 0) === 0 && !facts.graph.services.has(service))
    return [`No metrics, logs or calls of ${service} are known here.`, ...unseen(others)]
  const ordinary = findings.some(({ now }) => now !== null)
    ? `no metric of ${service} or of what it calls is unusual`
    : `no metric of ${service} has recent samples`
  return [
    troubles.length === 0 ? ordinary : 'no cause fits what was found',
    ...unseen([
      ...(Object.keys(metrics).length === 0 ? [`metrics of ${service}`] : []),
      ...(logs ? [] : [`logs of ${service}`]),
      ...others,
      ...(facts.graphLabel === null ? ['who calls whom'] : []),
    ]),
  ]
}
