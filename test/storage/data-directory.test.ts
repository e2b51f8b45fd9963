import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { holdDataDirectory, toUnusable } from '../../storage/data-directory.ts'
import { DataDirectoryUnusable } from '../../storage/errors.ts'

const PROGRAM = new URL('./programs/hold-directory.ts', import.meta.url).pathname
const now = (): Date => new Date('2026-03-01T11:00:00Z')

let directory: string
const children: ChildProcess[] = []

beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), 'steadyhand-directory-')), 'data')
})

afterEach(async () => {
  for (const child of children.splice(0)) await kill(child)
  rmSync(join(directory, '..'), { recursive: true, force: true })
})

/** Starts another process that tries to hold the directory, and returns the first line it says. */
async function holdElsewhere(options: { uid?: number } = {}): Promise<{ child: ChildProcess; line: string }> {
  const child = spawn(process.execPath, [PROGRAM, directory], { stdio: ['ignore', 'pipe', 'inherit'], ...options })
  children.push(child)
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
  return { child, line }
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

function refusalOf(work: () => unknown): DataDirectoryUnusable {
  try {
    work()
  } catch (error) {
    if (error instanceof DataDirectoryUnusable) return error
    throw error
  }
  throw new Error('nothing was refused')
}

describe('the data directory', () => {
  test('is created, held, and given back', () => {
    const held = holdDataDirectory(directory, { now })
    expect(held.database.startsWith(held.path)).toBe(true)
    expect(JSON.parse(readFileSync(join(directory, 'holder.json'), 'utf8'))).toMatchObject({
      pid: process.pid,
      since: '2026-03-01T11:00:00.000Z',
    })
    held.release()
    expect(existsSync(join(directory, 'holder.json'))).toBe(false)
    holdDataDirectory(directory, { now }).release()
  })

  test('is refused to a second process, with the name of the first', async () => {
    const held = holdDataDirectory(directory, { now })
    const { line, child } = await holdElsewhere()
    expect(line).toContain(`is in use by process ${process.pid} (`)
    expect(line).toContain('since 2026-03-01T11:00:00.000Z')
    expect(line).toContain('Stop that process first')
    await once(child, 'close')
    expect(child.exitCode).toBe(1)
    held.release()
    expect((await holdElsewhere()).line).toBe(`held ${held.path}`)
  })

  test('is refused a second time within one process, and the lock survives that', async () => {
    const held = holdDataDirectory(directory, { now })
    expect(refusalOf(() => holdDataDirectory(directory, { now })).code).toBe('in-use')
    expect((await holdElsewhere()).line).toContain('in use')
    held.release()
  })

  test('is free again the moment its holder is killed', async () => {
    const { child, line } = await holdElsewhere()
    expect(line).toMatch(/^held /)
    expect(refusalOf(() => holdDataDirectory(directory, { now })).message).toContain(`process ${child.pid} (${PROGRAM}`)
    await kill(child)
    expect(existsSync(join(directory, 'holder.json'))).toBe(true)
    holdDataDirectory(directory, { now }).release()
  })

  test('goes to exactly one of several processes that want it at once', async () => {
    const lines = await Promise.all(Array.from({ length: 4 }, async () => (await holdElsewhere()).line))
    expect(lines.filter((line) => line.startsWith('held '))).toHaveLength(1)
    expect(lines.filter((line) => line.includes('is in use by'))).toHaveLength(3)
  })

  test('is refused without a name when the file that names the holder is damaged', async () => {
    await holdElsewhere()
    writeFileSync(join(directory, 'holder.json'), '{"pid":')
    expect(refusalOf(() => holdDataDirectory(directory, { now })).message).toContain('is in use by another process. Stop')
  })

  test.each([
    ['NFS', 0x6969],
    ['SMB2', 0xfe534d42 | 0],
    ['CIFS', 0xff534d42],
    ['9p', 0x01021997],
    ['Ceph', 0x00c36400],
    ['Lustre', 0x0bd00bd0],
    ['GPFS', 0x47504653],
  ])('is refused on %s', (name, type) => {
    const refusal = refusalOf(() => holdDataDirectory(directory, { now, fileSystemType: () => type }))
    expect(refusal.code).toBe('network-file-system')
    expect(refusal.message).toContain(`network file system (${name})`)
    expect(refusal.message).toContain('DATABASE_URL')
  })

  test('is refused where it cannot be created', () => {
    const file = join(directory, '..', 'file')
    writeFileSync(file, '')
    const refusal = refusalOf(() => holdDataDirectory(join(file, 'data'), { now }))
    expect(refusal.code).toBe('not-writable')
    expect(refusal.message).toContain('cannot be written')
  })

  test.runIf(existsSync('/proc/self'))('is refused where the kernel makes no folders, instead of trying for ever', () => {
    const refusal = refusalOf(() => holdDataDirectory('/proc/steadyhand/data', { now }))
    expect(refusal.message).toContain('/proc/steadyhand/data')
  })

  test('is refused where this user may not write', async () => {
    holdDataDirectory(directory, { now }).release()
    chmodSync(join(directory, '..'), 0o755)
    chmodSync(directory, 0o555)
    // The administrator may write anywhere, so another user has to try.
    const { line } = await holdElsewhere(process.getuid?.() === 0 ? { uid: 65_534 } : {})
    chmodSync(directory, 0o755)
    expect(line).toContain('cannot be written as user')
  })

  test('tells of a full disk in words', () => {
    let full: unknown
    try {
      writeFileSync('/dev/full', 'x')
    } catch (error) {
      full = error
    }
    expect(toUnusable('/data', full)).toMatchObject({ code: 'disk-full', message: expect.stringContaining('is full. Free some space') })
  })
})
