import { type CauseRule, componentOf, countSigns, state } from '../candidate.ts'
import { logStatements, symptomStatements, victimStatements } from '../symptoms.ts'
import { clock } from '../wording.ts'

const OUT_OF_MEMORY = /oomkilled|out of memory|\b137\b/i
const ON_PURPOSE_MS = 60_000

/** Instances that exit again and again: of their own error, or because the platform took them for their memory. */
export const crash: CauseRule = (facts, culprit) => {
  const { service, troubles, facts: own } = culprit
  const { workload, metrics } = own
  const restarts = metrics.restarts
  const restarting = troubles.includes('restarting')
  if (!restarting && !(troubles.includes('down') && (workload?.restarts ?? 0) > 0)) return null
  const outOfMemory = workload?.events.find(({ text }) => OUT_OF_MEMORY.test(text))
  const onPurpose = facts.changes?.changes.find(
    (change) => change.service === service && change.kind !== 'flag' && isJustBefore(change.at, restarts?.began ?? null),
  )
  const down = troubles.includes('down')
  const score = (outOfMemory ? 84 : down ? 80 : 50) * (onPurpose ? 0.4 : 1)
  const exit = outOfMemory ?? workload?.events[0]
  return {
    class: outOfMemory ? 'oom_killed' : 'crash_on_start',
    component: componentOf(culprit),
    score: Math.round(score),
    signs: countSigns([restarting, down, own.logs !== null && own.logs.patterns.length > 0, !onPurpose]),
    since: culprit.since,
    claims: [
      ...(restarting && restarts?.now != null
        ? state(`${service} restarted: ${restarts.now} restarts now, ${restarts.before} before.`, restarts.label)
        : []),
      ...(down && workload
        ? state(`${workload.readyReplicas} of ${workload.desiredReplicas} replicas of ${service} are ready.`, workload.label)
        : []),
      ...(exit && workload ? state(`The platform reports “${exit.text.slice(0, 160)}” at ${clock(exit.at)}.`, workload.label) : []),
      ...logStatements(culprit),
      ...symptomStatements(culprit),
      ...victimStatements(culprit, facts),
    ],
    against: onPurpose
      ? state(`${service} was changed on purpose at ${clock(onPurpose.at)}, which restarts it.`, facts.changes?.label)
      : [],
    unknown: ['why it exits, beyond what its log says'],
  }
}

function isJustBefore(at: string, began: string | null): boolean {
  if (began === null) return false
  const lag = Date.parse(began) - Date.parse(at)
  return lag > -ON_PURPOSE_MS / 6 && lag < ON_PURPOSE_MS
}
