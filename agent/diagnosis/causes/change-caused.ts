import type { FaultClass } from '../../domain/fault-classes.ts'
import { type Candidate, type CauseRule, componentOf, countSigns, state } from '../candidate.ts'
import { type Correlation, correlateChanges, type KnownChange } from '../change-correlation.ts'
import type { Culprit } from '../culprit.ts'
import type { Facts } from '../facts.ts'
import { suspectStatements } from '../suspects.ts'
import { logStatements, symptomStatements, victimStatements } from '../symptoms.ts'
import { clock } from '../wording.ts'

const FULL_SCORE = 92
const NO_CHANGE_SCORE = 8

/** What a change of this kind is called when it breaks something; kinds that are judged elsewhere are absent. */
const CLASS_OF: Partial<Record<KnownChange['kind'], FaultClass>> = {
  release: 'bad_release',
  rollback: 'bad_release',
  config: 'bad_config_change',
  flag: 'feature_flag',
}

/** Symptoms begin with a change of the culprit itself, and follow what it changed to. */
export const changeCaused: CauseRule = (facts, culprit) => {
  if (!facts.changes) return null
  const began = beginningOf(culprit)
  const known = facts.changes.changes.filter(({ kind }) => CLASS_OF[kind] !== undefined)
  const [suspect] = began ? correlateChanges(known, culprit.service, began, culprit.facts.workload?.version ?? null) : []
  if (!suspect) return culprit.troubles.length === 0 ? null : nothingChanged(facts, culprit)
  return accuse(facts, culprit, suspect)
}

function accuse(facts: Facts, culprit: Culprit, { change, strength }: Correlation): Candidate {
  const { workload } = culprit.facts
  const setsVersion = change.kind === 'release' || change.kind === 'rollback'
  const follows = setsVersion && change.to !== null && workload ? workload.version === change.to : null
  const fails = culprit.troubles.some((trouble) => trouble !== 'memory' && trouble !== 'cpu')
  const surge = surgeStatements(culprit)
  const score = FULL_SCORE * strength * (fails ? 1 : 0.7) * (follows === false ? 0.4 : 1) * (surge.length > 0 ? 0.8 : 1)
  return {
    class: CLASS_OF[change.kind] ?? 'bad_release',
    component: componentOf(culprit),
    score: Math.round(score),
    signs: countSigns([strength >= 0.5, fails, follows !== false, wasWell(culprit), surge.length === 0]),
    since: beginningOf(culprit),
    claims: [
      ...state(`${described(change)} at ${clock(change.at)}.`, facts.changes?.label),
      ...symptomStatements(culprit, new Date(change.at)),
      ...suspectStatements(facts, culprit, change),
      ...(follows ? state(`${culprit.service} runs ${change.to} now.`, workload?.label) : []),
      ...logStatements(culprit),
      ...victimStatements(culprit, facts),
    ],
    against: [
      ...(follows === false
        ? state(`${culprit.service} runs ${workload?.version} now, not ${change.to}.`, workload?.label, facts.changes?.label)
        : []),
      ...surge,
    ],
    unknown: [`what in ${change.to ?? 'the change'} is wrong`],
  }
}

/** Considered and found wanting: that nothing changed is worth saying. */
function nothingChanged(facts: Facts, culprit: Culprit): Candidate {
  const from = facts.changes?.from ?? facts.startedAt
  return {
    class: 'bad_release',
    component: componentOf(culprit),
    score: NO_CHANGE_SCORE,
    signs: countSigns([false, culprit.troubles.includes('errors'), false, wasWell(culprit), true]),
    since: beginningOf(culprit),
    claims: symptomStatements(culprit),
    against: state(
      `No release, configuration or flag of ${culprit.service} changed close before it began; looked back to ${clock(from)}.`,
      facts.changes?.label,
    ),
    unknown: ['changes that nobody reports to Steadyhand'],
  }
}

/** Memory is full long after it began to fill. */
function beginningOf({ since, troubles, facts }: Culprit): Date | null {
  const rising = facts.metrics.memory_used_ratio?.risingSince
  return troubles.includes('memory') && !troubles.includes('errors') && rising ? new Date(rising) : since
}

/** In our own words where both versions are known, else in the words of whoever announced it. */
function described({ service, kind, from, to, summary }: KnownChange): string {
  if (from !== null && to !== null) return `${service} went from ${from} to ${to} (${kind})`
  return `A change of ${service} was announced: “${summary.slice(0, 200)}”`
}

function wasWell({ facts: { metrics } }: Culprit): boolean {
  const before = metrics.error_ratio?.before
  return before === null || before === undefined || before < 0.05
}

function surgeStatements({ service, facts: { metrics } }: Culprit) {
  const rate = metrics.request_rate
  if (!rate || rate.now === null || rate.before === null || rate.now <= 1.8 * rate.before + 2) return []
  return state(`Requests of ${service} also rose, from ${rate.before.toFixed(1)} /s to ${rate.now.toFixed(1)} /s.`, rate.label)
}
