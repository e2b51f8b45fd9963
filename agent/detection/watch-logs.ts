import type { LogLine, LogsPort } from '../../integrations/ports/logs.ts'
import type { Workload } from '../../integrations/ports/workloads.ts'
import type { Alert } from '../domain/alert.ts'
import { askSource } from '../investigation/ask-source.ts'
import { oneLine } from '../investigation/outside-text.ts'
import { type Source, sourcesFor } from '../investigation/scope.ts'
import type { Inventory } from '../topology/inventory.ts'
import { overAlert, SOURCE } from './found-alert.ts'
import { learnHeader } from './log-header.ts'
import { createLogTemplates, type LogTemplates } from './log-templates.ts'
import { createReach } from './reach.ts'
import { newRate, type RateNews, type TemplateRate, takeLine } from './template-rates.ts'
import { LEFT_MS, type WatchDeps } from './watch-services.ts'
import type { Watched } from './watch-turn.ts'

/** What is learned from at the start; nothing of it is told. */
const HISTORY_MS = 60 * 60_000
const MOST_LINES = 2_000
const READ_DEADLINE_MS = 5_000
const MINUTE_MS = 60_000
/** A told template is over when it was not seen for so long. */
const QUIET_MS = 5 * 60_000
const TEXT_MAX = 300
const EVERY_MS = 60_000
/** Templates whose rate is kept for a service, and told ones at a time: whoever writes many different lines calls nobody more often. */
const MOST_RATES = 4_096
const MOST_TOLD = 5

interface WatchedLog {
  templates: LogTemplates | null
  rates: Map<number, TemplateRate>
  /** Up to where lines were read. */
  readTo: Date
  /** When the service was last in the inventory. */
  listedAt: number
  told: Map<number, { alert: Alert; last: Date }>
}

/** Watches the error lines of every service for templates that are new or come far more often than ever, and raises them as alerts. Once a minute, however often it is called; only where a store has the logs. */
export function createLogWatch(deps: WatchDeps): Watched {
  const logs = new Map<string, WatchedLog>()
  const reach = createReach('logs', deps.log)
  let lookedAt = Number.NEGATIVE_INFINITY
  let under: Promise<void> | null = null

  const look = async (workload: Workload, signal: AbortSignal): Promise<Alert[]> => {
    const { environment } = workload
    const port = sourcesFor(deps.sources, environment).flatMap((source) => watchable(source))[0]
    if (!port || reach.isAway(environment)) return []
    const now = deps.now()
    const watched = logs.get(keyOf(workload)) ?? newLog(now)
    logs.set(keyOf(workload), watched)
    const lines = await read(port, workload, { from: watched.readTo, to: now }, signal)
    if (lines === null) return []
    const isFirst = watched.templates === null
    watched.readTo = now
    watched.templates ??= createLogTemplates(learnHeader(lines.map(({ text }) => text)))
    return [...takeLines(watched, watched.templates, lines, { workload, isFirst }), ...over(watched, now)]
  }
  const read = async (
    port: LogsPort,
    { service, environment }: Workload,
    { from, to }: { from: Date; to: Date },
    signal: AbortSignal,
  ): Promise<LogLine[] | null> => {
    const answer = await askSource(
      (given) => port.read({ service, from, to, level: 'error', limit: MOST_LINES, signal: given }),
      AbortSignal.any([signal, AbortSignal.timeout(READ_DEADLINE_MS)]),
      deps.log,
    )
    if (signal.aborted) return null
    reach.heard(environment, service, answer)
    if (!answer.ok) return null
    // Both ends of a window belong to it: what was read before is not counted again.
    return answer.value.lines.filter(({ at }) => at > from).toSorted((a, b) => a.at.getTime() - b.at.getTime())
  }
  /** Lets go of services that are no longer there, and ends what was told of them. While a platform cannot be read nobody knows what is there. */
  const dropLeft = ({ workloads, missing }: Inventory): Alert[] => {
    const now = deps.now()
    for (const workload of workloads) {
      const watched = logs.get(keyOf(workload))
      if (watched) watched.listedAt = now.getTime()
    }
    if (missing.length > 0) return []
    const left = [...logs].filter(([, { listedAt }]) => now.getTime() - listedAt > LEFT_MS)
    for (const [key] of left) logs.delete(key)
    return left.flatMap(([, { told }]) => [...told.values()].map(({ alert }) => overAlert(alert, now)))
  }
  const run = async (signal: AbortSignal): Promise<void> => {
    reach.begin()
    const inventory = await deps.topology.inventory()
    const raise = async (alerts: readonly Alert[]): Promise<void> => {
      if (alerts.length > 0 && !signal.aborted) await deps.raise(alerts)
    }
    await raise(dropLeft(inventory))
    for (const workload of inventory.workloads) {
      if (signal.aborted) return
      if (!deps.exceptIn.includes(workload.environment)) await raise(await look(workload, signal))
    }
  }

  return {
    isNeeded: () =>
      deps.sources.some(
        (source) => watchable(source).length > 0 && source.environments.some((environment) => !deps.exceptIn.includes(environment)),
      ),
    async round(signal) {
      if (under === null && deps.now().getTime() - lookedAt < EVERY_MS) return
      // A round may take longer than a minute: one that is under way is joined.
      if (under === null) lookedAt = deps.now().getTime()
      under ??= run(signal).finally(() => {
        under = null
      })
      await under
    },
  }
}

