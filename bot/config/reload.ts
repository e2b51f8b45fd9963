import { statSync } from 'node:fs'
import { ConfigError, type Settings } from '../config.ts'
import type { LiveSecrets } from './live-secrets.ts'

export interface ReloadDeps {
  /** The settings of the start, for the files they came from. */
  settings: Pick<Settings, 'files'>
  live: Pick<LiveSecrets, 'exchange'>
  /** Reads everything again. @throws ConfigError */
  read(): Settings
  /** What of a file changes whenever it does: its time, size and inode; null when it is not there. */
  signatureOf(path: string): string | null
  /** Tells people. */
  page(words: string): Promise<void>
  log: {
    info(object: object, message: string): void
    warn(object: object, message: string): void
    error(object: object, message: string): void
  }
}

/**
 * Looks whether a file changed that settings came from, and if so reads them all again, by the same rules as a start. What cannot be used changes
 * nothing and is told; what can be exchanged is, and the rest is named. The returned function is called every few seconds.
 */
export function createReload({ settings, live, read, signatureOf, page, log }: ReloadDeps): () => Promise<void> {
  let { files } = settings
  const signatures = (): string => JSON.stringify(files.map(signatureOf))
  let seen = signatures()
  return async () => {
    const now = signatures()
    if (now === seen) return
    seen = now
    try {
      const fresh = read()
      files = fresh.files
      seen = signatures()
      const { taken, waits } = live.exchange(fresh)
      if (taken.length > 0) log.info({ taken }, 'settings were exchanged')
      if (waits.length > 0) log.warn({ waits }, 'settings changed that need a start')
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      log.error({ problems: error.problems }, 'settings changed and cannot be used; the former ones hold')
      // Without the problems: a chat is no place for what stands in settings.
      await page(
        'Settings changed and cannot be used; the former ones hold. The log says why, and so does "steadyhand doctor" on the host.',
      )
    }
  }
}

/** A Secret that is mounted is exchanged by another link to another folder: its inode changes with it. */
export function signatureOf(path: string): string | null {
  try {
    const { ino, size, mtimeMs } = statSync(path)
    return `${ino} ${size} ${mtimeMs}`
  } catch {
    // Why it cannot be looked at is said by reading it.
    return null
  }
}
