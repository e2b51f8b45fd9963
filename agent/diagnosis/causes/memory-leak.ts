import { type CauseRule, componentOf, countSigns, state } from '../candidate.ts'
import { correlateChanges } from '../change-correlation.ts'
import { NEARLY_FULL } from '../series.ts'
import { symptomStatements, victimStatements } from '../symptoms.ts'
import { clock, listed, percent } from '../wording.ts'

const CALM = 0.6

/** Memory that fills without a break, in a service that nobody changed when it began, while the others stay as they were. */
export const memoryLeak: CauseRule = (facts, culprit) => {
  const memory = culprit.facts.metrics.memory_used_ratio
  if (!memory || memory.now === null) return null
  const isHigh = memory.now > NEARLY_FULL || (memory.began !== null && memory.ended === null)
  const rising = memory.risingSince
  const filled = memory.before !== null && memory.before < CALM
  const began = rising ?? memory.began
  const changes = (facts.changes?.changes ?? []).filter(({ kind }) => kind !== 'restart' && kind !== 'scale')
  const [change] = began ? correlateChanges(changes, culprit.service, new Date(began)).filter(({ strength }) => strength >= 0.5) : []
  const others = [...facts.services.values()].filter(
    ({ service, metrics }) => service !== culprit.service && metrics.memory_used_ratio?.now != null,
  )
  const calmOthers = others.filter(({ metrics }) => (metrics.memory_used_ratio?.now ?? 1) < NEARLY_FULL)
  const base = isHigh ? (rising ? 88 : filled ? 70 : 35) : rising ? 30 : 5
  const { workload } = culprit.facts
  return {
    class: 'memory_leak',
    component: componentOf(culprit),
    score: Math.round(base * (change ? 0.4 : 1)),
    signs: countSigns([isHigh, rising !== null, filled, !change, calmOthers.length === others.length]),
    since: began === null ? null : new Date(began),
    claims:
      isHigh || rising
        ? [
            ...(rising
              ? state(
                  `Memory of ${culprit.service} has been rising since ${clock(rising)}, from ${percent(memory.low ?? 0)} to ${percent(memory.now)}.`,
                  memory.label,
                )
              : []),
            ...symptomStatements(culprit),
            ...(workload ? state(`${culprit.service} runs ${workload.version} with ${workload.restarts} restarts.`, workload.label) : []),
            ...(change ? [] : state(`No change of ${culprit.service} lies close before the rise.`, facts.changes?.label)),
            ...(calmOthers.length > 0
              ? state(
                  `Memory of ${listed(calmOthers.map(({ service }) => service))} is below that.`,
                  ...calmOthers.map(({ metrics }) => metrics.memory_used_ratio?.label),
                )
              : []),
            ...victimStatements(culprit, facts),
          ]
        : [],
    against: [
      ...(isHigh || rising
        ? []
        : state(
            `Memory of ${culprit.service} is at ${percent(memory.now)}${memory.before === null ? '' : `, ${percent(memory.before)} before`}.`,
            memory.label,
          )),
      ...(change
        ? state(`${culprit.service} was changed at ${clock(change.change.at)}, close before the rise.`, facts.changes?.label)
        : []),
    ],
    unknown: ['what holds the memory'],
  }
}
