import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { ANNOUNCED, newSeries, scorePoint } from '../../agent/detection/score-series.ts'
import { readCsv } from '../csv.ts'
import type { Figure } from '../report.ts'
import type { BenchOptions } from '../run.ts'
import { createEwma } from './ewma.ts'
import { sampleSeries } from './sample-series.ts'
import { bestThreshold, normalised, probation, rawScore, type Scored } from './scoring.ts'

/** One file: its name is `<group>/<file>.csv`. */
export interface Series {
  name: string
  times: readonly string[]
  values: readonly number[]
  /** First and last point of each labelled window; null where the labels are kept elsewhere. */
  windows: readonly (readonly [number, number])[] | null
}

type Detector = () => (value: number, at: number) => number

const DETECTORS: Readonly<Record<string, Detector>> = {
  steadyhand: () => {
    const state = newSeries()
    return (value, at) => scorePoint(state, value, at).score
  },
  ewma: () => createEwma(),
}
const DAY_SECONDS = 86_400

/** `data/<group>/<file>.csv` below the data folder, labels in `windows.json` beside `data`; scores of every file are written where `--out` says. */
export async function run({ data, out }: BenchOptions): Promise<readonly Figure[]> {
  const series = data === null ? sampleSeries() : readSeries(data)
  if (series.length === 0) throw new Error('The data folder holds no data/<group>/<file>.csv.')
  const began = process.cpuUsage()
  const own = series.map((each) => scoresOf(each, DETECTORS['steadyhand']))
  const { user, system } = process.cpuUsage(began)
  if (out !== null) writeScores(out, series, own)
  const points = series.reduce((sum, { values }) => sum + values.length, 0)
  const speed = { name: 'points scored by one core', value: Math.round(points / ((user + system) / 1e6)), unit: '1/s', n: points }
  return [...groupFigures(series, own), speed]
}

function readSeries(data: string): Series[] {
  const path = ['windows.json', 'labels/combined_windows.json'].map((name) => join(data, name)).find((each) => existsSync(each))
  const labels =
    path === undefined
      ? null
      : z.record(z.string(), z.array(z.tuple([z.string(), z.string()]))).parse(JSON.parse(readFileSync(path, 'utf8')))
  return globSync('data/*/*.csv', { cwd: data })
    .toSorted()
    .map((file) => {
      const rows = readCsv(readFileSync(join(data, file), 'utf8')).slice(1)
      const name = file.slice('data/'.length)
      const times = rows.map(([time = '']) => time)
      const windows = labels?.[name]?.map((ends) => {
        const [first = 0, last = 0] = ends.map((end) => times.indexOf(end.replace(/\.\d+$/, '')))
        return [first, last] as const
      })
      return { name, times, values: rows.map(([, value]) => Number(value)), windows: windows ?? null }
    })
}

function scoresOf({ times, values }: Series, detector: Detector | undefined): number[] {
  const score = detector?.()
  return score ? values.map((value, index) => score(value, secondsOf(times[index] ?? ''))) : []
}

const secondsOf = (time: string): number => Date.parse(`${time.replace(' ', 'T')}Z`) / 1_000

function writeScores(out: string, series: readonly Series[], scores: readonly (readonly number[])[]): void {
  for (const [index, { name, times }] of series.entries()) {
    const path = join(out, name)
    mkdirSync(dirname(path), { recursive: true })
    const rows = times.map((time, at) => `${time},${scores[index]?.[at] ?? 0}`)
    writeFileSync(path, `timestamp,anomaly_score\n${rows.join('\n')}\n`)
  }
  writeFileSync(join(out, 'threshold.txt'), `${ANNOUNCED}\n`)
}

/** Per group of files: with the threshold that the benchmark chooses, with the shipped one, and the peer's; where there are labels. */
function groupFigures(series: readonly Series[], own: readonly (readonly number[])[]): Figure[] {
  const labelled = series.flatMap((each, index) => {
    if (each.windows === null) return []
    const peer = scoresOf(each, DETECTORS['ewma'])
    const [group = ''] = each.name.split('/')
    const { windows, times } = each
    return [{ group, own: { scores: own[index] ?? [], windows }, peer: { scores: peer, windows }, days: daysOf(times) }]
  })
  const groups = Map.groupBy(labelled, ({ group }) => group)
  return [...groups].flatMap(([group, files]) => {
    const [scored, peers] = [files.map((file) => file.own), files.map((file) => file.peer)]
    const days = files.reduce((sum, file) => sum + file.days, 0)
    const n = files.length
    return [
      ...standing(group, 'best threshold', n, scored, bestThreshold(scored).threshold),
      ...standing(group, 'shipped threshold', n, scored, ANNOUNCED),
      ...standing(group, 'EWMA, its best threshold', n, peers, bestThreshold(peers).threshold),
      { name: `${group}: announced outside of windows`, value: falseAlarms(scored) / days, unit: 'a day', n },
    ]
  })
}

/** In a group without any anomaly every detection costs, and what it costs is the score. */
function standing(group: string, what: string, n: number, files: readonly Scored[], threshold: number): Figure[] {
  const windows = files.reduce((sum, file) => sum + file.windows.length, 0)
  const raw = files.reduce((sum, file) => sum + rawScore(file, threshold), 0)
  const value = normalised(raw, windows)
  return [
    value === null ? { name: `${group}: cost, ${what}`, value: raw, unit: '', n } : { name: `${group}: NAB, ${what}`, value, unit: '', n },
  ]
}

function falseAlarms(files: readonly Scored[]): number {
  const outside = ({ scores, windows }: Scored): number =>
    scores.filter(
      (score, at) => score >= ANNOUNCED && at >= probation(scores.length) && !windows.some(([first, last]) => at >= first && at <= last),
    ).length
  return files.reduce((sum, file) => sum + outside(file), 0)
}

function daysOf(times: readonly string[]): number {
  return (secondsOf(times.at(-1) ?? '') - secondsOf(times[0] ?? '')) / DAY_SECONDS
}
