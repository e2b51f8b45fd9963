import { statSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
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

/** A file that is being written looks broken once, in passing. */
const LOOKS_BEFORE_TELLING = 2
/** What was wrong at the last look, and for how many looks it has been the same. */
const WELL = { problems: '', looks: 0 }

/**
 * Looks whether a file changed that settings came from, and if so reads them all again, by the same rules as a start. What cannot be used changes
 * nothing and is told, once it was found so twice in a row; what can be exchanged is, and the rest is named. The returned function is called every
 * few seconds.
 */
export function createReload({ settings, live, read, signatureOf, page, log }: ReloadDeps): () => Promise<void> {
  let { files } = settings
  const signatures = (paths: readonly string[]): string => JSON.stringify(paths.map(signatureOf))
  // What was exchanged between the reading of the start and now is found by the first look.
  let seen: string | null = null
  let failing = WELL
  /** Everything, with signatures from before it was read: what is exchanged meanwhile is found by the next look. */
  const readAgain = (before: string): { fresh: Settings; before: string } => {
    const fresh = read()
    if (isDeepStrictEqual(fresh.files, files)) return { fresh, before }
    const ofOthers = signatures(fresh.files)
    return { fresh: read(), before: ofOthers }
  }
  return async () => {
    const now = signatures(files)
    if (now === seen) {
      failing = WELL
      return
    }
    try {
      const { fresh, before } = readAgain(now)
      failing = WELL
      files = fresh.files
      seen = before
      const { taken, waits } = live.exchange(fresh)
      if (taken.length > 0) log.info({ taken }, 'settings were exchanged')
      if (waits.length > 0) log.warn({ waits }, 'settings changed that need a start')
    } catch (error) {
      if (!(error instanceof ConfigError)) {
        seen = now
        throw error
      }
      const problems = JSON.stringify(error.problems)
      failing = { problems, looks: problems === failing.problems ? failing.looks + 1 : 1 }
      if (failing.looks < LOOKS_BEFORE_TELLING) return
      if (failing.looks === LOOKS_BEFORE_TELLING)
        log.error({ problems: error.problems }, 'settings changed and cannot be used; the former ones hold')
      // Without the problems: a chat is no place for what stands in settings.
      await page(
        'Settings changed and cannot be used; the former ones hold. The log says why, and so does "steadyhand doctor" on the host.',
      )
      // Only now: when nobody could be told, the next look tries again.
      failing = WELL
      seen = now
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
