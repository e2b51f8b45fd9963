import { expect, test } from 'vitest'
import { ROLES } from '../../agent/domain/principal.ts'
import { demand, LEAST_ROLE, mayDo, type Permission } from '../../bot/permissions.ts'

const PERMISSIONS = Object.keys(LEAST_ROLE) as Permission[]

test('every role may do what the roles before it may, and nobody without one may do anything', () => {
  for (const permission of PERMISSIONS) {
    const allowed = ROLES.map((role) => mayDo([role], permission))
    expect(allowed).toEqual(allowed.toSorted((a, b) => Number(a) - Number(b)))
    expect(mayDo([], permission)).toBe(false)
    expect(mayDo(['admin'], permission)).toBe(true)
  }
})

test('who may not is told which role it takes', () => {
  expect(() => demand(['viewer'], 'stop')).toThrow('It takes the role approver.')
  expect(() => demand(['viewer', 'approver'], 'stop')).not.toThrow()
})
