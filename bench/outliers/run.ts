import { takePoint, watchSeries } from '../../agent/detection/watch-series.ts'
import type { MeasureKind, Track } from '../../agent/diagnosis/ranking/tracks.ts'
import type { MetricName } from '../../integrations/ports/metrics.ts'
import type { RcaCase } from '../rca/case.ts'
import { readPetShop } from '../rca/petshop.ts'
import type { Figure } from '../report.ts'
import type { BenchOptions } from '../run.ts'
import { aloneness, growForest } from './isolation-forest.ts'

const METRICS: Partial<Record<MeasureKind, MetricName>> = { latency: 'latency_p99', errors: 'error_ratio', traffic: 'request_rate' }
/** Rows of a day, from which a forest learns before it is asked about another. */
const DAY = 288
/** Of its own rows, so many stand more alone than this: the limit of a forest. */
const BEYOND = 0.995
/** One after the other. */
const IN_A_ROW = 2
/** The trouble begins a little before somebody notices. */
const BEFORE_SECONDS = 900
const QUANTITIES = 3

/**
 * Whether a service's quantities taken together tell what each by itself does not: an isolation forest over all of a service's, beside the detector that
 * watches each series by itself. On recordings of a service mesh with labelled troubles, and on a day of it without any.
 */
export async function run({ data }: BenchOptions): Promise<readonly Figure[]> {
  const cases = data === null ? [] : readPetShop(data)
  const [first] = cases
  if (!first) throw new Error('outliers needs --data DIR: the unpacked PetShop recordings.')
  const found = cases.map((each) => ({ truth: each.truth, single: bySingle(each), together: byForest(each) }))
  const count = (hits: (one: (typeof found)[number]) => boolean): number => found.filter(hits).length
  const isRight = (names: ReadonlySet<string>, truth: string | null): boolean => truth !== null && names.has(truth)
  const calm = quietDay(first)
  const figure = (name: string, value: number, n = found.length): Figure => ({ name, value, unit: '', n })
  return [
    figure(
      'troubles in which some single series was told',
      count(({ single }) => single.size > 0),
    ),
    figure(
      'troubles in which some service was told by its quantities together',
      count(({ together }) => together.size > 0),
    ),
    figure(
      'only together',
      count(({ single, together }) => single.size === 0 && together.size > 0),
    ),
    figure(
      'the broken service was told by a single series',
      count(({ single, truth }) => isRight(single, truth)),
    ),
    figure(
      'the broken service was told together',
      count(({ together, truth }) => isRight(together, truth)),
    ),
    figure('told of a single series on a day without a trouble', calm.single, calm.rows),
    figure('told together on that day', calm.together, calm.rows),
  ]
}

function bySingle({ question: { tracks, noticedAt } }: RcaCase): Set<string> {
  const told = tracks.filter((track) => toldAt(track).some((at) => at >= noticedAt - BEFORE_SECONDS))
  return new Set(told.map(({ component }) => component))
}

/** When a series by itself was told of. */
function toldAt({ kind, points }: Track): number[] {
  const metric = METRICS[kind]
  const [begin] = points
  if (!metric || !begin) return []
  const series = watchSeries()
  const learned = new Date(begin[0] * 1_000)
  return points.flatMap(([at, value]) =>
    takePoint(series, metric, { at: new Date(at * 1_000), value }, learned)?.kind === 'announced' ? [at] : [],
  )
}

function byForest({ question: { tracks, noticedAt } }: RcaCase): Set<string> {
  const told = rowsOfServices(tracks).filter(([, rows]) => {
    const usual = rows.filter(({ at }) => at < noticedAt - BEFORE_SECONDS)
    return usual.length >= DAY && announcements(usual, rows.slice(usual.length)) > 0
  })
  return new Set(told.map(([component]) => component))
}

/** Learned from one day without a trouble, asked about the rows after it. */
function quietDay({ question: { tracks, noticedAt } }: RcaCase): { single: number; together: number; rows: number } {
  const days = rowsOfServices(tracks).map(([, rows]) => rows.filter(({ at }) => at < noticedAt - BEFORE_SECONDS))
  const whole = days.filter(({ length }) => length > DAY)
  return {
    single: tracks.flatMap(toldAt).filter((at) => at < noticedAt - BEFORE_SECONDS).length,
    together: whole.reduce((sum, rows) => sum + announcements(rows.slice(0, DAY), rows.slice(DAY)), 0),
    rows: whole.reduce((sum, { length }) => sum + length - DAY, 0),
  }
}

interface Row {
  at: number
  values: number[]
}

/** Moments at which everything that a service tells was told. */
function rowsOfServices(tracks: readonly Track[]): [string, Row[]][] {
  return [...Map.groupBy(tracks, ({ component }) => component)].flatMap(([component, own]): [string, Row[]][] => {
    if (own.length < QUANTITIES) return []
    const values = new Map<number, number[]>()
    for (const { points } of own) for (const [at, value] of points) values.set(at, [...(values.get(at) ?? []), value])
    const rows = [...values].flatMap(([at, told]) => (told.length === own.length ? [{ at, values: told }] : []))
    return [[component, rows.toSorted((a, b) => a.at - b.at)]]
  })
}

function announcements(learned: readonly Row[], asked: readonly Row[]): number {
  const forest = growForest(
    learned.map(({ values }) => values),
    chance(),
  )
  const scores = learned.map(({ values }) => aloneness(forest, values)).toSorted((a, b) => a - b)
  const limit = scores[Math.floor(BEYOND * scores.length)] ?? 1
  let inARow = 0
  let told = 0
  for (const { values } of asked) {
    inARow = aloneness(forest, values) > limit ? inARow + 1 : 0
    if (inARow === IN_A_ROW) told += 1
  }
  return told
}

/** The same chances in each run: a linear congruential generator (Numerical Recipes). */
function chance(): () => number {
  let state = 7
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
