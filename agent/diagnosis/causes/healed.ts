import { METRICS, type MetricName } from '../../../integrations/ports/metrics.ts'
import { type CauseRule, componentOf, countSigns, state } from '../candidate.ts'
import type { Culprit } from '../culprit.ts'
import type { Facts } from '../facts.ts'
import { clock, inUnit, sentence } from '../wording.ts'

/** Unusual stretches have to be over for this long. */
const GONE_MS = 5_000

/** The trouble is gone, and nobody did anything: there is nothing to do, and nothing is known about why. */
export const healed: CauseRule = (facts, culprit) => {
  const { symptom } = facts
  if (!symptom) return healedByMetrics(facts, culprit)
  if (symptom.healthySince === null || symptom.now === null) return null
  const metric = symptom.metric as MetricName
  const side = symptom.comparator === '>' ? 'not above' : 'not below'
  return {
    class: symptom.contradicted ? 'false_alarm' : 'resolved_by_itself',
    component: componentOf(culprit),
    score: symptom.contradicted ? 70 : 95,
    signs: countSigns([true]),
    since: new Date(symptom.healthySince),
    claims: [
      ...state(
        `${sentence(METRICS[metric].title)} of ${symptom.service}: ${inUnit(metric, symptom.now)} now, ${side} the limit of ${inUnit(metric, symptom.threshold)} since ${clock(symptom.healthySince)}.`,
        symptom.label,
      ),
    ],
    against: [],
    unknown: [symptom.contradicted ? 'what the sender of the alert saw' : 'what caused it'],
  }
}

/** Without a stated limit: everything that was unusual has ended. */
function healedByMetrics(facts: Facts, culprit: Culprit): ReturnType<CauseRule> {
  const ends = Object.values(culprit.facts.metrics).filter(({ began }) => began !== null)
  const isOver = ends.length > 0 && ends.every(({ ended }) => ended !== null && facts.now.getTime() - Date.parse(ended) >= GONE_MS)
  const last = ends.toSorted((a, b) => Date.parse(a.ended ?? '') - Date.parse(b.ended ?? '')).at(-1)
  if (!isOver || !last || last.ended === null || last.now === null) return null
  const metric = last.metric as MetricName
  return {
    class: 'resolved_by_itself',
    component: componentOf(culprit),
    score: 60,
    signs: countSigns([true, false]),
    since: new Date(last.ended),
    claims: state(
      `${sentence(METRICS[metric].title)} of ${culprit.service}: ${inUnit(metric, last.now)} now; the unusual stretch ended at ${clock(last.ended)}.`,
      last.label,
    ),
    against: [],
    unknown: ['what caused it', 'the limit at which the alert fires'],
  }
}
