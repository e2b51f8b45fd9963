import { holdDataDirectory } from '../../../storage/data-directory.ts'

/*
 * Holds the data directory named by its argument and says so, until it is killed; says why when it cannot.
 */

const directory = process.argv[2] ?? ''
try {
  const held = holdDataDirectory(directory, { now: () => new Date('2026-03-01T10:00:00Z') })
  process.stdout.write(`held ${held.path}\n`)
  setInterval(() => {}, 60_000)
} catch (error) {
  process.stdout.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
