import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Alert } from '../../../agent/domain/alert.ts'
import { DATA_KINDS } from '../../../agent/domain/model-data.ts'
import type { Workspace } from '../../../agent/domain/workspace.ts'
import { createIntake } from '../../../agent/intake/pipeline.ts'
import { createTopology } from '../../../agent/topology/inventory.ts'
import type { OpenDatabase } from '../../../storage/database.ts'
import { createIncidentStore } from '../../../storage/incidents.ts'
import { alert } from '../../support/alerts.ts'
import { describeDatabases } from '../../support/database.ts'
import { platformOf, SHOP_EDGES, SHOP_SERVICES, workload } from '../../support/shop-inventory.ts'

const START = Date.parse('2026-03-01T10:42:05.000Z')
const log = { info: () => {}, warn: () => {} }

function team(name: string, services: readonly string[]): Workspace {
  return { name, services, environments: null, data: DATA_KINDS, people: [], keys: [], channels: [] }
}

describeDatabases('intake', (store) => {
  const database = store.perSuite()
  let round = 0

  /** A shop of its own for each round, so that rounds in one database know nothing of each other. */
  function setUp(drill: string | null = null, teams: readonly (readonly string[])[] = []) {
    round += 1
    const own = round
    const environment = `shop-${own}`
    const name = (service: string): string => `${service}-${own}`
    const edges = SHOP_EDGES.map(({ from, to }) => ({ from: name(from), to: name(to) }))
    const platform = platformOf(
      SHOP_SERVICES.map((service) => workload(name(service), { environment })),
      edges,
    )
    let time = START
    const now = (): Date => new Date(time)
    const incidents = createIncidentStore({ db: database().db, now })
    const intake = createIntake({
      incidents,
      topology: createTopology({ sources: [{ id: 'shop', workloads: platform }], now, log }),
      drills: { current: async () => (drill === null ? null : { run: drill }), environments: [environment], sources: [`test-${own}`] },
      workspaces: teams.map((services, index) => team(`team-${index}`, services.map(name))),
      now,
      log,
    })
    const make = (said: Partial<Alert> & { service?: string } = {}): Alert => {
      const service = said.service ?? 'payments'
      return alert({ key: `${service}-errors`, source: `test-${own}`, ...said, environment, service: name(service) })
    }
    const mine = async () => (await incidents.list({ limit: 200 })).items.filter((incident) => incident.environment === environment)
    const snapshot = async () =>
      Promise.all(
        (await mine()).map(async (incident) => ({
          incident,
          events: await incidents.timeline(incident.id),
          alerts: await incidents.alerts(incident.id),
        })),
      )
    const advance = (ms: number): void => {
      time += ms
    }
    const take = (alerts: readonly Alert[], inboxId: number) => intake.takeAll([{ alerts, inboxId }])
    return { intake: { ...intake, take }, incidents, make, mine, snapshot, advance }
  }

  it('makes one incident of a cause and its victims in one delivery, about the cause', async () => {
    const { intake, make, snapshot } = setUp()
    const taken = await intake.take([make({ service: 'storefront' }), make({ service: 'checkout' }), make({ service: 'payments' })], 1)
    expect(taken).toMatchObject({ attached: [], dropped: 0, invalid: 0 })
    const [only, ...others] = await snapshot()
    expect(others).toEqual([])
    expect(only?.incident.service).toMatch(/^payments-/)
    expect(taken.opened).toEqual([only?.incident.id])
    expect(only?.events.map(({ kind }) => kind)).toEqual(['incident-opened', 'alert-received', 'alert-received'])
    expect(only?.events.map(({ text }) => text).join()).toMatch(/storefront-\d+ depends on/)
  })

  it('makes an incident for each team of a cause and its victims, although they come in one delivery', async () => {
    const { intake, make, snapshot } = setUp(null, [['payments'], ['checkout', 'storefront']])
    const taken = await intake.take([make({ service: 'storefront' }), make({ service: 'checkout' }), make({ service: 'payments' })], 1)
    expect(taken.opened).toHaveLength(2)
    const services = (await snapshot()).map(({ alerts }) => alerts.map(({ service }) => service?.replace(/-\d+$/, '')).toSorted())
    expect(services.toSorted()).toEqual([['checkout', 'storefront'], ['payments']])
  })

  it('makes one incident of two hundred alerts', async () => {
    const { intake, make, snapshot } = setUp()
    for (let i = 0; i < 200; i += 1) await intake.take([make({ key: `k${i}`, startsAt: new Date(START + i).toISOString() })], i)
    const all = await snapshot()
    expect(all).toHaveLength(1)
    expect(all[0]?.alerts).toHaveLength(200)
  })

  it('bounds the timeline of an alert that flaps', async () => {
    const { intake, make, snapshot, advance } = setUp()
    for (let i = 0; i < 40; i += 1) {
      advance(1_000)
      const startsAt = new Date(START + i * 1_000).toISOString()
      await intake.take([make({ startsAt })], i)
      await intake.take([make({ startsAt, status: 'resolved' })], i)
    }
    const [only] = await snapshot()
    expect(only?.alerts).toHaveLength(80)
    expect(only?.events.length).toBeLessThan(10)
  })

  it('ties the incident to the drill that is running', async () => {
    const { intake, make, mine } = setUp('run-7')
    await intake.take([make()], 1)
    expect(await mine()).toMatchObject([{ drillRun: 'run-7' }])
  })

  it('keeps an alert from outside out of the drill, in an incident of its own', async () => {
    const { intake, make, mine } = setUp('run-8')
    await intake.take([make()], 1)
    await intake.take([make({ source: 'alertmanager', key: 'theirs' }), make({ source: 'alertmanager', service: 'storefront' })], 2)
    expect((await mine()).map(({ drillRun }) => drillRun)).toEqual([null, 'run-8'])
  })

  it('leaves out what is no alert and takes the rest', async () => {
    const { intake, make, mine } = setUp()
    const broken = { ...make({ key: 'b' }), status: 'suppressed', startsAt: 'yesterday' } as unknown as Alert
    expect(await intake.take([broken, make()], 1)).toMatchObject({ invalid: 1, opened: [expect.any(String)] })
    expect(await mine()).toHaveLength(1)
  })

  it('opens one incident for a service nobody knows, however often it alerts', async () => {
    const { intake, make, mine } = setUp()
    for (let i = 0; i < 10; i += 1) await intake.take([{ ...make({ key: `k${i}` }), service: 'billing' }], i)
    expect(await mine()).toMatchObject([{ service: 'billing', severityReason: expect.stringContaining('unknown service') }])
  })

  it('takes a storm of strangers into few incidents', async () => {
    const { intake, make, mine } = setUp()
    for (let i = 0; i < 100; i += 1) await intake.take([{ ...make({ key: `k${i}` }), service: `stranger-${i}` }], i)
    expect((await mine()).length).toBeLessThanOrEqual(20)
  })

  const delivery = fc.record({
    service: fc.constantFrom(...SHOP_SERVICES),
    status: fc.constantFrom('firing' as const, 'resolved' as const),
    minute: fc.integer({ min: 0, max: 3 }),
  })

  it('takes many deliveries at once as it takes them one by one', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(delivery, { minLength: 2, maxLength: 14 }), async (deliveries) => {
        const [single, together] = [setUp(), setUp()]
        const made = ({ make }: typeof single) =>
          deliveries.map(({ service, status, minute }, inboxId) => ({
            alerts: [make({ service, status, startsAt: new Date(START + minute * 60_000).toISOString() })],
            inboxId,
          }))
        for (const one of made(single)) await single.intake.takeAll([one])
        await together.intake.takeAll(made(together))
        const said = async ({ snapshot }: typeof single) =>
          (await snapshot()).map(({ events, alerts }) => ({
            events: events.map(({ kind, text }) => `${kind} ${text.replaceAll(/-\d+/g, '')}`),
            alerts: alerts.map(({ key, status, startsAt }) => ({ key, status, startsAt })),
          }))
        expect(await said(together)).toEqual(await said(single))
      }),
      { numRuns: 30 },
    )
  })

  it('changes nothing twice: replayed, doubled and in any order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(delivery, { minLength: 1, maxLength: 14 }),
        fc.array(fc.nat(13), { maxLength: 8 }),
        async (deliveries, again) => {
          const { intake, make, snapshot, advance } = setUp()
          const alerts = deliveries.map(({ service, status, minute }) =>
            make({ service, status, startsAt: new Date(START + minute * 60_000).toISOString() }),
          )
          const doubled = [...alerts, ...again.flatMap((i) => alerts[i] ?? [])]
          for (const [i, each] of doubled.entries()) {
            advance(1_000)
            await intake.take([each], i)
          }
          const before = await snapshot()
          await intake.take(alerts, 1_000)
          for (const each of alerts.toReversed()) await intake.take([each], 2_000)
          expect(await snapshot()).toEqual(before)

          const kept = before.flatMap((each) => each.alerts.map(({ key, status, startsAt }) => `${key} ${status} ${startsAt}`))
          expect(new Set(kept).size).toBe(kept.length)
          for (const { events } of before) expect(events[0]?.kind).toBe('incident-opened')
          const firstHeard = new Map(doubled.toReversed().map((each) => [`${each.key} ${each.startsAt}`, each.status]))
          const endedFirst = [...firstHeard].filter(([, status]) => status === 'resolved').map(([key]) => key)
          const fired = before.flatMap((each) =>
            each.alerts.filter(({ status }) => status === 'firing').map(({ key, startsAt }) => `${key} ${startsAt}`),
          )
          expect(fired.filter((key) => endedFirst.includes(key))).toEqual([])
        },
      ),
      { numRuns: 40 },
    )
  })

  it('changes nothing when deliveries without a beginning are taken up again, whatever came after them', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(delivery, { minLength: 1, maxLength: 14 }),
        fc.array(fc.nat(13), { minLength: 1, maxLength: 8 }),
        async (deliveries, again) => {
          const { intake, make, snapshot, advance } = setUp()
          const alerts = deliveries.map(({ service, status }) => make({ service, status, startsAt: null }))
          for (const [i, each] of alerts.entries()) {
            advance(1_000)
            await intake.take([each], i + 1)
          }
          const before = await snapshot()
          for (const i of again) {
            const alert = alerts[i]
            if (alert) await intake.take([alert], i + 1)
          }
          expect(await snapshot()).toEqual(before)
        },
      ),
      {
        numRuns: 40,
        examples: [[(['firing', 'firing', 'resolved'] as const).map((status) => ({ service: 'payments', status, minute: 0 })), [1, 2]]],
      },
    )
  })

  it('begins anew for what fires once more, although a person ended its incident before it was taken up', async () => {
    const { intake, incidents, make, mine } = setUp()
    const said = (status: Alert['status']) => make({ status, startsAt: null })
    const [first, second, third] = await deliveries(database().db, 3, new Date(START))
    await intake.take([said('firing')], first)
    await intake.take([said('resolved')], second)
    const [incident] = await mine()
    await incidents.record(incident?.id ?? '', { kind: 'incident-resolved', text: 'Closed.', state: 'resolved' })
    expect(await intake.take([said('firing')], third)).toMatchObject({ opened: [expect.any(String)], dropped: 0 })
    expect(await intake.take([said('firing')], third)).toMatchObject({ opened: [], dropped: 1 })
  })
})

/** Stored deliveries that came in at a moment. */
async function deliveries(db: OpenDatabase['db'], count: number, received_at: Date): Promise<[number, number, number]> {
  const rows = Array.from({ length: count }, () => ({
    source: 'test',
    delivery_key: randomUUID(),
    body: Buffer.from('{}'),
    headers: '{}',
    received_at,
  }))
  const [a = 0, b = 0, c = 0] = (await db.insertInto('inbox').values(rows).returning('id').execute()).map(({ id }) => id)
  return [a, b, c]
}
