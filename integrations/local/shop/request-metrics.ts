import { getHeapStatistics } from 'node:v8'

/** Upper bounds of the latency buckets, seconds. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]
const MICROSECONDS = 1e6

export interface RequestMetrics {
  observe(status: number, seconds: number): void
  /** Prometheus text format 0.0.4. */
  render(): string
}

export function createRequestMetrics(heapLimitBytes: number): RequestMetrics {
  const byStatus = new Map<number, number>()
  const buckets = BUCKETS.map(() => 0)
  let count = 0
  let sum = 0
  return {
    observe(status, seconds) {
      byStatus.set(status, (byStatus.get(status) ?? 0) + 1)
      BUCKETS.forEach((bound, i) => {
        if (seconds <= bound) buckets[i] = (buckets[i] ?? 0) + 1
      })
      count++
      sum += seconds
    },
    render: () =>
      [
        '# TYPE http_requests_total counter',
        ...[...byStatus].map(([status, n]) => `http_requests_total{status="${status}"} ${n}`),
        '# TYPE http_request_duration_seconds histogram',
        ...BUCKETS.map((bound, i) => `http_request_duration_seconds_bucket{le="${bound}"} ${buckets[i]}`),
        `http_request_duration_seconds_bucket{le="+Inf"} ${count}`,
        `http_request_duration_seconds_sum ${sum}`,
        `http_request_duration_seconds_count ${count}`,
        ...processMetrics(heapLimitBytes),
        '',
      ].join('\n'),
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
