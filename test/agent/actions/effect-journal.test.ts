import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type JournalEntry, journalAhead } from '../../../agent/actions/effect-journal.ts'
import { JournalDamaged, openEffectJournal } from '../../../storage/effect-journal.ts'

const entry = (n: number): JournalEntry => ({
  executionId: `00000000-0000-4000-8000-00000000000${n}`,
  planId: `00000000-0000-4000-9000-00000000000${n}`,
  digest: String(n).repeat(64),
  resource: 'fake/local/service/payments',
  at: '2026-03-01T03:00:00.000Z',
})

describe('the effect journal', () => {
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'steadyhand-journal-'))
  })
  afterEach(async () => await rm(directory, { recursive: true, force: true }))

  it('can be tried whether it could be written, and leaves nothing behind', async () => {
    const journal = await openEffectJournal(directory)
    await journal.append(entry(1))
    await journal.tryToWrite()
    expect(await readdir(directory)).toEqual(['effects.jsonl'])
    await rm(directory, { recursive: true })
    await expect(journal.tryToWrite()).rejects.toThrow('ENOENT')
  })

  it('keeps entries in order, over reopening', async () => {
    const journal = await openEffectJournal(directory)
    await Promise.all([journal.append(entry(1)), journal.append(entry(2))])
    const again = await openEffectJournal(directory)
    await again.append(entry(3))
    expect(await again.entries()).toEqual([entry(1), entry(2), entry(3)])
  })

  it('drops a last line that a crash tore, and goes on after it', async () => {
    const journal = await openEffectJournal(directory)
    await journal.append(entry(1))
    await appendFile(journal.path, '{"executionId":"0000')
    const again = await openEffectJournal(directory)
    await again.append(entry(2))
    expect(await again.entries()).toEqual([entry(1), entry(2)])
  })

  it('says so when a line in the middle is no entry', async () => {
    const journal = await openEffectJournal(directory)
    await journal.append(entry(1))
    await writeFile(journal.path, `not an entry\n${await readFile(journal.path, 'utf8')}`)
    await expect(journal.entries()).rejects.toThrow(JournalDamaged)
  })

  it('rejects when the line cannot be written, and works again afterwards', async () => {
    const journal = await openEffectJournal(directory)
    await rm(directory, { recursive: true })
    await expect(journal.append(entry(1))).rejects.toThrow('ENOENT')
  })

  it('goes on after a line that could only be written in part', async () => {
    const journal = await openEffectJournal(directory)
    await journal.append(entry(1))
    await rm(journal.path)
    await mkdir(journal.path)
    await expect(journal.append(entry(2))).rejects.toThrow('EISDIR')
    await rm(journal.path, { recursive: true })
    await writeFile(journal.path, `${JSON.stringify(entry(1))}\n{"executionId":"0000`)
    await journal.append(entry(3))
    expect(await journal.entries()).toEqual([entry(1), entry(3)])
  })

  it('is left as it is by whoever only reads it', async () => {
    const journal = await openEffectJournal(directory)
    await writeFile(journal.path, `${JSON.stringify(entry(1))}\n{"executionId":"0000`)
    expect(await (await openEffectJournal(directory)).entries()).toEqual([entry(1)])
    expect(await readFile(journal.path, 'utf8')).toMatch(/"0000$/)
  })

  it('is ahead of a database that does not know an effect', () => {
    const sent = [{ planId: entry(1).planId, digest: entry(1).digest }]
    expect(journalAhead([entry(1)], sent)).toEqual([])
    expect(journalAhead([entry(1), entry(2)], sent)).toEqual([entry(2)])
    expect(journalAhead([{ ...entry(1), digest: 'f'.repeat(64) }], sent)).toHaveLength(1)
  })
})
