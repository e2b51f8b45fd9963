import { describe, expect, it } from 'vitest'
import { createTopology, findWorkload } from '../../../agent/topology/inventory.ts'
import type { WorkloadsPort } from '../../../integrations/ports/workloads.ts'
import { inventoryOf, platformOf, SHOP_EDGES, workload } from '../../support/shop-inventory.ts'

const log = { warn: () => {} }

function clockAt(text: string) {
  let time = new Date(text)
  const advance = (ms: number): void => {
    time = new Date(time.getTime() + ms)
  }
  return { now: () => time, advance }
}

describe('the inventory', () => {
  it('is read from all platforms at once and kept for five seconds', async () => {
    let lists = 0
    const platform = platformOf([workload('payments')], SHOP_EDGES)
    const list = async () => {
      lists += 1
      return await platform.list()
    }
    const counted: WorkloadsPort = { ...platform, list }
    const clock = clockAt('2026-03-01T10:00:00Z')
    const sources = [
      { id: 'one', workloads: counted },
      { id: 'two', workloads: platformOf([workload('mail', { environment: 'prod' })], []) },
    ]
    const topology = createTopology({ sources, now: clock.now, log })
    const [first, second] = await Promise.all([topology.inventory(), topology.inventory()])
    expect(second).toBe(first)
    expect(first.workloads.map(({ service }) => service)).toEqual(['payments', 'mail'])
    expect(first.graph.services.has('storefront')).toBe(true)
    await topology.inventory()
    expect(lists).toBe(1)
    clock.advance(5_000)
    await topology.inventory()
    expect(lists).toBe(2)
  })

  it('keeps what it knew when a platform fails or does not answer, and says what is missing', async () => {
    let broken = false
    const platform = platformOf([workload('payments')], SHOP_EDGES)
    const flaky: WorkloadsPort = {
      ...platform,
      list: () => (broken ? Promise.reject(new Error('connection refused')) : platform.list()),
      dependencies: () => (broken ? new Promise(() => {}) : platform.dependencies()),
    }
    const clock = clockAt('2026-03-01T10:00:00Z')
    const topology = createTopology({ sources: [{ id: 'shop', workloads: flaky }], now: clock.now, log, deadlineMs: 20 })
    await topology.inventory()
    broken = true
    clock.advance(60_000)
    const later = await topology.inventory()
    expect(later.workloads).toHaveLength(1)
    expect(later.missing).toEqual(['the services of shop: connection refused', 'the call graph of shop: no answer before the deadline'])
    broken = false
    expect((await topology.inventory()).missing).toEqual([])
  })

  it('follows the platforms that answer while one does not, and keeps what that one said last', async () => {
    let broken = false
    let version = 'v1'
    const flaky: WorkloadsPort = {
      ...platformOf([workload('mail', { environment: 'prod' })], [{ from: 'mail', to: 'postbox' }]),
      list: async () => (broken ? await Promise.reject(new Error('connection refused')) : [workload('mail', { environment: 'prod' })]),
    }
    const steady: WorkloadsPort = { ...platformOf([], SHOP_EDGES), list: async () => [workload('payments', { version })] }
    const clock = clockAt('2026-03-01T10:00:00Z')
    // Every environment of a cluster is a source of the same id.
    const sources = [flaky, steady].map((workloads) => ({ id: 'cluster', workloads }))
    const topology = createTopology({ sources, now: clock.now, log })
    await topology.inventory()
    ;[broken, version] = [true, 'v2']
    clock.advance(60_000)
    const later = await topology.inventory()
    expect(later.workloads.map((each) => [each.service, each.version])).toEqual([
      ['mail', 'v1'],
      ['payments', 'v2'],
    ])
    expect([...later.graph.services]).toEqual(expect.arrayContaining(['postbox', 'checkout']))
    expect(later.missing).toEqual(['the services of cluster: connection refused'])
  })

  it('says what is missing when nothing was ever read', async () => {
    const dead: WorkloadsPort = { ...platformOf([], []), list: () => Promise.reject(new Error('down')) }
    const topology = createTopology({ sources: [{ id: 'shop', workloads: dead }], now: () => new Date('2026-03-01T10:00:00Z'), log })
    expect(await topology.inventory()).toMatchObject({ workloads: [], missing: ['the services of shop: down'] })
  })

  it.each([
    ['payments', null, 'shop'],
    [' Payments ', null, 'shop'],
    ['payments', 'shop', 'shop'],
    ['payments', 'prod', null],
    ['billing', null, null],
    ['', null, null],
  ])('finds %j in %j: %j', (service, environment, found) => {
    expect(findWorkload(inventoryOf(), { service, environment })?.environment ?? null).toBe(found)
  })

  it('does not choose between two environments', () => {
    const inventory = inventoryOf({ workloads: [workload('payments'), workload('payments', { environment: 'prod' })] })
    expect(findWorkload(inventory, { service: 'payments', environment: null })).toBeNull()
    expect(findWorkload(inventory, { service: 'payments', environment: 'prod' })).toMatchObject({ environment: 'prod' })
  })
})
