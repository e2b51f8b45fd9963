import type { LogLine, LogsPort } from '../../integrations/ports/logs.ts'
import type { Workload } from '../../integrations/ports/workloads.ts'
import type { Alert } from '../domain/alert.ts'
import { askSource } from '../investigation/ask-source.ts'
import { oneLine } from '../investigation/outside-text.ts'
import { sourcesFor } from '../investigation/scope.ts'
import { SOURCE } from './found-alert.ts'
import { learnHeader } from './log-header.ts'
import { createLogTemplates, type LogTemplates } from './log-templates.ts'
import { newRate, type RateNews, type TemplateRate, takeLine } from './template-rates.ts'
import type { WatchDeps } from './watch-services.ts'
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
  told: Map<number, { alert: Alert; last: Date }>
}

/** Watches the error lines of every service for templates that are new or come far more often than ever, and raises them as alerts. Once a minute, however often it is called. */
export function createLogWatch(deps: WatchDeps): Watched {
  const logs = new Map<string, WatchedLog>()
  let lookedAt = Number.NEGATIVE_INFINITY

  const look = async (workload: Workload): Promise<Alert[]> => {
    const { service, environment } = workload
    const port = sourcesFor(deps.sources, environment).flatMap((source) => (source.logs ? [source.logs] : []))[0]
    if (!port) return []
    const key = `${environment}/${service}`
    const now = deps.now()
    const watched = logs.get(key) ?? { templates: null, rates: new Map(), readTo: new Date(now.getTime() - HISTORY_MS), told: new Map() }
    logs.set(key, watched)
    const lines = await read(port, service, watched.readTo, now)
    if (lines === null) return []
    const isFirst = watched.templates === null
    watched.readTo = now
    watched.templates ??= createLogTemplates(learnHeader(lines.map(({ text }) => text)))
    return [...takeLines(watched, watched.templates, lines, { workload, isFirst }), ...over(watched, now)]
  }
  const read = async (port: LogsPort, service: string, from: Date, to: Date): Promise<LogLine[] | null> => {
    const signal = AbortSignal.timeout(READ_DEADLINE_MS)
    const answer = await askSource(
      (given) => port.read({ service, from, to, level: 'error', limit: MOST_LINES, signal: given }),
      signal,
      deps.log,
    )
    if (!answer.ok) return null
    // Both ends of a window belong to it: what was read before is not counted again.
    return answer.value.lines.filter(({ at }) => at > from).toSorted((a, b) => a.at.getTime() - b.at.getTime())
  }

  return {
    isNeeded: () =>
      deps.sources.some((source) => source.logs && source.environments.some((environment) => !deps.exceptIn.includes(environment))),
    async round() {
      if (deps.now().getTime() - lookedAt < EVERY_MS) return
      lookedAt = deps.now().getTime()
      const { workloads } = await deps.topology.inventory()
      for (const workload of workloads.filter(({ environment }) => !deps.exceptIn.includes(environment))) {
        const alerts = await look(workload)
        if (alerts.length > 0) await deps.raise(alerts)
      }
    },
  }
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
    return { ...alert, status: 'resolved', endsAt: last.toISOString(), summary: `Over: ${alert.summary}` }
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
