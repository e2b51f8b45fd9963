import { METRICS, type MetricName } from '../../integrations/ports/metrics.ts'
import type { Statement } from './candidate.ts'
import { state } from './candidate.ts'
import type { Culprit } from './culprit.ts'
import type { Finding } from './evidence-content.ts'
import type { Facts } from './facts.ts'
import { clock, inUnit, listed, sentence } from './wording.ts'

const MAX_QUOTED = 160

/** What is wrong with the culprit, in numbers. What was over before `after` is left out: it cannot follow from what happened then. */
export function symptomStatements({ service, facts, troubles }: Culprit, after: Date | null = null): Statement[] {
  const metrics: MetricName[] = [
    ...(troubles.includes('errors') ? (['error_ratio'] as const) : []),
    ...(troubles.includes('latency') ? (['latency_p99'] as const) : []),
    ...(troubles.includes('memory') ? (['memory_used_ratio'] as const) : []),
    ...(troubles.includes('cpu') ? (['cpu_used_ratio'] as const) : []),
  ]
  return metrics.flatMap((metric) => {
    const finding = facts.metrics[metric]
    if (!finding || finding.now === null) return []
    if (after !== null && finding.ended !== null && Date.parse(finding.ended) < after.getTime()) return []
    return state(`${sentence(METRICS[metric].title)} of ${service}: ${courseOf(metric, finding, finding.now)}.`, finding.label)
  })
}

/** How a metric went: what it is now, or, of a stretch that is over, how far it went and when. */
function courseOf(metric: MetricName, { before, began, ended, peak }: Finding, now: number): string {
  const usual = before === null ? '' : `, ${inUnit(metric, before)} before`
  if (began !== null && ended !== null && peak !== null)
    return `${inUnit(metric, peak)} at its worst${usual}; it began at ${clock(began)} and was over at ${clock(ended)}`
  return `${inUnit(metric, now)} now${usual}${began === null ? '' : `; it began at ${clock(began)}`}`
}

/** Who suffers from it, by the call graph. */
export function victimStatements({ service, victims }: Culprit, facts: Facts): Statement[] {
  if (victims.length === 0) return []
  const labels = victims.map(
    (victim) => facts.services.get(victim)?.metrics.error_ratio?.label ?? facts.services.get(victim)?.metrics.latency_p99?.label,
  )
  const verb = victims.length === 1 ? 'is in trouble too and calls' : 'are in trouble too and call'
  return state(`${listed(victims)} ${verb} ${service}, directly or through others.`, facts.graphLabel, ...labels)
}

/** The most frequent error in the culprit's log, quoted: it is data, and decides nothing. */
export function logStatements({ service, facts: { logs } }: Culprit): Statement[] {
  const top = logs?.patterns[0]
  if (!logs || !top) return []
  return state(
    `${service} logs “${top.sample.slice(0, MAX_QUOTED)}”, ${top.count} times this pattern, first at ${clock(top.first)}.`,
    logs.label,
  )
}
