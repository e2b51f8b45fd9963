import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

const BUILT_IN = join(import.meta.dirname, '..', 'runbooks')
const MAX_FILES = 500
const MAX_BYTES = 64 * 1024
/** What explains the folder is no runbook. */
const README = /^readme\.md$/i

export interface RunbookFolder {
  files: { name: string; text: string }[]
  /** What was left out, and why, in words. */
  problems: string[]
}

/** The Markdown files that come with the product and those of a team's own folder; one of the team stands in for a built-in one of its name. What is too much is left out and said. */
export function readRunbookFolders({ folder: own }: { folder: string | null }): RunbookFolder {
  const folders = [BUILT_IN, ...(own === null ? [] : [own])]
  const files = new Map<string, string>()
  const problems: string[] = []
  for (const folder of folders) {
    for (const name of namesIn(folder, problems)) {
      const text = readRunbookFile(join(folder, name), problems)
      if (text === null) continue
      if (files.size < MAX_FILES || files.has(name)) files.set(name, text)
      else problems.push(`${join(folder, name)} is left out: at most ${MAX_FILES} runbooks are read.`)
    }
  }
  return { files: [...files].map(([name, text]) => ({ name, text })), problems: problems.slice(0, MAX_FILES) }
}

export function isRunbookName(name: string): boolean {
  return /\.md$/i.test(name) && !README.test(name)
}

function namesIn(folder: string, problems: string[]): string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true })
    return entries
      .filter((entry) => entry.isFile() && isRunbookName(entry.name))
      .map(({ name }) => name)
      .toSorted()
  } catch (error) {
    problems.push(`The runbooks in ${folder} cannot be read (${wordsOf(error)}).`)
    return []
  }
}

/** The text of one file; null, with why in `problems`, when it is too much or cannot be read. */
export function readRunbookFile(path: string, problems: string[]): string | null {
  try {
    const { size } = statSync(path)
    if (size <= MAX_BYTES) return readFileSync(path, 'utf8')
    problems.push(`${path} is left out: it has ${size} bytes, and at most ${MAX_BYTES} are read.`)
  } catch (error) {
    problems.push(`${path} is left out: it cannot be read (${wordsOf(error)}).`)
  }
  return null
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
