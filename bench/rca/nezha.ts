import { existsSync, globSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { z } from 'zod'
import type { MeasureKind, Track } from '../../agent/diagnosis/ranking/tracks.ts'
import type { Edge } from '../../agent/topology/dependency-graph.ts'
import type { RcaCase } from './case.ts'
import { numberIn, readCsv } from './csv.ts'

/** How far back a ranking looks, and how long after the fault it is asked. */
const BEFORE_SECONDS = 3_600
const AFTER_SECONDS = 300

const KINDS: readonly (readonly [RegExp, MeasureKind])[] = [
  // What its node does is shared by all pods of the node.
  [/^Node/, 'other'],
  [/^Cpu/, 'cpu'],
  [/^Memory/, 'memory'],
  [/^(Syscall|Network)/, 'io'],
  [/^PodClientLatency/, 'calls'],
  [/^PodServerLatency/, 'latency'],
  [/^PodWorkload/, 'traffic'],
]
const LEFT_OUT = new Set(['Time', 'TimeStamp', 'PodName', 'PodSuccessRate(%)'])

const faultSchema = z.object({ inject_time: z.string(), inject_pod: z.string().nullish() })
const faultListSchema = z.record(z.string(), z.array(faultSchema))

/** `…/<day>/metric/*.csv` and the day's list of faults. The text times are right, the numeric ones are not on every day. */
export function readNezha(dir: string): RcaCase[] {
  return globSync('**/metric', { cwd: dir })
    .sort()
    .flatMap((metric) => {
      const folder = join(dir, metric)
      const day = basename(dirname(folder))
      const list = faultListOf(dir, folder, day)
      if (list === null) return []
      const tracks = [...podTracks(folder), ...networkTracks(folder)]
      const calls = readCalls(join(folder, 'dependency.csv'))
      return list.map((fault) => readCase(day, fault, tracks, calls))
    })
}

function faultListOf(dir: string, metric: string, day: string): z.infer<typeof faultSchema>[] | null {
  const name = `${day}-fault_list.json`
  const path = [join(dirname(metric), name), ...globSync(`**/${name}`, { cwd: dir }).map((found) => join(dir, found))].find((each) =>
    existsSync(each),
  )
  if (path === undefined) return null
  return Object.values(faultListSchema.parse(JSON.parse(readFileSync(path, 'utf8')))).flat()
}

function readCase(day: string, fault: z.infer<typeof faultSchema>, tracks: readonly Track[], calls: Edge[]): RcaCase {
  const noticedAt = secondsOf(fault.inject_time)
  const within = ([at]: readonly [number, number]): boolean => at >= noticedAt - BEFORE_SECONDS && at < noticedAt + AFTER_SECONDS
  return {
    id: `${day}/${fault.inject_time}`,
    dataset: 'Nezha',
    question: {
      tracks: tracks.map((track) => ({ ...track, points: track.points.filter(within) })),
      calls,
      noticedAt,
      symptom: null,
      seenByCallersOnly: new Set(),
    },
    truth: fault.inject_pod ? withoutHash(fault.inject_pod) : null,
  }
}

/** `2022-08-23 12:01:25` with anything behind it, in UTC. */
function secondsOf(text: string): number {
  return Date.parse(`${text.slice(0, 10)}T${text.slice(11, 19)}Z`) / 1_000
}

function withoutHash(pod: string): string {
  return pod.replace(/-[a-z0-9]{6,10}-[a-z0-9]{5}$/, '')
}

function podTracks(folder: string): Track[] {
  return globSync('*_metric.csv', { cwd: folder })
    .sort()
    .flatMap((name) => {
      const [header = [], ...rows] = readCsv(join(folder, name))
      const component = withoutHash(name.replace(/_metric\.csv$/, ''))
      return header
        .filter((metric) => !LEFT_OUT.has(metric))
        .map((metric) => {
          const kind = KINDS.find(([pattern]) => pattern.test(metric))?.[1] ?? 'other'
          return { component, metric, kind, points: pointsOf(header, rows, metric) }
        })
    })
}

/** What the caller waited beyond what the called took: the time between them. */
function networkTracks(folder: string): Track[] {
  const [source, destination] = ['source_50.csv', 'destination_50.csv'].map((name) => join(folder, name))
  if (source === undefined || destination === undefined || !existsSync(source) || !existsSync(destination)) return []
  const [header = [], ...rows] = readCsv(source)
  const [ends = [], ...endRows] = readCsv(destination)
  return header.slice(2).flatMap((pair) => {
    const [caller, component] = pair.split('_')
    if (caller === undefined || component === undefined) return []
    const served = new Map(pointsOf(ends, endRows, pair).map(([at, value]) => [Math.round(at / 60), value]))
    const points = pointsOf(header, rows, pair).flatMap(([at, value]): [number, number][] => {
      const end = served.get(Math.round(at / 60))
      return end === undefined ? [] : [[at, value - end]]
    })
    return [{ component, caller, metric: 'network', kind: 'network' as const, points }]
  })
}

function pointsOf(header: readonly string[], rows: readonly string[][], name: string): [number, number][] {
  const column = header.indexOf(name)
  return rows.flatMap((row): [number, number][] => {
    const value = numberIn(row[column])
    return value === null ? [] : [[secondsOf(row[0] ?? ''), value]]
  })
}

/** Lines whose target is an address say where something runs, not whom it calls. */
function readCalls(path: string): Edge[] {
  if (!existsSync(path)) return []
  const [, ...rows] = readCsv(path)
  return rows.flatMap(([from = '', to = '']) => (/^[\d.]+$/.test(to) ? [] : [{ from, to }]))
}
