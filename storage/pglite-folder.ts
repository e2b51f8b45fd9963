import { spawn } from 'node:child_process'
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { toUnusable } from './data-directory.ts'
import { DataDirectoryUnusable } from './errors.ts'

const PROGRAM = fileURLToPath(new URL('./pglite-create.ts', import.meta.url))
/** Creating takes 1.5–6 s; beyond this something hangs. */
const CREATE_MS = 120_000

/**
 * Makes sure that the folder holds a database. A new one is created by a child process, because that leaves some 400 MB in the memory of whoever
 * does it, and beside its place first, so that a crash leaves either nothing or a whole database.
 *
 * @returns true if it was created now.
 * @throws DataDirectoryUnusable when it cannot be created.
 */
export async function ensurePgliteFolder(folder: string): Promise<boolean> {
  if (existsSync(join(folder, 'PG_VERSION'))) return false
  const draft = `${folder}.new`
  try {
    rmSync(draft, { recursive: true, force: true })
    await runCreate(draft)
    renameSync(draft, folder)
    syncDirectory(dirname(folder))
    return true
  } catch (error) {
    rmSync(draft, { recursive: true, force: true })
    throw toUnusable(folder, error)
  }
}

async function runCreate(folder: string): Promise<void> {
  const child = spawn(process.execPath, [PROGRAM, folder], {
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: CREATE_MS,
    killSignal: 'SIGKILL',
  })
  let words = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    words = `${words}${text}`.slice(-4_000)
  })
  const ended = await new Promise<{ code: number | null; signal: string | null }>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code, signal }))
  })
  if (ended.code === 0) return
  const full = /ENOSPC|No space left|EDQUOT/.test(words)
  throw full
    ? Object.assign(new Error(words), { code: 'ENOSPC' })
    : new DataDirectoryUnusable(
        'not-created',
        `The database in ${folder} could not be created (${ended.signal ?? `exit ${ended.code}`}): ${words.trim() || 'no words'}`,
      )
}

function syncDirectory(path: string): void {
  if (process.platform === 'win32') return
  const handle = openSync(path, 'r')
  fsyncSync(handle)
  closeSync(handle)
}
