import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { headerSchema } from '../../../storage/backup/format.ts'
import { publishBackup } from '../../../storage/backup/publish.ts'
import { type CheckedBackup, checkBackup } from '../../../storage/backup/read.ts'
import { restore } from '../../../storage/backup/restore.ts'
import { writeBackup } from '../../../storage/backup/write.ts'
import { backUp, filesOfSuite } from '../../support/backup.ts'
import { describeDatabases } from '../../support/database.ts'

const SEED = 20_260_301
const origin = { product: '0.0.0-test', takenAt: new Date('2026-03-01T12:00:00Z') }

describeDatabases('the file of a backup', (store) => {
  const database = store.perSuite()
  const file = filesOfSuite()
  let made: CheckedBackup
  let bytes: Buffer
  beforeAll(async () => {
    made = await backUp(database(), file('whole'))
    bytes = readFileSync(made.path)
  })
  const withBytes = (changed: Uint8Array): string => {
    const path = file('changed')
    writeFileSync(path, changed)
    return path
  }
  const withHeader = (over: Record<string, unknown>): string => {
    const end = bytes.indexOf('\n')
    const header = { ...JSON.parse(bytes.toString('utf8', 0, end)), ...over }
    return withBytes(Buffer.concat([Buffer.from(JSON.stringify(header)), bytes.subarray(end)]))
  }

  test('begins with what it is, and only its owner reads it', () => {
    const header = headerSchema.parse(JSON.parse(bytes.toString('utf8', 0, bytes.indexOf('\n'))))
    expect(header).toEqual(made.header)
    expect(header).toMatchObject({ store: store.kind, migrations: expect.arrayContaining(['0001-foundation', '0003-kernel']) })
    expect(statSync(made.path).mode & 0o777).toBe(0o600)
    expect(made.bytes).toBe(bytes.length)
  })

  test('overwrites nothing, and leaves no draft behind', async () => {
    const draft = file('draft')
    await writeBackup(database(), draft, origin)
    await expect(publishBackup(draft, made.path)).rejects.toThrow('exists already, and a backup overwrites nothing')
    expect(readFileSync(made.path).equals(bytes)).toBe(true)
    expect(readdirSync(dirname(draft)).filter((name) => name.includes('draft'))).toEqual([])
  })

  test('that is another file, or of another version, is refused in words', async () => {
    await expect(checkBackup('/nowhere/file')).rejects.toThrow('/nowhere/file cannot be read')
    await expect(checkBackup(withBytes(Buffer.from('PK\u0003\u0004')))).rejects.toThrow('is no backup of Steadyhand')
    await expect(checkBackup(dirname(made.path))).rejects.toThrow(/is no file|cannot be read/)
    await expect(checkBackup(withHeader({ version: 2 }))).rejects.toThrow('written by a newer Steadyhand (format 2; this one reads 1)')
    await expect(checkBackup(withHeader({ audit: { entries: 1, head: 'f'.repeat(64) } }))).rejects.toThrow('its SHA-256 is another one')
    await expect(checkBackup(withHeader({ more: 1 }))).rejects.toThrow('its header is not well-formed')
  })

  test('any byte that is changed or missing is found before anything is touched', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: bytes.length - 1 }), fc.integer({ min: 1, max: 255 }), fc.boolean(), async (at, flip, cut) => {
        const changed = cut ? bytes.subarray(0, at) : Buffer.from(bytes)
        if (!cut) changed[at] = (changed[at] ?? 0) ^ flip
        await expect(checkBackup(withBytes(changed))).rejects.toThrow(/^\S+ (is damaged|is no backup|was written by a newer)/)
      }),
      { seed: SEED, numRuns: 60 },
    )
    const options = { dataDir: file('untouched'), databaseUrl: null, replace: true, now: () => new Date() }
    await expect(restore({ ...options, file: withBytes(bytes.subarray(0, -1)) })).rejects.toThrow('is damaged')
    expect(statSync(options.dataDir, { throwIfNoEntry: false })).toBe(undefined)
  })
})
