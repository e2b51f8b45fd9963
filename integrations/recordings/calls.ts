import { jsonOf } from './answers.ts'
import { type JsonObject, objectsWithin, stringOf } from './json-text.ts'
import { readTable } from './tables.ts'

type Call = { from: string; to: string }

const MAX_CALLS = 2_000
/** Names are short: what is longer is no line of calls, and would take long to look through. */
const MAX_LINE = 400
const FROM = ['from', 'source', 'caller', 'parent', 'client']
const TO = ['to', 'target', 'callee', 'child', 'destination', 'server']
const SELF = ['service', 'app', 'name']
const DOWN = ['calls', 'depends_on', 'dependsOn', 'dependencies', 'downstream', 'callees', 'outbound']
const UP = ['called_by', 'calledBy', 'callers', 'upstream', 'inbound', 'dependents']
const ARROW = /([\w.-]+)\s*(?:-{1,3}>|→|=>)\s*(?=([\w.-]+))/g

/** Who calls whom, as it is told of an app: edges, lists, a table, arrows, or lists below a heading. */
export function callsIn(text: string, app: string | undefined): Call[] {
  const json = jsonOf(text)
  const calls = json === undefined ? callsOfText(text, app) : objectsWithin(json).flatMap((object) => callsOfObject(object, app))
  return [...new Map(calls.map((call) => [`${call.from} ${call.to}`, call])).values()]
    .filter(({ from, to }) => from !== to)
    .slice(0, MAX_CALLS)
}

function callsOfObject(object: JsonObject, app: string | undefined): Call[] {
  const named = (keys: readonly string[]): string | undefined => keys.map((key) => stringOf(object[key])).find((each) => each !== undefined)
  const [from, to] = [named(FROM), named(TO)]
  if (from !== undefined && to !== undefined) return [{ from, to }]
  const self = named(SELF) ?? app
  if (self === undefined) return []
  return [
    ...DOWN.flatMap((key) => namesIn(object[key]).map((each) => ({ from: self, to: each }))),
    ...UP.flatMap((key) => namesIn(object[key]).map((each) => ({ from: each, to: self }))),
  ]
}

function namesIn(value: unknown): string[] {
  if (!Array.isArray(value)) return []
  return value.flatMap((each: unknown) => {
    if (typeof each === 'string') return [each]
    const [object] = objectsWithin(each)
    return SELF.map((key) => stringOf(object?.[key])).find((name) => name !== undefined) ?? []
  })
}

function callsOfText(text: string, app: string | undefined): Call[] {
  const table = readTable(text, /^\s*(FROM|SOURCE|CALLER)\b/).map((row) => Object.values(row))
  if (table.length > 0) return table.flatMap(([from, to]) => (from && to ? [{ from, to }] : []))
  const lines = text.split('\n').map((line) => line.slice(0, MAX_LINE))
  const arrows = lines.flatMap((line) => [...line.matchAll(ARROW)].map(([, from = '', to = '']) => ({ from, to })))
  return arrows.length > 0 || app === undefined ? arrows : listedBelow(lines, app)
}

/** `Downstream: cart, stock`, or a heading with one name a line below it. */
function listedBelow(lines: readonly string[], app: string): Call[] {
  let direction: 'down' | 'up' | null = null
  return lines.flatMap((line): Call[] => {
    const heading = /(downstream|depends on|dependencies|calls|outbound)|(upstream|called by|callers|dependents|inbound)/i.exec(line)
    if (heading) direction = heading[2] === undefined ? 'down' : 'up'
    const names = heading ? line.slice(heading.index + heading[0].length) : line
    const way = direction
    if (way === null) return []
    const found = [...names.matchAll(/[a-z][a-z\d-]*(?![\w ]*:)/g)].map(([name]) => name).filter((name) => name !== 'none')
    // A sentence is no list.
    if (/\w \w+ \w/.test(names)) return []
    return found.map((name) => (way === 'down' ? { from: app, to: name } : { from: name, to: app }))
  })
}
