import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { createDrillRunStore } from '../../storage/drill-runs.ts'
import { describeDatabases } from '../support/database.ts'

const STARTED = new Date('2026-03-01T10:42:05.000Z')
const ENDED = new Date('2026-03-01T10:43:05.000Z')

describeDatabases('runs of drills', (store) => {
  const database = store.perTest()

  test('go from running to their end, and stay as they ended', async () => {
    const runs = createDrillRunStore(database())
    expect(await runs.running()).toBeNull()
    expect(await runs.open({ run: 'r1', name: 'bad-release', startedAt: STARTED, startedBy: null })).toBe(true)
    const begun = {
      run: 'r1',
      name: 'bad-release',
      state: 'running',
      incident: null,
      approvals: [],
      startedAt: STARTED,
      startedBy: null,
      ended: null,
      words: null,
    }
    expect(await runs.running()).toEqual(begun)
    await runs.progress('r1', { incident: null, approvals: ['a1', 'a2'] })
    await runs.end('r1', { state: 'passed', words: 'It was mended.', ended: ENDED })
    const over = { ...begun, approvals: ['a1', 'a2'], state: 'passed', words: 'It was mended.', ended: ENDED }
    expect(await runs.get('r1')).toEqual(over)
    await runs.end('r1', { state: 'failed', words: 'No.', ended: ENDED })
    await runs.progress('r1', { incident: null, approvals: [] })
    expect(await runs.get('r1')).toEqual(over)
    expect(await runs.running()).toBeNull()
    expect(await runs.get('r2')).toBeNull()
  })

  test('are one at a time, however many want to begin', async () => {
    const runs = createDrillRunStore(database())
    const begun = await Promise.all(
      Array.from({ length: 8 }, (_, i) => runs.open({ run: `r${i}`, name: 'blip', startedAt: STARTED, startedBy: null })),
    )
    expect(begun.filter(Boolean)).toHaveLength(1)
    const running = await runs.running()
    await runs.end(running?.run ?? '', { state: 'failed', words: 'Stopped.', ended: ENDED })
    expect(await runs.open({ run: 'next', name: 'blip', startedAt: ENDED, startedBy: null })).toBe(true)
  })

  test.each([
    ['an end without its moment', sql`update drill_run set state = 'passed', words = 'x'`, '23514'],
    ['an end without its reason', sql`update drill_run set state = 'passed', ended_at = now()`, '23514'],
    ['another starter', sql`update drill_run set started_by = 'alice'`, 'SH002'],
    ['another name', sql`update drill_run set name = 'other'`, 'SH002'],
    ['a deletion', sql`delete from drill_run`, 'SH002'],
    ['an incident that is not there', sql`update drill_run set incident_id = 'inc-77'`, '23503'],
  ])('refuse %s', async (_title, statement, code) => {
    const { db } = database()
    await createDrillRunStore({ db }).open({ run: 'r1', name: 'blip', startedAt: STARTED, startedBy: null })
    await expect(statement.execute(db)).rejects.toMatchObject({ code })
  })
})
