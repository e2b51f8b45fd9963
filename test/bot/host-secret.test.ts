import { chmodSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openHostSecret, readHostSecret } from '../../bot/host-secret.ts'

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'steadyhand-secret-'))
  file = join(folder, 'host-secret')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('is made once, for this user alone, and stays', () => {
  expect(readHostSecret(folder)).toBeNull()
  const secret = openHostSecret(folder)
  expect(secret).toMatch(/^[\w-]{43}$/)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect([openHostSecret(folder), readHostSecret(folder)]).toEqual([secret, secret])
})

test('one that others could read, a link, and one that is none are replaced', () => {
  const first = openHostSecret(folder)
  chmodSync(file, 0o644)
  expect(readHostSecret(folder)).toBeNull()
  const second = openHostSecret(folder)
  expect(second).not.toBe(first)
  rmSync(file)
  writeFileSync(join(folder, 'planted'), 'p'.repeat(43), { mode: 0o600 })
  symlinkSync(join(folder, 'planted'), file)
  expect(openHostSecret(folder)).not.toBe('p'.repeat(43))
  writeFileSync(file, 'short', { mode: 0o600 })
  expect(openHostSecret(folder)).toMatch(/^[\w-]{43}$/)
  expect(statSync(file).mode & 0o777).toBe(0o600)
})
