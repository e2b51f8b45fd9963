import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import type { EffectJournal, JournalEntry } from '../agent/ports.ts'
import { jsonOrNull } from './text-lines.ts'

const entrySchema = z.object({
  executionId: z.uuid(),
  planId: z.uuid(),
  digest: z.string().length(64),
  resource: z.string(),
  at: z.string(),
})

/** The journal holds a line that is no entry: somebody or something wrote into it. */
export class JournalDamaged extends Error {
  override readonly name = 'JournalDamaged'
  readonly code = 'journal-damaged'
}

/** As much as some entries need, so that the last free bytes do not count as room. */
const PROBE_BYTES = 16_384

/** The effect journal as JSON lines in `effects.jsonl`, each synced to disk before `append` resolves. */
export async function openEffectJournal(directory: string): Promise<EffectJournal & { path: string }> {
  const path = join(directory, 'effects.jsonl')
  await mkdir(dirname(path), { recursive: true })
  let line: Promise<void> = Promise.resolve()
  /** A crash, or a disk that filled up, may have left half a line behind. */
  let mayBeTorn = true
  return {
    path,
    append(entry) {
      const write = async (): Promise<void> => {
        if (mayBeTorn) await endTornLine(path)
        mayBeTorn = true
        await writeLine(path, entry)
        mayBeTorn = false
      }
      // One that failed told its own caller; the next one is tried all the same.
      line = line.then(write, write)
      return line
    },
    async entries() {
      return parseJournal(await readText(path))
    },
    async tryToWrite() {
      const probe = `${path}.probe`
      try {
        await writeFile(probe, Buffer.alloc(PROBE_BYTES), { flush: true })
      } finally {
        await rm(probe, { force: true })
      }
    },
  }
}

/** A crash may have torn the last line: without its newline it never was an entry, and its effect was never made. */
function parseJournal(text: string): JournalEntry[] {
  const complete = text.slice(0, text.lastIndexOf('\n') + 1)
  return complete
    .split('\n')
    .filter((row) => row !== '')
    .map((row, index) => {
      const parsed = entrySchema.safeParse(jsonOrNull(row))
      if (!parsed.success)
        throw new JournalDamaged(`line ${index + 1} of the effect journal is not an entry; keep the file and compare it with the audit log`)
      return parsed.data
    })
}

/** Cuts a torn last line off, so that the next entry begins on a line of its own. */
async function endTornLine(path: string): Promise<void> {
  const text = await readText(path)
  if (text === '' || text.endsWith('\n')) return
  const file = await open(path, 'r+')
  try {
    await file.truncate(Buffer.byteLength(text.slice(0, text.lastIndexOf('\n') + 1)))
    await file.datasync()
  } finally {
    await file.close()
  }
}

async function writeLine(path: string, entry: JournalEntry): Promise<void> {
  const file = await open(path, 'a', 0o600)
  try {
    await file.appendFile(`${JSON.stringify(entry)}\n`)
    await file.datasync()
  } finally {
    await file.close()
  }
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return ''
    throw error
  }
}
