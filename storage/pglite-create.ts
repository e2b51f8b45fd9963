import { openPgliteFolder } from './pglite-open.ts'

/*
 * A program of its own: creates an empty database in the folder named by its argument, and ends. Run by ensurePgliteFolder.
 */

const [, , folder] = process.argv
if (!folder) throw new Error('usage: pglite-create.ts FOLDER')

const say = (words: string): void => void process.stderr.write(`${words}\n`)

try {
  const database = await openPgliteFolder(folder, say)
  await database.close()
} catch (error) {
  say(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
}
