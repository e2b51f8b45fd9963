import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import type { MeasureKind, Track } from '../../agent/diagnosis/ranking/tracks.ts'
import type { Edge } from '../../agent/topology/dependency-graph.ts'
import type { RcaCase } from './case.ts'
import { numberIn, readCsv } from './csv.ts'

const KINDS: Readonly<Record<string, MeasureKind>> = { latency: 'latency', availability: 'errors', requests: 'traffic' }

/** X-Ray's names for what it knows only from the calling side: an address, and the calls of a client. */
const CALLERS_SIDE = /_(remote|client)$/

const targetSchema = z.object({
  target: z.object({ node: z.string(), metric: z.string(), timestamp: z.number() }),
  root_cause: z.object({ node: z.string().nullish() }).nullish(),
})

type Columns = Map<string, Track & { points: [number, number][] }>

/** `<traffic>/graph.csv`, `<traffic>/noissue/…/metrics.csv` and `<traffic>/{train,test}/<issue>/{metrics.csv,target.json}`. */
export function readPetShop(dir: string): RcaCase[] {
  const normals = new Map<string, Columns>()
  const graphs = new Map<string, Edge[]>()
  return globSync('**/target.json', { cwd: dir })
    .map((path) => dirname(path))
    .sort()
    .map((folder) => {
      const root = rootOf(dir, folder)
      const normal = normals.get(root) ?? readAll(globSync('noissue/**/metrics.csv', { cwd: root }).map((path) => join(root, path)))
      const calls = graphs.get(root) ?? readGraph(join(root, 'graph.csv'))
      normals.set(root, normal)
      graphs.set(root, calls)
      return readCase(dir, folder, normal, calls)
    })
}

/** The nearest folder above that has the graph. */
function rootOf(dir: string, folder: string): string {
  let root = join(dir, folder)
  while (!existsSync(join(root, 'graph.csv')) && root !== dir) root = dirname(root)
  return root
}

function readCase(dir: string, folder: string, normal: Columns, calls: readonly Edge[]): RcaCase {
  const { target, root_cause } = targetSchema.parse(JSON.parse(readFileSync(join(dir, folder, 'target.json'), 'utf8')))
  const issue = readAll([join(dir, folder, 'metrics.csv')])
  const earliest = Math.min(...[...issue.values()].flatMap(({ points }) => (points[0] ? [points[0][0]] : [])))
  const tracks = [...issue].map(([key, track]) => ({
    ...track,
    points: [...before(normal.get(key)?.points ?? [], earliest), ...track.points],
  }))
  return {
    id: folder,
    dataset: 'PetShop',
    question: {
      tracks,
      calls,
      noticedAt: target.timestamp,
      symptom: { component: target.node, kind: KINDS[target.metric] ?? 'other' },
      seenByCallersOnly: new Set(tracks.map(({ component }) => component).filter((name) => CALLERS_SIDE.test(name))),
    },
    truth: root_cause?.node ?? null,
  }
}

/** The recording without an issue is from another day: its rows are laid before the issue, in their order and with their distances. */
function before(points: readonly [number, number][], earliest: number): [number, number][] {
  const last = points.at(-1)
  const step = points[1] && points[0] ? points[1][0] - points[0][0] : 0
  return last ? points.map(([at, value]) => [at - last[0] + earliest - step, value]) : []
}

/** Three rows of headings: component, metric, statistic. */
function readAll(paths: readonly string[]): Columns {
  const columns: Columns = new Map()
  for (const path of paths.toSorted()) {
    const [components = [], metrics = [], statistics = [], ...rows] = readCsv(path)
    for (const row of rows) {
      const at = numberIn(row[0])
      if (at === null) continue
      for (let i = 1; i < components.length; i += 1) {
        const value = numberIn(row[i])
        const metric = metrics[i] ?? ''
        const key = `${components[i]} ${metric} ${statistics[i]}`
        const column = columns.get(key) ?? {
          component: components[i] ?? '',
          metric: `${metric} ${statistics[i]}`,
          kind: KINDS[metric] ?? 'other',
          points: [],
        }
        columns.set(key, column)
        // Availability is told in per cent; what is missing of it is the share of errors.
        if (value !== null) column.points.push([at, column.kind === 'errors' ? 1 - value / 100 : value])
      }
    }
  }
  return columns
}

/** The row calls the column. */
function readGraph(path: string): Edge[] {
  const [header = [], ...rows] = readCsv(path)
  return rows.flatMap(([from = '', ...cells]) => cells.flatMap((cell, i) => (numberIn(cell) ? [{ from, to: header[i + 1] ?? '' }] : [])))
}
