import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Approval } from '../../agent/domain/approval.ts'
import { createDrills, DrillBusy, type Drills, UnknownDrill } from '../../agent/drills.ts'
import type { IncidentStore } from '../../agent/ports.ts'
import type { DrillsPort } from '../../integrations/ports/drills.ts'
import { createDrillRunStore } from '../../storage/drill-runs.ts'
import { createIncidentStore } from '../../storage/incidents.ts'
import { alert } from '../support/alerts.ts'
import { anApproval, approvalsInEveryState } from '../support/builders.ts'
import { describeDatabases } from '../support/database.ts'

/** A ground that only keeps book of what was asked of it. */
function scriptedGround(): DrillsPort & { done: string[]; fail: { begin?: string; restore?: string } } {
  const done: string[] = []
  const fail: { begin?: string; restore?: string } = {}
  const scenario = (name: string, expects: 'action' | 'no-action') => ({
    name,
    title: name,
    expects,
    service: 'payments',
    truth: { class: 'unknown', component: 'service/payments', action: null },
  })
  return {
    done,
    fail,
    scenarios: [scenario('bad-release', 'action'), scenario('blip', 'no-action')],
    begin: async (name) => {
      if (fail.begin) throw new Error(fail.begin)
      done.push(`begin ${name}`)
    },
    restore: async () => {
      if (fail.restore) throw new Error(fail.restore)
      done.push('restore')
    },
  }
}

