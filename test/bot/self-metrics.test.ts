import { expect, test } from 'vitest'
import { createSelfMetrics, type MetricSources } from '../../bot/self-metrics.ts'

const SOURCES: MetricSources = {
  outbox: async () => ({ waiting: 3, oldestSeconds: 12.5, dead: 1 }),
  jobs: async () => ({ waiting: 7, dead: 2 }),
  acts: async () => true,
  eventStreams: () => 2,
}

test('figures are read when they are asked for', async () => {
  const metrics = createSelfMetrics(SOURCES)
  metrics.countDelivery('generic', 'accepted')
  metrics.countNotice('dead')
  metrics.countRequest({ method: 'GET', route: '/healthz', status: 200, seconds: 0.002 })
  const text = await metrics.text()
  for (const line of [
    'steadyhand_webhook_deliveries_total{source="generic",result="accepted"} 1',
    'steadyhand_notices_total{result="dead"} 1',
    'steadyhand_http_request_duration_seconds_count{method="GET",route="/healthz",status="200"} 1',
    'steadyhand_outbox_dead 1',
    'steadyhand_outbox_waiting 3',
    'steadyhand_outbox_oldest_seconds 12.5',
    'steadyhand_jobs_waiting 7',
    'steadyhand_jobs_dead 2',
    'steadyhand_acts 1',
    'steadyhand_event_streams 2',
  ])
    expect(text).toContain(line)
  expect(text).toMatch(/^process_resident_memory_bytes \d+/m)
})

test('a source that is away leaves its figures out, and whether it acts is then a no', async () => {
  const away = async () => Promise.reject(new Error('away'))
  const text = await createSelfMetrics({ ...SOURCES, outbox: away, jobs: away, acts: away }).text()
  expect(text).toContain('steadyhand_acts 0')
  expect(text).not.toMatch(/^steadyhand_(outbox|jobs)_dead \d/m)
})

test('two processes in one program count apart', async () => {
  const [one, other] = [createSelfMetrics(SOURCES), createSelfMetrics(SOURCES)]
  one.countNotice('sent')
  expect(await other.text()).not.toContain('steadyhand_notices_total{result="sent"}')
})
