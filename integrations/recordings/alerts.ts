import type { PlatformAlert } from '../ports/cluster-state.ts'
import { jsonOf } from './answers.ts'
import { type JsonObject, momentIn, objectsWithin, scalarsOf, stringOf } from './json-text.ts'
import { readTable } from './tables.ts'

const MAX_ALERTS = 500
const MAX_SUMMARY = 400
const NAMES = ['alertname', 'alert', 'alert_name', 'name', 'metric', 'rule', 'type']
/** From the most particular thing an alert may be about to the least. */
const ABOUT = ['app', 'service', 'deployment', 'workload', 'statefulset', 'pod', 'container', 'job_name', 'node', 'host', 'instance']
const WORDS = ['summary', 'description', 'message']
const IS_OVER = /^(resolved|inactive|ok|normal|suppressed|pending)$/i
const IS_NONE = /^\s*(no (active |firing )?alerts|none\s*$|\[\]|no resources found)/i

/** Alerts as Alertmanager, Prometheus, a table or plain lines tell them. */
export function alertsIn(text: string): PlatformAlert[] {
  if (IS_NONE.test(text)) return []
  const json = jsonOf(text)
  if (json !== undefined) {
    const told = objectsWithin(json, (object) => alertOfObject(object).length > 0).flatMap(alertOfObject)
    return (told.length > 0 ? told : objectsWithin(json).flatMap(alertsByName)).slice(0, MAX_ALERTS)
  }
  const rows = readTable(text, /^\s*(NAME|ALERT|ALERTNAME|SERVICE|NAMESPACE|STATE)\b/)
  if (rows.length > 0)
    return rows
      .flatMap((row) => alertOfObject(Object.fromEntries(Object.entries(row).map(([key, value]) => [key.toLowerCase(), value]))))
      .slice(0, MAX_ALERTS)
  return text
    .split('\n')
    .filter((line) => /\w/.test(line))
    .slice(0, MAX_ALERTS)
    .map((line) => ({
      name: line.trim().slice(0, 80),
      about: aboutIn(line),
      summary: line.trim().slice(0, MAX_SUMMARY),
      firing: true,
      since: null,
    }))
}

function alertOfObject(object: JsonObject): PlatformAlert[] {
  const labels = { ...scalarsOf(object), ...scalarsOf(object['labels']) }
  const name = NAMES.map((key) => labels[key]).find((each) => each !== undefined && each !== '')
  const about = [...ABOUT, 'about'].map((key) => labels[key]).find((each) => each !== undefined && each !== '' && each !== '<none>')
  const said = { ...labels, ...scalarsOf(object['annotations']) }
  const summary = WORDS.map((key) => said[key]).find((each) => each !== undefined)
  const isAlert = labels['alertname'] !== undefined || summary !== undefined || about !== undefined
  if (name === undefined || !isAlert) return []
  const state = stringOf(object['state']) ?? stringOf(object['status']) ?? scalarsOf(object['status'])['state'] ?? 'firing'
  return [
    {
      name: name.slice(0, 200),
      about: about ?? null,
      summary: (summary ?? inWords(labels)).slice(0, MAX_SUMMARY),
      firing: !IS_OVER.test(state),
      since: momentIn(labels['startsAt'] ?? labels['activeAt'] ?? labels['since']),
    },
  ]
}

/** Lists of words under the name they are about: `{"cart":["CPU at 99%"]}`. */
function alertsByName(object: JsonObject): PlatformAlert[] {
  return Object.entries(object).flatMap(([about, value]) =>
    (Array.isArray(value) ? (value as unknown[]) : []).flatMap((each): PlatformAlert[] => {
      const summary = stringOf(each)?.slice(0, MAX_SUMMARY)
      return summary === undefined ? [] : [{ name: summary.slice(0, 80), about, summary, firing: true, since: null }]
    }),
  )
}

function inWords(fields: Readonly<Record<string, string>>): string {
  return Object.entries(fields)
    .map(([key, value]) => `${key} ${value}`)
    .join(', ')
}

function aboutIn(line: string): string | null {
  return /\b(?:app|service|deployment|workload|pod|node)["' ]*[=:/]["' ]*([\w.-]+)/i.exec(line)?.[1] ?? null
}