describeDatabases('drills', (store) => {
  const database = store.perTest()
  let ground: ReturnType<typeof scriptedGround>
  let incidents: IncidentStore
  let approvals: Approval[]
  let offset: number
  let drills: Drills
  const warnings: string[] = []
  const now = (): Date => new Date(Date.now() + offset)
  const make = (): Drills =>
    createDrills({
      ground,
      runs: createDrillRunStore(database()),
      incidents,
      approvals: {
        approvals: async ({ incidentId }) => ({ items: approvals.filter((approval) => approval.incidentId === incidentId), next: null }),
      },
      now,
      log: {
        info: () => undefined,
        warn: (_detail, message) => void warnings.push(message),
        error: (_detail, message) => void warnings.push(message),
      },
    })

  beforeEach(() => {
    ground = scriptedGround()
    incidents = createIncidentStore({ db: database().db, now })
    approvals = []
    offset = 0
    warnings.length = 0
    drills = make()
  })
  afterEach(async () => {
    await drills.stop()
  })

  const openIncident = async (drillRun: string | null): Promise<string> => {
    const decision = { do: 'open', title: 'payments fails', service: 'payments', environment: 'local', severity: 2 } as const
    const { incidentId } = await incidents.absorb(alert({ key: `key-${drillRun}` }), null, () => ({
      ...decision,
      severityReason: 'critical',
      drillRun,
      reason: 'it is firing',
    }))
    if (incidentId === null) throw new Error('an incident was expected')
    return incidentId
  }
  const ended = async (id: string) => {
    const deadline = Date.now() + 10_000
    while (Date.now() < deadline) {
      const run = await drills.run(id)
      if (run && run.state !== 'running') return run
      await pause(20)
    }
    throw new Error('the run did not end')
  }
  const verifiedFor = (incidentId: string): Approval => {
    const verified = approvalsInEveryState()['verified']?.approval ?? anApproval()
    const votes = verified.votes.map((vote) => ({ ...vote, at: now() }))
    return { ...verified, incidentId, votes }
  }

  test('a run breaks the target, sees the incident mended, puts the target back, and passes', async () => {
    const run = await drills.start('bad-release', null)
    expect(run).toMatchObject({ name: 'bad-release', state: 'running', incident: null, approvals: [] })
    expect(await drills.current()).toMatchObject({ run: run.run })
    await openIncident(null)
    const incidentId = await openIncident(run.run)
    approvals = [verifiedFor(incidentId)]
    await incidents.record(incidentId, { kind: 'state-changed', text: 'Resolved.', state: 'resolved' })
    expect(await ended(run.run)).toMatchObject({
      state: 'passed',
      incident: incidentId,
      approvals: [approvals[0]?.id],
      ended: expect.any(Date),
      words: expect.stringContaining('verified'),
    })
    expect(ground.done).toEqual(['begin bad-release', 'restore'])
    expect(await drills.current()).toBeNull()
  })

  test('a second one waits its turn, and an unknown one is told what there is', async () => {
    const run = await drills.start('blip', null)
    const refused = await drills.start('bad-release', null).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(DrillBusy)
    expect(refused).toMatchObject({ name: 'DrillBusy', current: { run: run.run }, message: expect.stringContaining('blip') })
    await expect(drills.start('earthquake', null)).rejects.toThrow(new UnknownDrill('earthquake', ['bad-release', 'blip']))
  })

  test('the incident of a run that healed with nothing asked passes', async () => {
    const run = await drills.start('blip', null)
    const incidentId = await openIncident(run.run)
    await incidents.record(incidentId, { kind: 'state-changed', text: 'Healed.', state: 'healed' })
    expect(await ended(run.run)).toMatchObject({ state: 'passed', incident: incidentId, approvals: [] })
  })

  test('nothing asked within 45 s fails, and the target is put back all the same', async () => {
    const run = await drills.start('bad-release', null)
    offset = 46_000
    expect(await ended(run.run)).toMatchObject({ state: 'failed', words: 'No incident was opened within 45 s.' })
    expect(ground.done.at(-1)).toBe('restore')
  })

  test('an incident that is left open when its drill ends has a line for the clean-up, once, and others have none', async () => {
    const run = await drills.start('bad-release', null)
    const [of, other] = [await openIncident(run.run), await openIncident(null)]
    offset = 46_000
    await ended(run.run)
    const linesOf = async (id: string) => (await incidents.timeline(id)).filter(({ kind }) => kind === 'target-put-back')
    expect(await linesOf(of)).toMatchObject([{ text: 'The drill bad-release is over: its clean-up puts the target back as it was.' }])
    expect(await linesOf(other)).toEqual([])
  })

  test('a target that cannot be broken, or not be put back, fails the run in words', async () => {
    ground.fail.begin = 'no processes left'
    const first = await drills.start('bad-release', null)
    expect(await ended(first.run)).toMatchObject({ state: 'failed', words: 'The target could not be broken: no processes left.' })
    ground.fail.restore = 'disk full'
    const second = await drills.start('bad-release', null)
    expect(await ended(second.run)).toMatchObject({
      state: 'failed',
      words: expect.stringMatching(/could not be put back: disk full.*no processes left/),
    })
  })

  test('an interrupted run is taken up, and can still pass', async () => {
    const run = await drills.start('bad-release', null)
    const incidentId = await openIncident(run.run)
    await drills.stop()
    expect(await drills.current()).toMatchObject({ run: run.run, state: 'running' })
    offset = 600_000
    drills = make()
    await drills.resume()
    approvals = [verifiedFor(incidentId)]
    await incidents.record(incidentId, { kind: 'state-changed', text: 'Resolved.', state: 'resolved' })
    expect(await ended(run.run)).toMatchObject({ state: 'passed', incident: incidentId })
  })

  test('a run that was over when it was interrupted is not broken anew', async () => {
    const runs = createDrillRunStore(database())
    await runs.open({ run: 'r1', name: 'blip', startedAt: now(), startedBy: null })
    const incidentId = await openIncident('r1')
    await incidents.record(incidentId, { kind: 'state-changed', text: 'Healed.', state: 'healed' })
    await drills.resume()
    expect(await ended('r1')).toMatchObject({ state: 'passed' })
    expect(ground.done).toEqual(['restore'])
  })

  test('a run goes on once the database answers again', { timeout: 20_000 }, async () => {
    const { list } = incidents
    incidents.list = async () => Promise.reject(new Error('the database is down'))
    const run = await drills.start('blip', null)
    while (warnings.length === 0) await pause(20)
    incidents.list = list
    const incidentId = await openIncident(run.run)
    await incidents.record(incidentId, { kind: 'state-changed', text: 'Healed.', state: 'healed' })
    expect(await ended(run.run)).toMatchObject({ state: 'passed' })
    expect(warnings).toEqual(['a drill could not be carried through; it is taken up again'])
  })

  test('a run whose scenario is gone ends as failed', async () => {
    await createDrillRunStore(database()).open({ run: 'r1', name: 'earthquake', startedAt: now(), startedBy: null })
    await drills.resume()
    expect(await ended('r1')).toMatchObject({ state: 'failed', words: 'The target has no scenario earthquake any more.' })
  })
})

test('without a target there is nothing to drill', async () => {
  const drills = createDrills({
    ground: null,
    runs: {
      open: async () => true,
      progress: async () => undefined,
      end: async () => undefined,
      get: async () => null,
      running: async () => null,
    },
    incidents: { list: async () => ({ items: [], next: null }), record: async () => true },
    approvals: { approvals: async () => ({ items: [], next: null }) },
    now: () => new Date(),
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
  })
  expect(drills.list()).toEqual([])
  await expect(drills.start('blip', null)).rejects.toThrow('There is no drill blip. There are: none.')
})
