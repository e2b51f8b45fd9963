import { expect, test } from 'vitest'
import type { Alert } from '../../../agent/domain/alert.ts'
import { createHeartbeats, type Heartbeats } from '../../../agent/heartbeats/heartbeats.ts'
import { createIntake } from '../../../agent/intake/pipeline.ts'
import { watch } from '../../../agent/investigation/watch.ts'
import { createTopology } from '../../../agent/topology/inventory.ts'
import { createAppMeta } from '../../../storage/app-meta.ts'
import { createIncidentStore } from '../../../storage/incidents.ts'
import { alert } from '../../support/alerts.ts'
import { describeDatabases } from '../../support/database.ts'

const log = { info: () => {}, warn: () => {}, error: () => {} }
const WATCHDOG = alert({ source: 'alertmanager', key: 'w', name: 'Watchdog', level: null, service: null, environment: null })

describeDatabases('heartbeats', (store) => {
  const database = store.perTest()

  function setUp() {
    let time = Date.parse('2026-03-01T10:00:00.000Z')
    const now = (): Date => new Date(time)
    const { db } = database()
    const incidents = createIncidentStore({ db, now })
    const meta = createAppMeta({ db })
    const topology = createTopology({ sources: [], now, log })
    const raised = new Set<string>()
    const heartbeats = (): Heartbeats =>
      createHeartbeats({
        expected: [
          { name: 'production', source: null, alert: 'Watchdog', match: {}, withinSeconds: 60, environment: null, level: 'critical' },
        ],
        meta,
        // As the inbox does: the same bytes are taken once.
        raise: async (alerts) => {
          const text = JSON.stringify(alerts)
          if (raised.has(text)) return
          raised.add(text)
          await intake.takeAll([{ alerts: JSON.parse(text) as Alert[], inboxId: null }])
        },
        now,
      })
    const intake = createIntake({
      incidents,
      topology,
      drills: { current: async () => null, environments: [], sources: [] },
      isHeartbeat: (each) => heartbeats().expects(each),
      now,
      log,
    })
    /** Time passes, and each of these looks every five seconds. */
    const pass = async (seconds: number, ...replicas: Heartbeats[]): Promise<void> => {
      for (let second = 0; second < seconds; second += 5) {
        time += 5_000
        for (const each of replicas) await each.look()
      }
    }
    const open = async () => (await incidents.list({ state: 'active', limit: 10 })).items
    return { heartbeats, intake, incidents, topology, pass, open, now }
  }

  test('their absence opens one incident, whichever replica notices, and their return ends it', async () => {
    const { heartbeats, incidents, topology, pass, open, now } = setUp()
    const [a, b] = [heartbeats(), heartbeats()]
    await a.heard([WATCHDOG])
    await pass(55, a, b)
    expect(await open()).toEqual([])
    await pass(60, a, b)
    const [incident, ...others] = await open()
    expect(others).toEqual([])
    expect(incident).toMatchObject({ title: 'alerting path: alerts no longer arrive from production', severity: 1 })
    const id = incident?.id ?? ''
    await incidents.record(id, { kind: 'nothing-proposed', text: 'Nothing is proposed.', state: 'observing' })
    await b.heard([WATCHDOG])
    await pass(10, a, b)
    expect((await incidents.timeline(id)).map(({ kind }) => kind)).toContain('alert-resolved')
    const ended = await watch({ incidents, sources: [], topology, now, log } as never, id, new AbortController().signal, { acted: false })
    expect(ended).toEqual({ result: 'healed' })
  })

  test('a process that is started again knows what was heard before, and what was told', async () => {
    const { heartbeats, pass, open } = setUp()
    await heartbeats().heard([WATCHDOG])
    await pass(40, heartbeats())
    await pass(40, heartbeats())
    expect(await open()).toHaveLength(1)
    await pass(120, heartbeats())
    expect(await open()).toHaveLength(1)
  })

  test('themselves open nothing, and their end is none of them', async () => {
    const { heartbeats, intake, pass, open } = setUp()
    const one = heartbeats()
    expect(await intake.takeAll([{ alerts: [WATCHDOG], inboxId: 1 }])).toMatchObject({ opened: [], dropped: 1 })
    expect(await intake.takeAll([{ alerts: [{ ...WATCHDOG, status: 'resolved' }], inboxId: 2 }])).toMatchObject({ opened: [], dropped: 1 })
    await one.look()
    for (let round = 0; round < 8; round += 1) {
      await one.heard([{ ...WATCHDOG, status: 'resolved' }, alert()])
      await pass(10, one)
    }
    expect(await open()).toHaveLength(1)
  })
})
