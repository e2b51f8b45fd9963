import { expect, test } from 'vitest'
import { createTelemetry, type Scrape } from '../../storage/telemetry.ts'
import { describeDatabases } from '../support/database.ts'

const BEGIN = Date.parse('2026-03-01T10:00:00Z')
const at = (seconds: number): Date => new Date(BEGIN + seconds * 1_000)
const scrape = (seconds: number, more: Partial<Scrape> = {}): Scrape => ({
  at: at(seconds),
  target: 'local',
  service: 'payments',
  instance: 'payments-1',
  version: 'v2',
  samples: { 'http_requests_total{status="500"}': seconds },
  ...more,
})

describeDatabases('telemetry', (store) => {
  const database = store.perTest()

  test('gives back the scrapes of a service in a window, oldest first', async () => {
    const telemetry = createTelemetry(database())
    await telemetry.append([scrape(0), scrape(1), scrape(1, { instance: 'payments-2' }), scrape(2), scrape(1, { service: 'checkout' })])
    await telemetry.append([scrape(1, { target: 'kubernetes' })])
    const read = await telemetry.read({ service: 'payments', target: 'local', from: at(1), to: at(2), limit: 100 })
    expect(read).toEqual([scrape(1), scrape(1, { instance: 'payments-2' }), scrape(2)])
    expect(await telemetry.read({ service: 'payments', from: at(1), to: at(2), limit: 100 })).toHaveLength(4)
    expect(await telemetry.read({ service: 'unknown', from: at(0), to: at(9), limit: 100 })).toEqual([])
  })

  test('gives the newest of too many', async () => {
    const telemetry = createTelemetry(database())
    await telemetry.append(Array.from({ length: 50 }, (_, index) => scrape(index)))
    const read = await telemetry.read({ service: 'payments', from: at(0), to: at(99), limit: 3 })
    expect(read.map(({ at: moment }) => moment)).toEqual([at(47), at(48), at(49)])
  })

  test('takes nothing, and not too much at a time', async () => {
    const telemetry = createTelemetry(database())
    await telemetry.append([])
    await expect(telemetry.append(Array.from({ length: 1_001 }, () => scrape(0)))).rejects.toBeInstanceOf(RangeError)
  })

  test('forgets what is older', async () => {
    const telemetry = createTelemetry(database())
    await telemetry.append(Array.from({ length: 10 }, (_, index) => scrape(index)))
    expect(await telemetry.prune(at(4))).toBe(4)
    expect(await telemetry.read({ service: 'payments', from: at(0), to: at(99), limit: 100 })).toHaveLength(6)
  })
})
