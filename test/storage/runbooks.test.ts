import { expect, test } from 'vitest'
import type { RunbookChunk, RunbookQuery } from '../../agent/domain/runbook.ts'
import { createRunbookStore } from '../../storage/runbooks.ts'
import { describeDatabases } from '../support/database.ts'

const chunk = (file: string, said: Partial<RunbookChunk> = {}): RunbookChunk => ({
  ...{ file, anchor: 'act', title: file, heading: 'Act', body: 'Do it.', services: [], alerts: [], classes: [] },
  ...said,
})
const query = (said: Partial<RunbookQuery>): RunbookQuery => ({ words: [], services: [], alerts: [], classes: [], limit: 3, ...said })

const BOOKS = [
  chunk('crash.md', {
    anchor: 'signs',
    heading: 'What it looks like',
    body: 'It exits.',
    classes: ['crash_on_start'],
    alerts: ['CrashLoop'],
  }),
  chunk('crash.md', {
    anchor: 'back',
    heading: 'Rolling back',
    body: 'Go back to what ran before.',
    classes: ['crash_on_start'],
    alerts: ['CrashLoop'],
  }),
  chunk('certificate.md', { title: 'Certificates', body: 'Renew the certificate at the door.', classes: ['certificate_expiring'] }),
  chunk('cache.md', { title: 'Caches', body: 'Warm the cache before traffic comes.', services: ['inventory'] }),
]

describeDatabases('runbooks', (store) => {
  const database = store.perTest()
  const cited = async (said: Partial<RunbookQuery>): Promise<string[]> =>
    (await createRunbookStore({ db: database().db }).search(query(said))).map(({ file, anchor }) => `${file}#${anchor}`)

  test('are found by what they are for and by their words, one part of each', async () => {
    await createRunbookStore({ db: database().db }).replace(BOOKS)
    expect(await cited({ classes: ['crash_on_start'], words: ['roll', 'back'] })).toEqual(['crash.md#back'])
    expect(await cited({ alerts: ['CrashLoop'] })).toEqual(['crash.md#signs'])
    expect(await cited({ words: ['renewing', 'certificates'] })).toEqual(['certificate.md#act'])
    expect(await cited({ words: ['caching'], services: ['inventory'] })).toEqual(['cache.md#act'])
    expect(await cited({ words: ['elephants'] })).toEqual([])
    expect(await cited({})).toEqual([])
  })

  test('whatever is looked for, it is text', async () => {
    await createRunbookStore({ db: database().db }).replace(BOOKS)
    for (const words of [
      ["'; drop table runbook_chunk; --"],
      ['-cache', '"', '!', '&|:*<->'],
      ['\u0000\ud800'],
      Array(500).fill('x'.repeat(5_000)),
    ])
      expect(await cited({ words, alerts: words, services: words })).toEqual(words[0] === '-cache' ? ['cache.md#act'] : [])
    expect(await cited({ classes: ['crash_on_start'], limit: 1e9 })).toHaveLength(1)
  })

  test('are replaced as a whole, also by two at once, and never without end', async () => {
    const runbooks = createRunbookStore({ db: database().db })
    await runbooks.replace(BOOKS)
    await Promise.all([runbooks.replace(BOOKS.slice(2)), runbooks.replace(BOOKS.slice(2))])
    expect(await cited({ classes: ['crash_on_start'] })).toEqual([])
    await runbooks.replace(
      Array.from({ length: 5_200 }, (_, i) => chunk(`${i}.md`, { body: `\u0000${'b'.repeat(9_000)}`, classes: ['disk_full'] })),
    )
    const { count } = await database()
      .db.selectFrom('runbook_chunk')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow()
    expect(count).toBe(5_000)
  })
})
