import { globSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { MeasureKind, Track } from '../../agent/diagnosis/ranking/tracks.ts'
import type { RcaCase } from './case.ts'
import { numberIn, readCsv } from './csv.ts'

/** What the last part of a column's name says it measures. */
const KINDS: readonly (readonly [RegExp, MeasureKind])[] = [
  [/^cpu/, 'cpu'],
  [/^mem/, 'memory'],
  [/^(disk|socket|fs|io|net)/, 'io'],
  [/^(lat|latency)/, 'latency'],
  [/^(err|error)/, 'errors'],
  [/^(lod|load|workload|rps|req)/, 'traffic'],
]

/** `<case>/<n>/{normal,anomalous}.csv`: one second a row, one metric a column named `service_metric`. */
export function readSockShop(dir: string, lateSeconds: number): RcaCase[] {
  return globSync('**/anomalous.csv', { cwd: dir })
    .map((path) => dirname(path))
    .sort()
    .map((folder) => readCase(dir, folder, lateSeconds))
}

function readCase(dir: string, folder: string, lateSeconds: number): RcaCase {
  const normal = columnsOf(join(dir, folder, 'normal.csv'))
  const anomalous = columnsOf(join(dir, folder, 'anomalous.csv'))
  const start = Math.min(...[...anomalous.values()].flatMap(([first]) => (first ? [first[0]] : [])))
  const end = Math.max(...[...normal.values()].flatMap((points) => points.at(-1)?.[0] ?? []))
  // The two were not always recorded in this order: what is normal is laid right before what is not.
  const shifted = ([at, value]: readonly [number, number]): [number, number] => [at - end + start - 1, value]
  const names = [...new Set([...normal.keys(), ...anomalous.keys()])]
  const tracks = names.map((name) => toTrack(name, [...(normal.get(name) ?? []).map(shifted), ...(anomalous.get(name) ?? [])]))
  const services = new Set(tracks.map(({ component }) => component))
  return {
    id: folder,
    dataset: 'Sock Shop',
    question: { tracks, calls: [], noticedAt: start + lateSeconds, symptom: null, seenByCallersOnly: new Set() },
    truth: serviceNamed(folder, services),
  }
}

function columnsOf(path: string): Map<string, [number, number][]> {
  const [header = [], ...rows] = readCsv(path)
  const time = header.indexOf('time')
  const columns = header.map((name) => [name, [] as [number, number][]] as const).filter(([name]) => name !== 'time' && name !== '')
  const places = columns.map(([name]) => header.indexOf(name))
  for (const row of rows) {
    const at = numberIn(row[time])
    if (at === null) continue
    for (const [i, [, points]] of columns.entries()) {
      const value = numberIn(row[places[i] ?? -1])
      if (value !== null) points.push([at, value])
    }
  }
  return new Map(columns)
}

function toTrack(name: string, points: readonly (readonly [number, number])[]): Track {
  const [service = name, measure = ''] = splitName(name)
  const kind = KINDS.find(([pattern]) => pattern.test(measure))?.[1] ?? 'other'
  return { component: service, metric: measure, kind, points }
}

function splitName(name: string): string[] {
  const cut = name.indexOf('_')
  return cut < 0 ? [name] : [name.slice(0, cut), name.slice(cut + 1)]
}

/** The labelled folders are named `service-fault`; a folder without a known service in front is held out. */
function serviceNamed(folder: string, services: ReadonlySet<string>): string | null {
  const [name = ''] = folder.split('/').slice(-2)
  const service = name.replace(/-[a-z]+$/, '')
  return services.has(service) ? service : null
}
