import pg from 'pg'
import { expect, test } from 'vitest'
import { DatabaseBusy, DatabaseUnavailable, isDatabaseAway, StatementRefused } from '../../storage/errors.ts'

const coded = (code: string): Error => Object.assign(new Error('words'), { code })

test('a database that is away is told from one that refuses', async () => {
  const unreachable = await new pg.Client('postgres://anna@127.0.0.1:1/x').connect().catch((error: unknown) => error)
  const away = [unreachable, coded('57P01'), coded('08006'), coded('ECONNRESET'), new Error('Connection terminated unexpectedly')]
  const refused = [coded('23505'), coded('42601'), coded('57014'), new Error('words'), 'Connection terminated', null]
  const fault = { message: 'words', constraint: null, table: null, detail: null, hint: null }
  expect([...away, new DatabaseUnavailable('words'), new DatabaseBusy('words')].map(isDatabaseAway)).not.toContain(false)
  expect([...refused, new StatementRefused({ ...fault, code: '23505' })].map(isDatabaseAway)).not.toContain(true)
})
