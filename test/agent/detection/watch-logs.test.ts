import { expect, it } from 'vitest'
import { createLogWatch } from '../../../agent/detection/watch-logs.ts'
import { type Alert, alertSchema } from '../../../agent/domain/alert.ts'
import { createDependencyGraph } from '../../../agent/topology/dependency-graph.ts'
import type { LogLine, LogQuery } from '../../../integrations/ports/logs.ts'

const NOW = Date.UTC(2026, 2, 16, 9)
const MINUTE = 60_000
const line = (minute: number, number: number, text: string): LogLine => ({
  ...{ at: new Date(NOW + minute * MINUTE + number * 100), level: 'error', text, instance: null, version: null, traceId: null },
})
const times = (count: number, minute: number, text: string): LogLine[] =>
  Array.from({ length: count }, (_, number) => line(minute, number, text))

async function watched(lines: readonly LogLine[], minutes: number): Promise<Alert[]> {
  let now = NOW
  const raised: Alert[] = []
  const logs = {
    async read({ from, to }: LogQuery) {
      return { query: 'errors', link: null, lines: lines.filter(({ at }) => at >= from && at <= to), omitted: 0 }
    },
  }
  const workload = {
    ...{ service: 'checkout', environment: 'production', uid: 'u', version: 'v1', previousVersion: null, desiredReplicas: 1 },
    ...{ readyReplicas: 1, restarts: 0, startedAt: null, events: [] },
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
    await watch.round()
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
