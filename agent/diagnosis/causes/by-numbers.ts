import { METRICS, type MetricName } from '../../../integrations/ports/metrics.ts'
import { FAULT_CLASSES } from '../../domain/fault-classes.ts'
import type { Candidate, Statement } from '../candidate.ts'
import { state } from '../candidate.ts'
import { type Culprit, culpritAt } from '../culprit.ts'
import type { RankingContent } from '../evidence-content.ts'
import type { Facts } from '../facts.ts'
import { clock, inUnit } from '../wording.ts'
import { unknownCause } from './unknown.ts'

/** Behind every cause that a rule knows: a place is less than a cause. */
const BESIDE_SCORE = 20
const OTHER_WITNESSES = 2
/** What departs less than this speaks for nothing. */
const WITNESS_TIMES = 3
/** The second is as good as the first from this share of its score on. */
const CLOSE_SECOND = 0.6
const MUCH_EXPLAINED = 0.2

const NO_CAUSE: readonly string[] = FAULT_CLASSES.none

/** Where the numbers say that it began. They tell where and since when, and never why. */
interface Beginning {
  service: string
  component: string
  since: Date | null
  claims: Statement[]
  against: Statement[]
}

type Ranked = RankingContent['components'][number]
type Reason = Ranked['reasons'][number]

/**
 * The unknown cause, where the numbers say it began; null where they do not know, or where the platform itself says that another service is
 * down or restarts: what is down has no numbers of its own.
 */
export function placedByNumbers(facts: Facts, culprit: Culprit): Candidate | null {
  const beginning = beginningOf(facts)
  const isSeenDown = culprit.troubles.includes('down') || culprit.troubles.includes('restarting')
  if (!beginning || (isSeenDown && culprit.service !== beginning.service)) return null
  const { service, component, since, claims, against } = beginning
  const unknown = unknownCause(facts, culpritAt(facts, service))
  return {
    ...unknown,
    component,
    since: since ?? unknown.since,
    claims: [...claims, ...unknown.claims],
    against,
    unknown: [`what is wrong in ${service}: numbers tell where it began, not why`, ...unknown.unknown],
  }
}

/**
 * Causes that rules know, the best of them settled, with what the numbers say: where they name the same component it is one more statement, where
 * they name another one that is a possibility behind, and the rule's cause speaks against it. Of what went away by itself they are not asked.
 */
export function besideCauses(facts: Facts, candidates: readonly Candidate[]): Candidate[] {
  const beginning = beginningOf(facts)
  const [first, ...others] = candidates
  if (!first || !beginning || NO_CAUSE.includes(first.class)) return [...candidates]
  if (first.component === beginning.component) return [{ ...first, claims: [...first.claims, ...beginning.claims.slice(0, 1)] }, ...others]
  const { service, component, since, claims, against } = beginning
  const other: Candidate = {
    class: 'unknown',
    component,
    score: BESIDE_SCORE,
    signs: { found: 1, of: 1 },
    since,
    claims,
    against: [...against, ...first.claims.slice(0, 1)],
    unknown: [`what is wrong in ${service}: numbers tell where it began, not why`],
  }
  return [first, ...[...others, other].sort((a, b) => b.score - a.score)]
}

function beginningOf(facts: Facts): Beginning | null {
  const { ranking } = facts
  const [first, second] = ranking?.components ?? []
  const [main, ...rest] = first?.reasons ?? []
  if (!ranking || ranking.abstained || !first || !main) return null
  const cites = ({ metric }: Reason): (string | undefined)[] => [
    ranking.label,
    facts.services.get(first.component)?.metrics[metric as MetricName]?.label,
  ]
  const starts = first.reasons.flatMap(({ since }) => (since === null ? [] : [Date.parse(since)]))
  const witnesses = rest.filter(({ times }) => times >= WITNESS_TIMES).slice(0, OTHER_WITNESSES)
  return {
    service: first.component,
    component: `${facts.outside.has(first.component) ? 'external' : 'service'}/${first.component}`,
    since: starts.length === 0 ? null : new Date(Math.min(...starts)),
    claims: [
      ...state(`By the numbers the trouble began in ${first.component}: ${courseOf(main)}.`, ...cites(main)),
      ...witnesses.flatMap((reason) => state(`Its ${courseOf(reason)}.`, ...cites(reason))),
    ],
    against: [
      ...(main.explained >= MUCH_EXPLAINED
        ? state(`What ${first.component} calls explains ${Math.round(main.explained * 100)} % of that.`, ranking.label)
        : []),
      ...(second && second.score >= CLOSE_SECOND * first.score
        ? state(
            `The numbers put ${second.component} close behind: ${second.score.toFixed(1)} against ${first.score.toFixed(1)}.`,
            ranking.label,
          )
        : []),
    ],
  }
}

/** 'latency p99 rose from its usual 20 ms to 1.32 s, 12.3 times its usual spread, at 10:42:05 UTC, 4 s before the alert'. */
function courseOf({ metric, usual, risen, times, since, lead }: Reason): string {
  const name = metric as MetricName
  const course =
    risen === null ? `left its usual ${inUnit(name, usual)}` : `rose from its usual ${inUnit(name, usual)} to ${inUnit(name, risen)}`
  const lag = lead === null ? '' : lead >= 0 ? `, ${lead} s before the alert` : `, ${-lead} s after the alert`
  const when = since === null ? '' : `, at ${clock(since)}${lag}`
  return `${METRICS[name].title} ${course}, ${times.toFixed(1)} times its usual spread${when}`
}
