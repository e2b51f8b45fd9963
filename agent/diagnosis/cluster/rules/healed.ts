import type { ClusterState } from '../../../../integrations/ports/cluster-state.ts'
import { type ClusterRule, hasRestartedLately, isRecent, isWell, livingPods, quotesOf } from '../finding.ts'

/** A log line of the platform or a program that tells of an end. */
const HEALED =
  /recovered|restored|resolved|rolled back|rollback successful|scale-up|successfully assigned|rollout completed|scaled to 0|no further restarts|returned to ready|healthy/i

/** Everything runs as it should now. What is told is the past: then it healed by itself, or there never was anything. */
export const healed: ClusterRule = (state) => {
  const pods = livingPods(state)
  if (pods.length === 0 || !pods.every((pod) => isWell(pod) && !hasRestartedLately(pod, state))) return []
  const areWorkloadsWell = (state.workloads ?? []).every(({ desired, ready }) => desired === null || (ready ?? 0) >= desired)
  const areNodesWell = (state.nodes ?? []).every(({ conditions }) =>
    conditions.some(({ type, status }) => type === 'Ready' && status === 'True'),
  )
  if (!areWorkloadsWell || !areNodesWell) return []
  const warnings = (state.events ?? []).filter(({ type }) => type === 'Warning')
  // A warning that goes on is not over because the pods look well: a probe or a quota may still refuse.
  if (
    warnings.some(
      (event) => event.lastAt !== null && state.at.getTime() - event.lastAt.getTime() < 60_000 && isRecent(event, state) && event.count > 3,
    )
  )
    return []
  if (isTroubled(state)) return []
  const restarts = pods.flatMap(({ containers }) => containers).reduce((sum, container) => sum + container.restarts, 0)
  const told = state.logs.flatMap(({ lines }) => lines).filter(({ text }) => HEALED.test(text))
  const all = `All ${pods.length} pods run and are ready, no failure is under way now.`
  const common = { component: `namespace/${state.namespace}`, since: null }
  if (warnings.length === 0 && restarts === 0)
    return [{ class: 'false_alarm', score: 75, words: `${all} Everything is normal, and no warning was told.`, quotes: [], ...common }]
  const quotes = quotesOf(...warnings.map(({ message }) => message), ...told.map(({ text }) => text))
  const past = restarts > 0 ? ` Restarts so far: ${restarts}.` : ''
  return [{ class: 'resolved_by_itself', score: 72, words: `${all} What the alert speaks of is over.${past}`, quotes, ...common }]
}

const FRESH_MS = 10 * 60_000
const IS_ERROR = /\b(error|fatal|panic|exception)\b/i

/** Programs that still complain, calls that fail and alerts that fire: well-looking pods do not end those. */
function isTroubled({ logs, connections, alerts, at }: ClusterState): boolean {
  const isFresh = (told: Date | null): boolean => told !== null && at.getTime() - told.getTime() < FRESH_MS
  const complaints = logs.flatMap(({ lines }) => lines).filter((line) => isFresh(line.at) && IS_ERROR.test(line.text))
  const isWatchdog = /watchdog|deadman/i
  const isFiring = (alerts ?? []).some(({ firing, name, since }) => firing && since !== null && !isWatchdog.test(name))
  return complaints.length > 1 || connections.some(({ ok }) => !ok) || isFiring
}