function watchable({ logs }: Source): LogsPort[] {
  return logs?.mayBeWatched ? [logs] : []
}

function keyOf({ environment, service }: Workload): string {
  return `${environment}/${service}`
}

function newLog(now: Date): WatchedLog {
  const readTo = new Date(now.getTime() - HISTORY_MS)
  return { templates: null, rates: new Map(), readTo, listedAt: now.getTime(), told: new Map() }
}

function takeLines(
  watched: WatchedLog,
  templates: LogTemplates,
  lines: readonly LogLine[],
  { workload, isFirst }: { workload: Workload; isFirst: boolean },
): Alert[] {
  return lines.flatMap(({ text, at }) => {
    const { id, text: template } = templates.templateOf(templates.add(text))
    const minute = Math.floor(at.getTime() / MINUTE_MS)
    const rate = watched.rates.get(id) ?? newRate(minute, isFirst)
    if (watched.rates.size >= MOST_RATES) watched.rates.delete(watched.rates.keys().next().value ?? id)
    watched.rates.set(id, rate)
    const news = takeLine(rate, minute)
    const told = watched.told.get(id)
    if (told) told.last = at
    if (news === null || isFirst || told || watched.told.size >= MOST_TOLD) return []
    const alert = logAlert(workload, news, template, rate.count, at)
    watched.told.set(id, { alert, last: at })
    return [alert]
  })
}

function over({ told }: WatchedLog, now: Date): Alert[] {
  const quiet = [...told].filter(([, { last }]) => now.getTime() - last.getTime() >= QUIET_MS)
  return quiet.map(([id, { alert, last }]) => {
    told.delete(id)
    return overAlert(alert, last)
  })
}

function logAlert({ service, environment }: Workload, news: RateNews, template: string, count: number, at: Date): Alert {
  const name = news === 'new' ? 'New error in the log' : 'Surge of an error in the log'
  const words =
    news === 'new'
      ? `${service} logs an error that was not seen before`
      : `${service} logs an error far more often than ever, ${count} times within a minute`
  return {
    ...{ source: SOURCE, key: `${SOURCE}/${environment}/${service}/log/${news}/${at.toISOString()}`, name, status: 'firing' },
    ...{ level: 'warning', service, environment, summary: `${words}: ${oneLine(template, TEXT_MAX)}` },
    ...{
      labels: { alertname: name, service, environment },
      annotations: {},
      startsAt: at.toISOString(),
      endsAt: null,
      link: null,
      trigger: null,
    },
  }
}
