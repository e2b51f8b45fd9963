import { expect, it } from 'vitest'
import type { StepAt } from '../../agent/investigation/transcript.ts'
import { createIncidentStore } from '../../storage/incidents.ts'
import { createModelRunStore } from '../../storage/model-runs.ts'
import { createRetained } from '../../storage/retention.ts'
import { alert } from '../support/alerts.ts'
import { describeDatabases } from '../support/database.ts'

const at = new Date('2026-03-01T10:42:00.000Z')
const now = (): Date => at
const failed: StepAt = { kind: 'failed', provider: 'p', model: 'm', price: null, code: 'timeout', words: 'no answer', at }
const ended: StepAt = { kind: 'ended', outcome: 'stopped', words: 'its time was over', opinion: null, at }

describeDatabases("rows of a model's investigations", (store) => {
  const database = store.perTest()
  const open = async (): Promise<string> => {
    const { incidentId } = await createIncidentStore({ db: database().db, now }).absorb(alert(), null, () => ({
      ...{ do: 'open', title: 'payments fails', service: 'payments', environment: 'shop', severity: 1 },
      ...{ severityReason: 'level critical', drillRun: null, reason: 'it is firing' },
    }))
    if (incidentId === null) throw new Error('an incident was expected')
    return incidentId
  }

  it('come back as they were written, run by run', async () => {
    const runs = createModelRunStore({ db: database().db, now })
    const id = await open()
    expect(await runs.latest(id)).toBeNull()
    const first = await runs.start(id, 'investigation')
    await runs.append(first.id, 1, failed)
    const second = await runs.start(id, 'investigation')
    await runs.append(second.id, 1, failed)
    await runs.append(second.id, 2, ended)
    expect([first.number, second.number]).toEqual([1, 2])
    expect(await runs.latest(id)).toEqual({ ...second, steps: [failed, ended] })
    expect(await runs.trace(id)).toEqual([
      { number: 1, purpose: 'investigation', steps: [failed] },
      { number: 2, purpose: 'investigation', steps: [failed, ended] },
    ])
  })

  it('belong to one process: the same step is written once', async () => {
    const runs = createModelRunStore({ db: database().db, now })
    const { id } = await runs.start(await open(), 'investigation')
    await runs.append(id, 1, failed)
    await expect(runs.append(id, 1, ended)).rejects.toThrow()
  })

  it('are never changed', async () => {
    const { db } = database()
    const runs = createModelRunStore({ db, now })
    const { id } = await runs.start(await open(), 'investigation')
    await runs.append(id, 1, failed)
    await expect(db.deleteFrom('model_step').where('run_id', '=', id).execute()).rejects.toThrow('append-only')
    await expect(db.updateTable('model_run').set({ number: 7 }).where('id', '=', id).execute()).rejects.toThrow('append-only')
  })

  it('are forgotten with the evidence of an incident that is over, and only then', async () => {
    const { db } = database()
    const runs = createModelRunStore({ db, now })
    const retained = createRetained({ db })
    const incident = await open()
    const { id } = await runs.start(incident, 'investigation')
    await runs.append(id, 1, failed)
    const later = new Date('2099-01-01')
    expect(await retained.modelSteps(later)).toBe(0)
    await createIncidentStore({ db, now }).record(incident, { kind: 'incident-healed', text: 'It is over.', state: 'healed' })
    expect([await retained.modelSteps(later), await retained.modelSteps(later)]).toEqual([1, 0])
    expect((await runs.latest(incident))?.steps).toEqual([])
  })
})
