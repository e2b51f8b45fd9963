import { FAULT_CLASSES } from '../../domain/fault-classes.ts'
import { type Candidate, countSigns, type Statement, state } from '../candidate.ts'
import { correlateChanges } from '../change-correlation.ts'
import type { Culprit } from '../culprit.ts'
import type { ClusterContent } from '../evidence-content.ts'
import type { Cited, Facts } from '../facts.ts'
import { logStatements, symptomStatements, victimStatements } from '../symptoms.ts'
import { clock, percent } from '../wording.ts'

type Found = ClusterContent['findings'][number]

/** Below the score of `unknown`: a trouble that nothing connects with the incident is a possibility. */
const UNCONNECTED_SCORE = 35
/** What was rolled out just before is to blame for what it does to its pods, and going back is the nearer help. */
const AFTER_CHANGE = 0.85
const SUSPECT_STRENGTH = 0.5
const MAX_QUOTED = 160
const QUOTES_SHOWN = 2
/** What is told of an earlier hour does not say when this began. */
const LONGEST_BEFORE_MS = 60 * 60_000
/** Whether the alert is over is judged by what it measures, not by how the pods look. */
const NO_CAUSE: readonly string[] = FAULT_CLASSES.none

/** What the platform itself says is wrong around the service: one cause for each finding of the rules over a cluster. */
export function platformCauses(facts: Facts, culprit: Culprit): Candidate[] {
  const { cluster } = facts
  if (!cluster) return []
  return cluster.findings.flatMap((found) => (NO_CAUSE.includes(found.class) ? [] : (candidateOf(found, cluster, facts, culprit) ?? [])))
}

function candidateOf(found: Found, cluster: Cited<ClusterContent>, facts: Facts, culprit: Culprit): Candidate | null {
  const connection = connectionOf(found, facts)
  if (connection === 'elsewhere') return null
  const isConnected = connection === 'connected'
  const change = changeBefore(found, facts)
  const isOfCulprit = found.component === `service/${culprit.service}`
  const { since } = found
  const score = isConnected ? Math.round(found.score * (change ? AFTER_CHANGE : 1)) : Math.min(found.score, UNCONNECTED_SCORE)
  const short = cluster.workloads.filter(({ service, ready, desired }) => found.services.includes(service) && ready < desired)
  return {
    class: found.class,
    component: found.component,
    score,
    signs: countSigns([true, found.quotes.length > 0, short.length > 0, isConnected, !change]),
    since: isOfCulprit && culprit.since ? culprit.since : isOfThisHour(since, facts) ? new Date(since) : null,
    claims: [
      ...state(found.words, cluster.label),
      ...found.quotes.slice(0, QUOTES_SHOWN).flatMap((quote) => state(`The platform says “${quote.slice(0, MAX_QUOTED)}”.`, cluster.label)),
      ...short
        .slice(0, 3)
        .flatMap(({ service, ready, desired }) => state(`${ready} of ${desired} pods of ${service} are ready.`, cluster.label)),
      ...(isOfCulprit ? [...symptomStatements(culprit), ...logStatements(culprit), ...victimStatements(culprit, facts)] : []),
    ],
    against: [
      ...(change
        ? state(`${change.service} was changed at ${clock(change.at)}, close before: that may be the deeper cause.`, facts.changes?.label)
        : []),
      ...(isConnected ? [] : state(`Nothing that is known connects it with ${facts.service}.`, cluster.label)),
      ...stillServing(found, facts),
    ],
    unknown: cluster.unread.length === 0 ? [] : [`what the cluster says of its ${cluster.unread.join(', ')}: not read`],
  }
}

/** `elsewhere`: who calls whom is known, and the trouble is on no path of calls that could bring it here. */
function connectionOf({ services }: Found, { service, graph }: Facts): 'connected' | 'unknown' | 'elsewhere' {
  const called = graph.dependenciesOf(service)
  if (services.some((each) => each === service || called.has(each))) return 'connected'
  return graph.services.has(service) ? 'elsewhere' : 'unknown'
}

function changeBefore({ services, since }: Found, { changes }: Facts) {
  if (since === null) return null
  const known = (changes?.changes ?? []).filter(({ kind }) => kind === 'release' || kind === 'config' || kind === 'flag')
  const [first] = services.flatMap((service) => correlateChanges(known, service, new Date(since)))
  return first && first.strength >= SUSPECT_STRENGTH ? first.change : null
}

function isOfThisHour(since: string | null, { startedAt }: Facts): since is string {
  return since !== null && startedAt.getTime() - Date.parse(since) < LONGEST_BEFORE_MS
}

/** Requests of a service in trouble that are answered as usual speak against it. */
function stillServing({ services }: Found, facts: Facts): Statement[] {
  return services.slice(0, 1).flatMap((service) => {
    const errors = facts.services.get(service)?.metrics.error_ratio
    if (!errors || errors.now === null || errors.began !== null) return []
    return state(`Errors of ${service}: ${percent(errors.now)} now, nothing unusual.`, errors.label)
  })
}
