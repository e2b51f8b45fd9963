import { expect, test } from 'vitest'
import { createCookie } from '../../bot/cookie.ts'

const token = 'a'.repeat(43)

test('over https it belongs to this very host, and goes out by https only', () => {
  const cookie = createCookie('session', { secure: true, sameSite: 'Lax' })
  expect(cookie.set(token, 60)).toBe(`__Host-session=${token}; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure`)
  expect(cookie.clear()).toBe('__Host-session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure')
  expect(cookie.read(`a=b; __Host-session=${token}`)).toBe(token)
  expect(cookie.read(`session=${token}`)).toBeNull()
})

test('by http it has no prefix, and what is no token is nothing', () => {
  const cookie = createCookie('session', { secure: false, sameSite: 'Strict' })
  expect(cookie.set(token, 60)).toBe(`session=${token}; Path=/; Max-Age=60; HttpOnly; SameSite=Strict`)
  for (const header of [undefined, '', `xsession=${token}`, `session=${token}x`, 'session=', `__Host-session=${token}`])
    expect(cookie.read(header)).toBeNull()
})
