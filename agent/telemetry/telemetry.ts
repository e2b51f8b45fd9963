import type { LogLine } from '../../integrations/ports/logs.ts'
import { METRICS, type MetricName, type Point } from '../../integrations/ports/metrics.ts'
import type { Unread } from '../../integrations/ports/unread.ts'
import type { Workload } from '../../integrations/ports/workloads.ts'
import type { LogsContent } from '../diagnosis/evidence-content.ts'
import { Refusal } from '../domain/refusal.ts'
import { type Answer, askSource, type WarningLog } from '../investigation/ask-source.ts'
import { logPatterns } from '../investigation/log-patterns.ts'
import { oneLine } from '../investigation/outside-text.ts'
import { type Source, sourcesFor } from '../investigation/scope.ts'
import type { Topology } from '../topology/inventory.ts'

export interface Window {
  service: string
  from: Date
  to: Date
}

/** What was asked, of whom, and where a person can see the same. */
interface Asked extends Window {
  environment: string
  source: string
  query: string
  link: string | null
}

/** `words` says why there is nothing, in words for people; points and lines are empty then. */
export interface MetricReading extends Asked {
  metric: MetricName
  unit: string
  points: Point[]
  unread: Unread | null
  words: string | null
}

export interface LogReading extends Asked {
  /** How many lines were read, which are the newest, and how many older ones there were at least. */
  lines: number
  omitted: number
  unread: Unread | null
  patterns: LogsContent['patterns']
  /** The newest lines, newest first, without secrets. */
  latest: Pick<LogLine, 'at' | 'level' | 'text' | 'version'>[]
  words: string | null
}

/**
 * Read-only questions of people to what was configured. Bounded in time, points and lines whatever is asked.
 *
 * @throws Refusal unknown-target when the inventory has no, or more than one, service of that name
 */
export interface Telemetry {
  metric(query: Window & { metric: MetricName }): Promise<MetricReading>
  logs(query: Window & { level: 'error' | 'all' }): Promise<LogReading>
}

const DEADLINE_MS = 5_000
const POINTS = 320
const LINES_READ = 500
const LATEST = 5
const LINE_MAX = 300

export function createTelemetry(deps: { sources: readonly Source[]; topology: Topology; log: WarningLog }): Telemetry {
  const place = async (service: string): Promise<Workload> => {
    const { workloads } = await deps.topology.inventory()
    const found = workloads.filter((workload) => workload.service.toLowerCase() === service.toLowerCase())
    const [only] = found
    if (only && found.length === 1) return only
    throw new Refusal('unknown-target', only ? `${service} runs in ${found.map(({ environment }) => environment).join(' and ')}.` : null)
  }
  const pick = <Port extends 'metrics' | 'logs'>(environment: string, port: Port) =>
    sourcesFor(deps.sources, environment).flatMap((source) => {
      const found = source[port]
      return found ? [{ id: source.id, port: found as NonNullable<Source[Port]> }] : []
    })[0]
  const ask = <T>(question: (signal: AbortSignal) => Promise<T>): Promise<Answer<T>> =>
    askSource(question, AbortSignal.timeout(DEADLINE_MS), deps.log)

  return {
    async metric({ service: named, metric, from, to }) {
      const { service, environment } = await place(named)
      const asked = { service, environment, metric, unit: METRICS[metric].unit, from, to }
      const source = pick(environment, 'metrics')
      const nothing = { ...asked, source: source?.id ?? 'none', query: `${metric}(${service})`, link: null, points: [], unread: null }
      if (!source) return { ...nothing, words: `No source of metrics reaches ${environment}.` }
      const stepSeconds = Math.max(1, Math.ceil((to.getTime() - from.getTime()) / 1_000 / POINTS))
      const answer = await ask((signal) => source.port.read({ service, metric, from, to, stepSeconds, signal }))
      if (!answer.ok) return { ...nothing, words: `It could not be read: ${answer.words}.` }
      const points = answer.value.points.filter(({ at, value }) => Number.isFinite(value) && !Number.isNaN(at.getTime()))
      const { query, link, unread = null } = answer.value
      const said = points.length === 0 ? 'There are no samples.' : null
      return { ...nothing, query: query.slice(0, 1_000), link, points, unread, words: said }
    },

    async logs({ service: named, from, to, level }) {
      const { service, environment } = await place(named)
      const source = pick(environment, 'logs')
      const nothing = { service, environment, from, to, source: source?.id ?? 'none', query: `logs(${service})`, link: null }
      const empty = { ...nothing, lines: 0, omitted: 0, unread: null, patterns: [], latest: [] }
      if (!source) return { ...empty, words: `No source of logs reaches ${environment}.` }
      const answer = await ask((signal) => source.port.read({ service, from, to, level, limit: LINES_READ, keep: 'newest', signal }))
      if (!answer.ok) return { ...empty, words: `They could not be read: ${answer.words}.` }
      const { query, link, omitted, unread = null } = answer.value
      const lines = answer.value.lines.slice(-LINES_READ)
      return {
        ...nothing,
        query: query.slice(0, 1_000),
        link,
        lines: lines.length,
        omitted: omitted + answer.value.lines.length - lines.length,
        unread,
        patterns: logPatterns(lines),
        latest: lines
          .toSorted((a, b) => b.at.getTime() - a.at.getTime())
          .slice(0, LATEST)
          .map(({ at, level, text, version }) => ({ at, level, text: oneLine(text, LINE_MAX), version })),
        words: lines.length === 0 ? 'There are no lines.' : null,
      }
    },
  }
}
