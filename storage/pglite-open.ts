import { fsyncSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { PGlite, type PGliteOptions } from '@electric-sql/pglite'
import { NodeFS } from '@electric-sql/pglite/nodefs'
import { vector } from '@electric-sql/pglite-pgvector'
import { VALUE_PARSERS } from './values.ts'

type EngineOptions = Parameters<NodeFS['init']>[1]
type Engine = Parameters<NonNullable<EngineOptions['preRun']>[number]>[0]

/**
 * PGlite's own start parameters, save that fsync stays on for a database on disk: a committed row has to survive a power cut. `fsync` rather
 * than `fdatasync`, because the latter does nothing in this build. Small shared buffers keep 110 MB of memory free; the kernel caches the files.
 */
const START_PARAMETERS = [
  '--single',
  '-O',
  '-j',
  ...settings({
    search_path: 'public',
    exit_on_error: 'false',
    log_checkpoints: 'false',
    max_worker_processes: '0',
    max_parallel_workers: '0',
    max_parallel_workers_per_gather: '0',
    max_parallel_maintenance_workers: '0',
    io_method: 'sync',
    wal_sync_method: 'fsync',
    shared_buffers: '16MB',
    max_wal_size: '64MB',
    min_wal_size: '32MB',
  }),
]

function settings(values: Record<string, string>): string[] {
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}

/** The file system of a database on disk. PGlite's own leaves out fsync, so that a commit would be lost with the machine's power. */
class DurableFileSystem extends NodeFS {
  override async init(database: PGlite, options: EngineOptions): Promise<{ emscriptenOpts: EngineOptions }> {
    const { emscriptenOpts } = await super.init(database, options)
    return { emscriptenOpts: { ...emscriptenOpts, preRun: [...(emscriptenOpts.preRun ?? []), addFsync] } }
  }
}

function addFsync(engine: Engine): void {
  const fileSystems: Record<string, { stream_ops?: object }> = engine.FS.filesystems
  Object.assign(fileSystems['NODEFS']?.stream_ops ?? {}, { fsync: syncFile })
}

function syncFile(stream: { nfd: number }): number {
  fsyncSync(stream.nfd)
  return 0
}

const asText = (text: string): string => text

/**
 * Parameters arrive as text already, so the serialisers that insist on a boolean or on bytes are replaced: the database itself judges. The extension is always loaded (10 ms, 3 MB): a database that uses it cannot be read without.
 */
const SHARED_OPTIONS: PGliteOptions = { parsers: VALUE_PARSERS, serializers: { 16: asText, 17: asText }, extensions: { vector } }

/** Told of the line with which the engine gives up: no room for its log, files that are damaged. */
export type OnPanic = (words: string) => void

/**
 * After a PANIC the engine only looks alive: the statement fails like any other, and the next one never ends. Its last words are in its log.
 */
function watchLog(onPanic: OnPanic): Pick<PGliteOptions, 'onStderr'> {
  return {
    onStderr(line) {
      const words = /\b(?:PANIC|FATAL): +(.+)/.exec(line)?.[1]
      if (words) onPanic(words)
      return false
    },
  }
}

/** Opens the database in a folder; creates it if there is none, which leaves some 400 MB of memory behind. */
export async function openPgliteFolder(folder: string, onPanic: OnPanic): Promise<PGlite> {
  removeEmptyLock(join(folder, 'postmaster.pid'))
  return await PGlite.create({
    ...SHARED_OPTIONS,
    ...watchLog(onPanic),
    fs: new DurableFileSystem(folder),
    startParams: START_PARAMETERS,
  })
}

/**
 * The engine's own lock, empty, is what a process leaves that was killed between making and writing it; the engine would refuse to start for ever. Whoever
 * opens the folder holds the lock of the data directory, which the kernel frees with its process: nobody else is starting here.
 */
function removeEmptyLock(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.size === 0) rmSync(path)
}

/** Opens a database in memory, from a tar of a data directory if one is given. It is gone when closed. */
export async function openPgliteMemory(template: Uint8Array | null, onPanic: OnPanic): Promise<PGlite> {
  const source: PGliteOptions = template ? { loadDataDir: new Blob([new Uint8Array(template)]) } : {}
  return await PGlite.create({
    ...SHARED_OPTIONS,
    ...watchLog(onPanic),
    ...source,
    dataDir: 'memory://',
    startParams: [...START_PARAMETERS, '-F'],
  })
}
