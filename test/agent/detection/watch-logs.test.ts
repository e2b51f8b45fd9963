import { expect, it } from 'vitest'
import { createLogWatch } from '../../../agent/detection/watch-logs.ts'
import { type Alert, alertSchema } from '../../../agent/domain/alert.ts'
import { createDependencyGraph } from '../../../agent/topology/dependency-graph.ts'
import { IntegrationError } from '../../../integrations/errors.ts'
import type { LogLine, LogQuery, LogsPort } from '../../../integrations/ports/logs.ts'

const NOW = Date.UTC(2026, 2, 16, 9)
const MINUTE = 60_000
const line = (minute: number, number: number, text: string): LogLine => ({
  ...{ at: new Date(NOW + minute * MINUTE + number * 100), level: 'error', text, instance: null, version: null, traceId: null },
})
const times = (count: number, minute: number, text: string): LogLine[] =>
  Array.from({ length: count }, (_, number) => line(minute, number, text))

const workload = {
  ...{ service: 'checkout', environment: 'production', uid: 'u', version: 'v1', previousVersion: null, desiredReplicas: 1 },
  ...{ readyReplicas: 1, restarts: 0, startedAt: null, events: [] },
}

async function watched(lines: readonly LogLine[], minutes: number): Promise<Alert[]> {
  let now = NOW
  const raised: Alert[] = []
  const logs = {
    mayBeWatched: true,
    async read({ from, to }: LogQuery) {
      return { query: 'errors', link: null, lines: lines.filter(({ at }) => at >= from && at <= to), omitted: 0 }
    },
  }
  const inventory = { workloads: [workload], graph: createDependencyGraph([]), outside: [], missing: [], readAt: new Date(now) }
  const watch = createLogWatch({
    sources: [{ id: 'logs', environments: ['production'], logs }],
    topology: { inventory: async () => inventory },
    exceptIn: ['local'],
    raise: async (alerts) => void raised.push(...alerts.map((alert) => alertSchema.parse(alert))),
    now: () => new Date(now),
    log: { info: () => {}, warn: () => {} },
  })
  for (let minute = 0; minute <= minutes; minute += 1) {
    now = NOW + minute * MINUTE
    await watch.round(new AbortController().signal)
  }
  return raised
}

const usual = [-30, -20, -10, 1, 2, 3].flatMap((minute) => times(3, minute, 'retry 1 of the bank'))

it('a new error is told once, with its template, and its end', async () => {
  const raised = await watched(
    [...usual, ...times(8, 2, 'pool 7 of 10.0.0.9 is exhausted'), ...times(8, 3, 'pool 8 of 10.0.0.9 is exhausted')],
    12,
  )
  expect(raised.map(({ name, status, summary }) => [name, status, summary])).toEqual([
    ['New error in the log', 'firing', 'checkout logs an error that was not seen before: pool <*> of <*> is exhausted'],
    ['New error in the log', 'resolved', 'Over: checkout logs an error that was not seen before: pool <*> of <*> is exhausted'],
  ])
  expect(new Set(raised.map(({ key }) => key)).size).toBe(1)
})

it('a surge of a known error is told; the usual, and a few lines of a new one, are not', async () => {
  expect(await watched([...usual, ...times(4, 2, 'odd once')], 8)).toEqual([])
  const raised = await watched([...usual, ...times(60, 4, 'retry 2 of the bank')], 5)
  expect(raised.map(({ name, summary }) => [name, summary])).toEqual([
    ['Surge of an error in the log', 'checkout logs an error far more often than ever, 20 times within a minute: retry <*> of the bank'],
  ])
})

/** A watch over several services whose logs are read by `logs`. */
function watching(logs: LogsPort, inventory: () => string[]) {
  let now = NOW
  const raised: Alert[] = []
  const noted: string[] = []
  const watch = createLogWatch({
    sources: [{ id: 'logs', environments: ['production'], logs }],
    topology: {
      inventory: async () => ({
        ...{ workloads: inventory().map((service) => ({ ...workload, service })), graph: createDependencyGraph([]) },
        ...{ outside: [], missing: [], readAt: new Date(now) },
      }),
    },
    exceptIn: [],
    raise: async (alerts) => void raised.push(...alerts),
    now: () => new Date(now),
    log: { info: (_, words) => void noted.push(words), warn: (_, words) => void noted.push(words) },
  })
  const round = async (minute: number): Promise<void> => {
    now = NOW + minute * MINUTE
    await watch.round(new AbortController().signal)
  }
  return { watch, raised, noted, round }
}
const NO_LINES = { query: 'errors', link: null, lines: [], omitted: 0 }

it('joins a round that takes longer than a minute', async () => {
  let asked = 0
  const answer = Promise.withResolvers<void>()
  const { round } = watching(
    {
      mayBeWatched: true,
      async read() {
        asked += 1
        await answer.promise
        return NO_LINES
      },
    },
    () => ['checkout'],
  )
  const rounds = [round(0), round(2)]
  answer.resolve()
  await Promise.all(rounds)
  expect(asked).toBe(1)
})

it('leaves a source that is away for the round, says so once, and that it is back', async () => {
  let asked = 0
  let isAway = true
  const { round, noted } = watching(
    {
      mayBeWatched: true,
      async read() {
        asked += 1
        if (isAway) throw new IntegrationError('logs', 'unavailable', 'it is down')
        return NO_LINES
      },
    },
    () => ['checkout', 'payments'],
  )
  for (const minute of [0, 1]) await round(minute)
  expect([asked, noted]).toEqual([2, ['an environment cannot be watched']])
  isAway = false
  await round(2)
  expect([asked, noted.length]).toEqual([4, 2])
})

it('does not watch logs that are not said to be made for it', async () => {
  let asked = 0
  const { watch, round } = watching(
    {
      async read() {
        asked += 1
        return NO_LINES
      },
    },
    () => ['checkout'],
  )
  await round(0)
  expect([watch.isNeeded(), asked]).toEqual([false, 0])
})

it('what was told of a service that is gone is over', async () => {
  let services = ['checkout']
  const lines = times(8, 1, 'pool 7 is exhausted')
  const { raised, round } = watching(
    { mayBeWatched: true, read: async ({ from, to }) => ({ ...NO_LINES, lines: lines.filter(({ at }) => at >= from && at <= to) }) },
    () => services,
  )
  for (const minute of [0, 2]) await round(minute)
  services = ['other']
  for (const minute of [3, 8]) await round(minute)
  expect(raised.map(({ status, service }) => [status, service])).toEqual([
    ['firing', 'checkout'],
    ['resolved', 'checkout'],
  ])
})
