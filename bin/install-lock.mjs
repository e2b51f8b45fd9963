import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { say } from './say.mjs'

const LOOK_AGAIN_MS = 250

/**
 * Lets one process at a time install into a folder; the others wait until it has ended, however it ended.
 * @param {string} root the project's folder
 * @param {() => Promise<void>} work
 */
export async function withInstallLock(root, work) {
  const path = join(root, '.npm-ci.lock')
  let told = false
  while (!take(path)) {
    const holder = readHolder(path)
    // In a container the process ids begin anew: a lock in this process's own name is of an earlier life.
    if (holder === null || holder === process.pid || !isAlive(holder)) {
      rmSync(path, { force: true })
      continue
    }
    if (!told) say(`Process ${holder} is installing the dependencies; waiting for it …`)
    told = true
    await wait(LOOK_AGAIN_MS)
  }
  try {
    await work()
  } finally {
    rmSync(path, { force: true })
  }
}

/** The lock appears with its holder in it, never empty: a link either makes a whole file or fails. */
function take(path) {
  const own = `${path}.${process.pid}`
  try {
    writeFileSync(own, String(process.pid))
    linkSync(own, path)
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw new Error(
      `The dependencies must be installed, and ${path} cannot be written (${error.code}). Run "npm ci" there as a user who may.`,
      {
        cause: error,
      },
    )
  } finally {
    rmSync(own, { force: true })
  }
}

function readHolder(path) {
  try {
    const pid = Number.parseInt(readFileSync(path, 'utf8'), 10)
    return Number.isNaN(pid) ? null : pid
  } catch (error) {
    if (error.code === 'ENOENT') return null
    throw error
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}
