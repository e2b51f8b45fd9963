import { type CauseRule, componentOf, countSigns, state } from '../candidate.ts'
import { logStatements, symptomStatements, victimStatements } from '../symptoms.ts'
import { clock } from '../wording.ts'

const OUT_OF_MEMORY = /oomkilled|out of memory|\b137\b/i
/** The process ended itself, with an error of its own; an end by a signal came from elsewhere. */
const OWN_EXIT = /exited with code (?!0\b)\d+|crashloopbackoff|back-off restarting/i
/** As often as this is again and again: no change on purpose restarts a service twice. */
const AGAIN = 2
const ON_PURPOSE_MS = 60_000

/** Instances that exit again and again: of their own error, or because the platform took them for their memory. */
export const crash: CauseRule = (facts, culprit) => {
  const { service, troubles, facts: own } = culprit
  const { workload, metrics } = own
  const restarts = metrics.restarts
  const restarting = troubles.includes('restarting')
  if (!restarting && !(troubles.includes('down') && (workload?.restarts ?? 0) > 0)) return null
  const ownExits = workload?.events.filter(({ text }) => OWN_EXIT.test(text)) ?? []
  const again = restarting && ownExits.length >= AGAIN
  const outOfMemory = workload?.events.find(({ text }) => OUT_OF_MEMORY.test(text))
  const onPurpose = facts.changes?.changes.find(
    (change) => change.service === service && change.kind !== 'flag' && isJustBefore(change.at, restarts?.began ?? null),
  )
  const down = troubles.includes('down')
  const score = (outOfMemory ? 84 : again ? 96 : down ? 80 : 50) * (onPurpose && !again ? 0.4 : 1)
  const exit = outOfMemory ?? ownExits[0] ?? workload?.events[0]
  return {
    class: outOfMemory ? 'oom_killed' : 'crash_on_start',
    component: componentOf(culprit),
    score: Math.round(score),
    signs: countSigns([restarting, down || again, own.logs !== null && own.logs.patterns.length > 0, !onPurpose || again]),
    since: culprit.since,
    claims: [
      ...(restarting && restarts?.now != null
        ? state(`${service} restarted: ${restarts.now} restarts now, ${restarts.before} before.`, restarts.label)
        : []),
      ...(down && workload
        ? state(`${workload.readyReplicas} of ${workload.desiredReplicas} replicas of ${service} are ready.`, workload.label)
        : []),
      ...(exit && workload ? state(`The platform reports “${exit.text.slice(0, 160)}” at ${clock(exit.at)}.`, workload.label) : []),
      ...(again && onPurpose ? state(`${service} was changed at ${clock(onPurpose.at)}, and has exited since.`, facts.changes?.label) : []),
      ...logStatements(culprit),
      ...symptomStatements(culprit),
      ...victimStatements(culprit, facts),
    ],
    against:
      onPurpose && !again
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
