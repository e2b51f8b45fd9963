import { expect, it } from 'vitest'
import { createWatch } from '../../../agent/detection/watch-services.ts'
import type { Alert } from '../../../agent/domain/alert.ts'
import { createIntake } from '../../../agent/intake/pipeline.ts'
import { createTopology } from '../../../agent/topology/inventory.ts'
import { describeDatabases } from '../../support/database.ts'
import { at, createInvestigationHarness } from '../../support/investigation-harness.ts'
import { platformOf, SHOP_EDGES, workload } from '../../support/shop-inventory.ts'

const SIX_HOURS = 21_600
const log = { info: () => {}, warn: () => {} }

describeDatabases('an incident of a trend', (store) => {
  const database = store.perTest()

  it('lasts while the value is where the trend has brought it, and heals when it has fallen back', async () => {
    const harness = createInvestigationHarness(database())
    const { shop, incidents, investigation } = harness
    for (let second = -SIX_HOURS; second <= 0; second += 360) {
      shop.set('payments', 'memory_used_ratio', 0.8 + (second / 86_400) * 0.4, at(second))
    }
    const now = (): Date => at(4)
    const topology = createTopology({ sources: [{ id: 'shop', workloads: platformOf([workload('payments')], SHOP_EDGES) }], now, log })
    const raised: Alert[] = []
    const watch = createWatch({
      ...{ sources: [shop.source], topology, exceptIn: [], now, log },
      raise: async (alerts) => void raised.push(...alerts),
    })
    const { signal } = new AbortController()
    await watch.round(signal)
    const drills = { current: async () => null, environments: [], sources: [] }
    const { opened } = await createIntake({ incidents, topology, drills, now, log }).takeAll([{ alerts: raised, inboxId: null }])
    const [id = ''] = opened
    expect(raised.map(({ name }) => name)).toEqual(['memory used runs out'])
    await investigation.run(id, signal)
    for (const second of [12, 70]) {
      harness.goTo(second)
      expect((await investigation.watch(id, signal)).result).not.toBe('healed')
    }
    shop.set('payments', 'memory_used_ratio', 0.3, at(80))
    harness.goTo(90)
    expect((await investigation.watch(id, signal)).result).toBe('healed')
    expect((await incidents.hypotheses(id))[0]).toMatchObject({ class: 'resolved_by_itself' })
  })
})
