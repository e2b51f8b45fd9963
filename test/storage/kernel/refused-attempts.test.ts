import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { createRefusedAttempts } from '../../../storage/refused-attempts.ts'
import { describeKernel, type Kernel, violationsOf } from '../../support/kernel.ts'
import { outcomeOf } from '../../support/kernel-sql.ts'

const attempt = { person: 'vera', what: 'do', code: 'not-authorised', requestId: null } as const

const told = async ({ db }: Pick<Kernel, 'db'>, kind: string): Promise<{ actor: string; facts: unknown }[]> =>
  (
    await sql<{ actor: string; facts: unknown }>`
      select actor, body -> 'facts' as facts from audit_entry where what = ${kind} order by seq`.execute(db)
  ).rows

describeKernel('refused attempts: in the audit log', (kernel) => {
  test('who was refused what is told once an hour, each thing for itself', async () => {
    const { note } = createRefusedAttempts(kernel())
    for (const each of [attempt, attempt, { ...attempt, what: 'stop' }, { ...attempt, person: 'rex' }, attempt]) await note(each)
    const facts = (what: string) => ({ what, code: 'not-authorised' })
    expect(await told(kernel(), 'refused_attempt-written')).toEqual([
      { actor: 'vera', facts: facts('do') },
      { actor: 'vera', facts: facts('stop') },
      { actor: 'rex', facts: facts('do') },
    ])
    await kernel().later(3_601)
    await note(attempt)
    expect(await told(kernel(), 'refused_attempt-written')).toHaveLength(4)
    expect(await violationsOf(kernel())).toEqual([])
  })

  test('nobody fills it: of one person no more than twenty in an hour', async () => {
    const { note } = createRefusedAttempts(kernel())
    for (let i = 0; i < 30; i += 1) await note({ ...attempt, what: `call-${'abcdefghijklmnopqrstuvwxyzABCD'[i]}` })
    expect(await told(kernel(), 'refused_attempt-written')).toHaveLength(20)
    await note({ ...attempt, person: 'rex' })
    expect(await told(kernel(), 'refused_attempt-written')).toHaveLength(21)
  })

  test('nor keeps out of it what was tried at a request, by trying other things before', async () => {
    const { note } = createRefusedAttempts(kernel())
    for (let i = 0; i < 20; i += 1) await note({ ...attempt, what: `call-${'abcdefghijklmnopqrstuvwxyzABCD'[i]}` })
    const { requestId } = await kernel().propose()
    await note({ ...attempt, what: 'vote', requestId })
    expect(await told(kernel(), 'refused_attempt-written')).toHaveLength(21)
  })

  test('a request that it was about is named where there is one', async () => {
    const { note } = createRefusedAttempts(kernel())
    await note({ ...attempt, requestId: 'not an id' })
    await note({ ...attempt, what: 'vote', requestId: '00000000-0000-4000-8000-000000000000' })
    expect(await told(kernel(), 'refused_attempt-written')).toHaveLength(2)
  })

  test.each([
    ['text that somebody typed', { what: 'rm -rf /' }, 'constraint refused_attempt_names_a_call'],
    ['a code that is none', { code: 'NO!' }, 'constraint refused_attempt_has_a_code'],
    ['a person whom nobody knows', { person: 'mallory' }, 'constraint refused_attempt_principal_id_fkey'],
  ])('%s is not kept', async (_what, over, outcome) => {
    const row = { ...attempt, ...over }
    const insert = sql`insert into refused_attempt (principal_id, what, code) values (${row.person}, ${row.what}, ${row.code})`
    expect(await outcomeOf(insert.execute(kernel().db))).toBe(outcome)
  })
})

describeKernel('drills: in the audit log', (kernel) => {
  test('who started one is told, also when it was nobody in particular', async () => {
    const { db } = kernel()
    const start = async (id: string, by: string | null) => {
      await sql`insert into drill_run (id, name, started_at, started_by) values (${id}, 'bad-release', clk(), ${by})`.execute(db)
      await sql`update drill_run set state = 'passed', ended_at = clk(), words = 'x' where id = ${id}`.execute(db)
    }
    await start('run-1', 'vera')
    await start('run-2', null)
    const facts = (by: string | null) => ({ name: 'bad-release', principal_id: by })
    expect(await told(kernel(), 'drill_start-written')).toEqual([
      { actor: 'vera', facts: facts('vera') },
      { actor: 'steadyhand', facts: facts(null) },
    ])
    expect(await violationsOf(kernel())).toEqual([])
  })
})
