import { statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { CommandFailed } from './failure.ts'

/**
 * Where a command writes: the file or folder that was named, or this folder. In a folder the file gets the given name.
 *
 * @throws CommandFailed when something is there already, or the folder is not
 */
export function newFile(word: string | undefined, name: string): string {
  const path = resolve(word ?? '.')
  if (isFolder(path)) return newFile(join(path, name), name)
  if (statSync(path, { throwIfNoEntry: false }))
    throw new CommandFailed(`${path} exists already, and nothing is overwritten. Name another file.`)
  if (!isFolder(dirname(path))) throw new CommandFailed(`There is no folder ${dirname(path)}. Make it, or name another one.`)
  return path
}

/** '2026-03-01T12-00-00Z' */
export function fileTime(at: Date): string {
  return `${at.toISOString().slice(0, 19).replaceAll(':', '-')}Z`
}

/** Writes what a server answers to a new file that only its owner can read. @throws CommandFailed when it breaks off */
export async function saveDownload(path: string, answer: AsyncIterable<Uint8Array>): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    for await (const chunk of answer) await file.writeFile(chunk)
    await file.sync()
  } catch (error) {
    if (error instanceof TypeError) throw new CommandFailed(`The server broke off in the middle (${error.message}). Try again.`)
    throw error
  } finally {
    await file.close()
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}
