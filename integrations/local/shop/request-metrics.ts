import { getHeapStatistics } from 'node:v8'

/** Upper bounds of the latency buckets, seconds. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]
const MICROSECONDS = 1e6

/** Answers counted by status and by how long they took, under one metric name and, where it has labels, with them. */
interface AnswerSeries {
  observe(status: number, seconds: number): void
  lines(): string[]
}

export interface RequestMetrics {
  observe(status: number, seconds: number): void
  /** A call to a party outside, as it looks from here. */
  observeCall(party: string, status: number, seconds: number): void
  gauge(name: string, read: () => number): void
  /** Prometheus text format 0.0.4. */
  render(): string
}

export function createRequestMetrics(heapLimitBytes: number): RequestMetrics {
  const requests = createAnswerSeries('http', '')
  const calls = new Map<string, AnswerSeries>()
  const gauges = new Map<string, () => number>()
  return {
    observe: requests.observe,
    gauge: (name, read) => void gauges.set(name, read),
    observeCall(party, status, seconds) {
      const series = calls.get(party) ?? createAnswerSeries('outside', `party="${party}",`)
      calls.set(party, series)
      series.observe(status, seconds)
    },
    render: () =>
      [
        '# TYPE http_requests_total counter',
        '# TYPE http_request_duration_seconds histogram',
        ...requests.lines(),
        ...[...calls.values()].flatMap((series) => series.lines()),
        ...[...gauges].flatMap(([name, read]) => [`# TYPE ${name} gauge`, `${name} ${read()}`]),
        ...processMetrics(heapLimitBytes),
        '',
      ].join('\n'),
  }
}

function createAnswerSeries(prefix: string, labels: string): AnswerSeries {
  const byStatus = new Map<number, number>()
  const buckets = BUCKETS.map(() => 0)
  let count = 0
  let sum = 0
  const own = labels === '' ? '' : `{${labels.replace(/,$/, '')}}`
  return {
    observe(status, seconds) {
      byStatus.set(status, (byStatus.get(status) ?? 0) + 1)
      BUCKETS.forEach((bound, i) => {
        if (seconds <= bound) buckets[i] = (buckets[i] ?? 0) + 1
      })
      count++
      sum += seconds
    },
    lines: () => [
      ...[...byStatus].map(([status, n]) => `${prefix}_requests_total{${labels}status="${status}"} ${n}`),
      ...BUCKETS.map((bound, i) => `${prefix}_request_duration_seconds_bucket{${labels}le="${bound}"} ${buckets[i]}`),
      `${prefix}_request_duration_seconds_bucket{${labels}le="+Inf"} ${count}`,
      `${prefix}_request_duration_seconds_sum${own} ${sum}`,
      `${prefix}_request_duration_seconds_count${own} ${count}`,
    ],
  }
}

function processMetrics(heapLimitBytes: number): string[] {
  const { user, system } = process.cpuUsage()
  return [
    '# TYPE process_heap_used_bytes gauge',
    `process_heap_used_bytes ${getHeapStatistics().used_heap_size}`,
    '# TYPE process_heap_limit_bytes gauge',
    `process_heap_limit_bytes ${heapLimitBytes}`,
    '# TYPE process_cpu_seconds_total counter',
    `process_cpu_seconds_total ${(user + system) / MICROSECONDS}`,
    '# TYPE process_start_time_seconds gauge',
    `process_start_time_seconds ${performance.timeOrigin / 1000}`,
  ]
}
