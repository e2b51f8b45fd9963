import type { Finding } from './evidence-content.ts'
import type { Facts, ServiceFacts } from './facts.ts'

/** How a service is in trouble, the plainest sign first. */
export type Trouble = 'errors' | 'latency' | 'down' | 'restarting' | 'memory' | 'cpu'

export interface Culprit {
  service: string
  facts: ServiceFacts
  troubles: readonly Trouble[]
  /** When its own trouble began, as far as the metrics show. */
  since: Date | null
  /** Services in trouble that call it, directly or through others: victims. */
  victims: string[]
}

/** An unusual stretch that was over this long before the alert began is another story. */
const OVER_BEFORE_MS = 60_000
/** Calls fail for the slowness of what they call only when it is slow enough for time-outs. */
const TIMEOUT_SECONDS = 0.5
/** A cause may be seen a little after its effect: scrapes are that coarse. */
const SEEN_LATER_MS = 10_000
/** It fails outright; the other troubles are strains, which come and go by chance too. */
const FAILURES: readonly Trouble[] = ['errors', 'down', 'restarting']

/**
 * Where the trouble comes from. Trouble travels from the called to the caller, so a service whose trouble a dependency explains is a victim, and
 * what is left is to blame: the service of the incident itself, else what fails outright before what is only strained, else where it began
 * first. The service of the incident when nothing shows trouble.
 */
export function findCulprit(facts: Facts): Culprit {
  const troubled = [...facts.services.values()].map((each) => describe(each, facts)).filter(({ troubles }) => troubles.length > 0)
  const unexplained = troubled.filter((each) => !troubled.some((other) => explains(other, each, facts)))
  const related = unexplained.filter(({ service }) => isRelated(facts, service))
  const [first] = related.sort((a, b) => rankOf(a, facts) - rankOf(b, facts) || startOf(a) - startOf(b))
  return withVictims(first ?? suspectAt(facts, facts.service), troubled, facts.graph)
}

/** The same of a service that something else points to. */
export function culpritAt(facts: Facts, service: string): Culprit {
  const troubled = [...facts.services.values()].map((each) => describe(each, facts)).filter(({ troubles }) => troubles.length > 0)
  return withVictims(suspectAt(facts, service), troubled, facts.graph)
}

function suspectAt(facts: Facts, service: string): Suspect {
  return describe(facts.services.get(service) ?? emptyFacts(service), facts)
}

function withVictims({ service, facts, troubles, since }: Suspect, troubled: readonly Suspect[], graph: Facts['graph']): Culprit {
  const dependents = graph.dependentsOf(service)
  const victims = troubled.flatMap((other) => (dependents.has(other.service) ? [other.service] : []))
  return { service, facts, troubles, since, victims }
}

interface Suspect extends Omit<Culprit, 'victims'> {
  /** When all of its own trouble was over; null while any of it lasts. */
  until: Date | null
}

/** Whether the trouble of what it calls is enough to explain the trouble of the caller, began no later, and was not over before. */
function explains(called: Suspect, caller: Suspect, { graph }: Facts): boolean {
  if (!graph.dependenciesOf(caller.service).has(called.service)) return false
  if (startOf(called) - SEEN_LATER_MS > startOf(caller) && called.since !== null) return false
  if (called.until !== null && caller.since !== null && called.until.getTime() + SEEN_LATER_MS < caller.since.getTime()) return false
  return !caller.troubles.includes('errors') || fails(called) || (called.facts.metrics.latency_p99?.peak ?? 0) >= TIMEOUT_SECONDS
}

function fails({ troubles }: Pick<Suspect, 'troubles'>): boolean {
  return troubles.some((trouble) => FAILURES.includes(trouble))
}

function rankOf(suspect: Suspect, { service }: Facts): number {
  if (suspect.service === service) return 0
  return fails(suspect) ? 1 : 2
}

/** The service of the incident or one on a path of calls with it; elsewhere trouble is a coincidence, or another incident. */
function isRelated({ graph, service: own }: Facts, service: string): boolean {
  return service === own || graph.dependenciesOf(own).has(service) || graph.dependentsOf(own).has(service)
}

/** Its trouble began when it began to fail, and only where it does not fail when it began to be strained. */
function describe(service: ServiceFacts, facts: Facts): Suspect {
  const troubles = troublesOf(service, facts)
  const { error_ratio: errors, restarts } = service.metrics
  const all = stretchesOf(Object.values(service.metrics), facts)
  const failing = troubles.includes('errors') || troubles.includes('restarting') ? stretchesOf([errors, restarts], facts) : all
  const lasts = troubles.includes('down') || all.some(({ ended }) => ended === null)
  const ends = all.flatMap(({ ended }) => (ended === null ? [] : [Date.parse(ended)]))
  return {
    service: service.service,
    facts: service,
    troubles,
    since: failing.length > 0 ? new Date(Math.min(...failing.map(({ began }) => Date.parse(began)))) : null,
    until: lasts || ends.length === 0 ? null : new Date(Math.max(...ends)),
  }
}

interface Stretch {
  began: string
  ended: string | null
}

function stretchesOf(findings: readonly (Finding | undefined)[], facts: Facts): Stretch[] {
  return findings.flatMap((finding) =>
    finding?.began && isOfThisIncident(finding.began, finding.ended, facts) ? [{ began: finding.began, ended: finding.ended }] : [],
  )
}

function troublesOf({ metrics, workload }: ServiceFacts, facts: Facts): Trouble[] {
  const unusual = (metric: keyof typeof metrics): boolean => {
    const finding = metrics[metric]
    return finding !== undefined && isOfThisIncident(finding.began, finding.ended, facts)
  }
  return [
    ...(unusual('error_ratio') ? (['errors'] as const) : []),
    ...(unusual('latency_p99') ? (['latency'] as const) : []),
    ...(workload && workload.readyReplicas < workload.desiredReplicas ? (['down'] as const) : []),
    ...(unusual('restarts') ? (['restarting'] as const) : []),
    ...(unusual('memory_used_ratio') ? (['memory'] as const) : []),
    ...(unusual('cpu_used_ratio') ? (['cpu'] as const) : []),
  ]
}

function isOfThisIncident(began: string | null, ended: string | null, { startedAt }: Facts): boolean {
  return began !== null && (ended === null || Date.parse(ended) >= startedAt.getTime() - OVER_BEFORE_MS)
}

function startOf({ since }: { since: Date | null }): number {
  return since?.getTime() ?? Number.POSITIVE_INFINITY
}

function emptyFacts(service: string): ServiceFacts {
  return { service, metrics: {}, logs: null, workload: null }
}
