import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import { DataDirectoryUnusable } from './errors.ts'

/** A held data directory. Nobody else can hold it until `release`, or until this process ends, however it ends. */
export interface DataDirectory {
  /** The absolute path. */
  path: string
  /** Where PGlite keeps its files. */
  database: string
  release(): void
}

export interface DataDirectoryOptions {
  now: () => Date
  /** The file system's magic number for a path; another one in tests. */
  fileSystemType?: (path: string) => number
}

const holderSchema = z.object({ pid: z.number().int(), since: z.string().max(40), command: z.string().max(300) })
type Holder = z.infer<typeof holderSchema>

/**
 * File systems on which a lock of one machine means nothing to another: statfs f_type, from linux/magic.h and the vendors' headers. Elsewhere
 * than on Linux statfs has other numbers, none of them among these.
 */
const NETWORK_FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
  [0x01021997, '9p'],
  [0x00c36400, 'Ceph'],
  [0x5346414f, 'AFS'],
  [0x6b414653, 'AFS'],
  [0x73757245, 'Coda'],
  [0x564c, 'NCP'],
  [0x0bd00bd0, 'Lustre'],
  [0x47504653, 'GPFS'],
  [0x7461636f, 'OCFS2'],
  [0x01161970, 'GFS2'],
  [0x19830326, 'BeeGFS'],
  [0xaad7aaea, 'PanFS'],
  [0x786f4256, 'VirtualBox shared folder'],
  [0xbacbacbc, 'VMware shared folder'],
])

/**
 * Creates the directory if needed and takes its lock, which the kernel frees when the process ends.
 *
 * @throws DataDirectoryUnusable with what to do: held by another process (which one, since when), on a network file system, not writable, full.
 */
export function holdDataDirectory(directory: string, { now, fileSystemType = readFileSystemType }: DataDirectoryOptions): DataDirectory {
  const path = prepareDirectory(directory)
  refuseNetworkFileSystem(path, fileSystemType(path))
  const lock = takeLock(path)
  const holderFile = join(path, 'holder.json')
  try {
    writeHolder(holderFile, { pid: process.pid, since: now().toISOString(), command: describeCommand() })
  } catch (error) {
    lock.close()
    throw toUnusable(path, error)
  }
  return {
    path,
    database: join(path, 'pglite'),
    release() {
      rmSync(holderFile, { force: true })
      lock.close()
    },
  }
}

function prepareDirectory(directory: string): string {
  try {
    makeDirectory(resolve(directory))
    accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK)
    return realpathSync(directory)
  } catch (error) {
    throw toUnusable(directory, error)
  }
}

/** With its parents, one after the other: Node's own way to do that never returns where the kernel denies that a folder exists, as in /proc. */
function makeDirectory(path: string): void {
  if (existsSync(path)) return
  if (dirname(path) !== path) makeDirectory(dirname(path))
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
}

function refuseNetworkFileSystem(path: string, type: number): void {
  const name = NETWORK_FILE_SYSTEMS.get(type >>> 0)
  if (!name) return
  const advice = 'Choose a directory on a local disk, or use PostgreSQL with DATABASE_URL.'
  throw new DataDirectoryUnusable(
    'network-file-system',
    `The data directory ${path} lies on a network file system (${name}), where two machines could open it at once. ${advice}`,
  )
}

function readFileSystemType(path: string): number {
  return statfsSync(path).type
}

/**
 * SQLite's exclusive lock is a kernel lock on the file. The file is opened here and nowhere else: closing any second handle of the same process
 * would drop a POSIX lock.
 */
function takeLock(path: string): DatabaseSync {
  let lock: DatabaseSync | null = null
  try {
    lock = new DatabaseSync(join(path, 'lock.sqlite'), { timeout: 0 })
    // Nothing is ever written, so nothing but the lock may need room on the disk.
    lock.exec('PRAGMA journal_mode = MEMORY')
    lock.exec('BEGIN EXCLUSIVE')
    return lock
  } catch (error) {
    lock?.close()
    if (sqliteCode(error) === SQLITE_BUSY)
      throw new DataDirectoryUnusable('in-use', `The data directory ${path} is in use by ${describeHolder(path)}. ${IN_USE_ADVICE}`)
    throw toUnusable(path, error)
  }
}

const IN_USE_ADVICE = 'Stop that process first, or start this one with another data directory.'
const SQLITE_BUSY = 5
const SQLITE_FULL = 13

function sqliteCode(error: unknown): number | null {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : null
}

function describeHolder(path: string): string {
  const holder = readHolder(join(path, 'holder.json'))
  return holder ? `process ${holder.pid} (${holder.command}), since ${holder.since}` : 'another process'
}

/** Written beside the target and renamed, so that a reader never sees half of it. */
function writeHolder(file: string, holder: Holder): void {
  const draft = `${file}.${process.pid}`
  writeFileSync(draft, `${JSON.stringify(holder)}\n`, { mode: 0o600 })
  renameSync(draft, file)
}

function readHolder(file: string): Holder | null {
  try {
    return holderSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    // The holder has only just taken the lock, or the file is damaged: the lock alone decides.
    return null
  }
}

function describeCommand(): string {
  const [, script = 'node', ...rest] = process.argv
  return [script, ...rest.slice(0, 3)].join(' ').slice(0, 300)
}

const NOT_WRITABLE: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST', 'ERR_SQLITE_ERROR'])
const FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT'])

/** An error of the file system, in words that say what to do. */
export function toUnusable(path: string, error: unknown): DataDirectoryUnusable {
  if (error instanceof DataDirectoryUnusable) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const words = error instanceof Error ? error.message : String(error)
  if (FULL.has(code) || sqliteCode(error) === SQLITE_FULL) {
    return new DataDirectoryUnusable('disk-full', `The disk of the data directory ${path} is full. Free some space and start again.`, {
      cause: error,
    })
  }
  if (NOT_WRITABLE.has(code)) {
    const user = process.getuid ? ` as user ${process.getuid()}` : ''
    return new DataDirectoryUnusable(
      'not-writable',
      `The data directory ${path} cannot be written${user} (${words}). Give this user the directory, or choose another one.`,
      { cause: error },
    )
  }
  return new DataDirectoryUnusable('not-created', `The data directory ${path} cannot be used: ${words}.`, { cause: error })
}
