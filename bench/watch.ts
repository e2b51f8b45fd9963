import { newSeries, scorePoint } from '../agent/detection/score-series.ts'
import { noSeason, offSeason } from '../agent/detection/season.ts'
import { createWatch } from '../agent/detection/watch-services.ts'
import type { Alert } from '../agent/domain/alert.ts'
import { createDependencyGraph } from '../agent/topology/dependency-graph.ts'
import type { MetricQuery } from '../integrations/ports/metrics.ts'
import type { Figure } from './report.ts'

const SERIES = 10_000
/** Enough for so many series: nine metrics of a service are watched. */
const SERVICES = 1_112
const POINTS = 2_000_000
const STEP_MS = 15_000
const EVERY_MS = 5_000
const LEARNED_MS = 30 * 3_600_000
const START = Date.UTC(2026, 2, 16, 9)
const ODD = 'service-437'

/** How fast points go into baselines and are scored, and how long ten thousand live series take from an odd sample to its alert. */
export async function run(): Promise<readonly Figure[]> {
  return [baselines(), scoring(), ...(await live())]
}

const noise = (point: number): number => ((point * 7_919) % 1_000) / 1_000

function baselines(): Figure {
  const seasons = Array.from({ length: 1_000 }, noSeason)
  const began = process.cpuUsage()
  for (let point = 0; point < POINTS; point += 1) {
    const season = seasons[point % seasons.length]
    if (season) offSeason(season, noise(point), START / 1_000 + Math.floor(point / 1_000) * 15)
  }
  return {
    name: 'points into baselines of the hour of the week, one core',
    value: Math.round(POINTS / secondsSince(began)),
    unit: '1/s',
    n: POINTS,
  }
}

function scoring(): Figure {
  const all = Array.from({ length: 1_000 }, newSeries)
  const began = process.cpuUsage()
  for (let point = 0; point < POINTS; point += 1) {
    const series = all[point % all.length]
    if (series) scorePoint(series, noise(point), START / 1_000 + Math.floor(point / 1_000) * 15)
  }
  return { name: 'points scored and learned, one core', value: Math.round(POINTS / secondsSince(began)), unit: '1/s', n: POINTS }
}

function secondsSince(began: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(began)
  return (user + system) / 1e6
}

/** The watch itself over a source in this process, so that its own work is what is measured. */
async function live(): Promise<Figure[]> {
  let now = START
  const raised: { alert: Alert; at: number }[] = []
  const oddFrom = START + 10 * EVERY_MS
  const began = performance.now()
  const clock = (): number => performance.now() - began
  const services = Array.from({ length: SERVICES }, (_, number) => `service-${number}`)
  const metrics = {
    async read({ service, metric, from, to, stepSeconds }: MetricQuery) {
      const step = stepSeconds * 1_000
      const first = Math.ceil(Math.max(from.getTime(), START - LEARNED_MS) / step) * step
      // No series here runs out.
      const isTrend = metric === 'certificate_days_left'
      const length = isTrend ? 0 : Math.max(0, Math.floor((to.getTime() - first) / step) + 1)
      const odd = (at: number): number => (service === ODD && metric === 'latency_p99' && at >= oddFrom ? 9 : 0)
      const points = Array.from({ length }, (_, index) => first + index * step).map((at) => ({
        at: new Date(at),
        value: noise(at / STEP_MS) + odd(at),
      }))
      return { query: metric, link: null, labels: {}, points }
    },
  }
  const workloads = services.map((service) => ({
    ...{ service, environment: 'bench', uid: service, version: 'v1', previousVersion: null, desiredReplicas: 1 },
    ...{ readyReplicas: 1, restarts: 0, startedAt: null, events: [] },
  }))
  const inventory = { workloads, graph: createDependencyGraph([]), outside: [], missing: [], readAt: new Date(now) }
  const watch = createWatch({
    sources: [{ id: 'bench', environments: ['bench'], metrics }],
    topology: { inventory: async () => inventory },
    exceptIn: [],
    raise: async (alerts) => void raised.push(...alerts.map((alert) => ({ alert, at: clock() }))),
    now: () => new Date(now),
    log: { info: () => {}, warn: () => {} },
  })
  const { signal } = new AbortController()
  await watch.round(signal)
  const rounds: number[] = []
  let oddRound = Number.POSITIVE_INFINITY
  for (; now < oddFrom + 4 * STEP_MS; ) {
    now += EVERY_MS
    const from = clock()
    if (now >= oddFrom && oddRound === Number.POSITIVE_INFINITY) oddRound = from
    await watch.round(signal)
    rounds.push(clock() - from)
  }
  const found = raised.find(({ alert }) => alert.service === ODD)
  const slowest = Math.max(...rounds)
  return [
    { name: `a round over ${watch.size()} live series, slowest`, value: slowest, unit: 'ms', n: rounds.length },
    // The next look is at most one interval away.
    ...(found ? [{ name: 'an odd sample to its alert, at worst', value: EVERY_MS + (found.at - oddRound), unit: 'ms', n: 1 }] : []),
    { name: 'other series announced', value: raised.filter(({ alert }) => alert.service !== ODD).length, unit: '', n: SERIES },
  ]
}
