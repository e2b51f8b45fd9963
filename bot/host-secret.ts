import { randomBytes } from 'node:crypto'
import { lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const NAME = 'host-secret'
const SHAPE = /^[\w-]{43}$/

/**
 * What proves that a caller is the operator on this machine: who can read a file in the data directory that only the user of the process can
 * read. Made at the first start; one that others could have read is replaced.
 */
export function openHostSecret(dataDir: string): string {
  const known = readHostSecret(dataDir)
  if (known !== null) return known
  const secret = randomBytes(32).toString('base64url')
  mkdirSync(dataDir, { recursive: true })
  rmSync(join(dataDir, NAME), { force: true })
  writeFileSync(join(dataDir, NAME), `${secret}\n`, { mode: 0o600, flag: 'wx' })
  return secret
}

/** The secret of a data directory; null when there is none that is good. @throws Error when this user may not read it */
export function readHostSecret(dataDir: string): string | null {
  const path = join(dataDir, NAME)
  const file = lstatSync(path, { throwIfNoEntry: false })
  if (!file?.isFile() || (file.mode & 0o077) !== 0) return null
  const secret = readFileSync(path, 'utf8').trim()
  return SHAPE.test(secret) ? secret : null
}
