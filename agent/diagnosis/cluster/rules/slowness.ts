import { appOf, type ClusterRule, type Finding, livingPods, quotesOf } from '../finding.ts'

const SLOW_MS = 1_000
/** One span that takes this share of its trace is where the time goes. */
const MOST = 0.5
const DATABASE = /(postgres|pg|mysql|sql|mongo|redis|db|database)[. _-]?(query|command|find|select)?/i

/** Where time goes: the span that is slow by itself, and containers that are held back at their limit. */
export const slowness: ClusterRule = (state) => [...slowSpan(state), ...throttled(state)]

const slowSpan: ClusterRule = ({ spans = [] }) => {
  const [slowest] = spans.toSorted((a, b) => b.ownMs - a.ownMs)
  const whole = Math.max(0, ...spans.map(({ ms }) => ms))
  if (!slowest || slowest.ownMs < SLOW_MS || slowest.ownMs < MOST * whole) return []
  const isDatabase = DATABASE.test(slowest.operation)
  const finding: Finding = {
    class: isDatabase ? 'db_slow_query' : 'pod_cpu_overload',
    component: `app/${slowest.service}`,
    score: isDatabase ? 86 : 58,
    words: `${slowest.service} is slow: ${Math.round(slowest.ownMs)} of ${Math.round(whole)} ms go into ${slowest.operation}${isDatabase ? ', a database query' : ''}.`,
    quotes: [],
    since: null,
  }
  return [finding]
}

const throttled: ClusterRule = (state) =>
  (state.alerts ?? [])
    .filter(({ firing, name, summary }) => firing && /throttl/i.test(`${name} ${summary}`))
    .map((alert) => {
      const pod = livingPods(state).find(({ name }) => name === alert.about)
      const limit = pod?.spec?.containers.map(({ limits }) => limits.cpu).find((cpu) => cpu !== null)
      const told = limit === undefined || limit === null ? '' : ` of ${limit} cores`
      return {
        class: 'cpu_throttled' as const,
        component: pod ? appOf(pod) : `app/${alert.about ?? 'unknown'}`,
        score: 84,
        words: `${alert.about ?? 'A container'} is held back at its CPU limit${told}: it wants more than it may use. A higher limit, or less work, would end it.`,
        quotes: quotesOf(alert.summary),
        since: alert.since,
      }
    })
