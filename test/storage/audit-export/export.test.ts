import { generateKeyPairSync } from 'node:crypto'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { sql } from 'kysely'
import { beforeAll, describe, expect, test } from 'vitest'
import { entryHash, exportEndSchema, exportEntrySchema } from '../../../storage/audit-export/format.ts'
import { keyOf, verifyAuditExport } from '../../../storage/audit-export/verify.ts'
import { publicKeyText, writeAuditExport } from '../../../storage/audit-export/write.ts'
import { filesOfSuite } from '../../support/backup.ts'
import { describeDatabases } from '../../support/database.ts'
import { createKernel, seed } from '../../support/kernel.ts'
import { behind } from '../../support/kernel-sql.ts'

/** Fixed, so that a failure can be run again. */
const SEED = 20_260_301
const key = generateKeyPairSync('ed25519').privateKey
const origin = { key, product: '0.0.0-test', exportedAt: new Date('2026-03-01T12:00:00Z') }

describeDatabases('an export of the audit log', (store) => {
  const database = store.perSuite()
  const file = filesOfSuite()
  let whole = ''
  let lines: string[] = []

  beforeAll(async () => {
    await seed(database().db)
    const kernel = createKernel(database())
    await sql`insert into principal (id, kind, name) values ('emil', 'human', 'Émil "x|y" 🚨')`.execute(database().db)
    await kernel.carryOut({}, 'intent', 'sent', 'succeeded', 'verified')
    whole = await written(0)
    lines = readFileSync(whole, 'utf8').split('\n').slice(0, -1)
  })

  async function written(since: number): Promise<string> {
    const path = file('export.jsonl')
    await writeAuditExport(database(), path, { ...origin, since })
    return path
  }
  const verify = async (text: string, by: string | null = publicKeyText(key)) => {
    const path = file('changed.jsonl')
    writeFileSync(path, text)
    return await verifyAuditExport(path, by === null ? null : keyOf(by))
  }
  const textOf = (all: readonly string[]): string => all.map((line) => `${line}\n`).join('')

  test('verifies with nothing but itself, by the key that is known, to the head of the log', async () => {
    const { rows } = await sql<{ seq: number; hash: string }>`select seq, hash from audit_entry order by seq desc limit 1`.execute(
      database().db,
    )
    expect(await verifyAuditExport(whole, keyOf(publicKeyText(key)))).toEqual({
      ok: true,
      problems: [],
      entries: rows[0]?.seq,
      from: 1,
      to: rows[0]?.seq,
      head: rows[0]?.hash,
      publicKey: publicKeyText(key),
      exportedAt: origin.exportedAt.toISOString(),
    })
    expect(statSync(whole).mode & 0o777).toBe(0o600)
  })

  test('a part goes on where the one before it ended', async () => {
    const report = await verifyAuditExport(await written(10), null)
    expect(report).toMatchObject({ ok: true, from: 11, entries: lines.length - 12 })
    const none = await verifyAuditExport(await written(lines.length - 2), null)
    expect(none).toMatchObject({ ok: true, from: null, entries: 0, head: report.head })
    await expect(written(lines.length - 1)).rejects.toThrow(`The audit log has no entry ${lines.length - 1}`)
  })

  test('of a log of several pages that has gaps holds every entry once, and says where they are', async () => {
    const scratch = await store.open()
    const missing = [1, 700, 1_000, 1_500]
    const path = file('gaps.jsonl')
    try {
      await behind(scratch.db, async (tx) => {
        await sql`delete from audit_entry`.execute(tx)
        await sql`insert into audit_entry (seq, prev, hash, at, actor, what, body)
          select n, encode(sha256(int4send(n - 1)), 'hex'), encode(sha256(int4send(n)), 'hex'), now(), 'ada', 'vote-written', '{}'
          from generate_series(1, 2500) n where n not in (${sql.join(missing)})`.execute(tx)
      })
      await writeAuditExport(scratch, path, { ...origin, since: 0 })
    } finally {
      await scratch.close()
    }
    const [, ...rows] = readFileSync(path, 'utf8').split('\n').slice(0, -1)
    const end = rows.pop()
    const expected = Array.from({ length: 2_500 }, (_, index) => index + 1).filter((seq) => !missing.includes(seq))
    expect(rows.map((row) => exportEntrySchema.parse(JSON.parse(row)).seq)).toEqual(expected)
    expect(exportEndSchema.parse(JSON.parse(end ?? '')).end.entries).toBe(expected.length)
    expect((await verifyAuditExport(path, null)).problems[0]).toBe('line 2: entry 2 stands where 1 belongs')
  })

  describe('that was tampered with', () => {
    const position = fc.nat({ max: 10_000 })
    const changed = fc.oneof(
      fc.record({ how: fc.constant('change' as const), at: position, column: position, to: fc.constantFrom('x', '0', '"', ' ', '9', 'é') }),
      fc.record({ how: fc.constant('drop' as const), at: position }),
      fc.record({ how: fc.constant('swap' as const), at: position, with: position }),
      fc.record({ how: fc.constant('repeat' as const), at: position }),
      fc.record({ how: fc.constant('truncate' as const), bytes: position }),
    )
    type Change = typeof changed extends fc.Arbitrary<infer T> ? T : never

    function tamper(change: Change): string {
      const all = [...lines]
      const at = 'at' in change ? change.at % all.length : 0
      const line = all[at] ?? ''
      if (change.how === 'change') {
        const column = change.column % line.length
        all[at] = `${line.slice(0, column)}${change.to}${line.slice(column + 1)}`
      } else if (change.how === 'drop') all.splice(at, 1)
      else if (change.how === 'repeat') all.splice(at, 0, line)
      else if (change.how === 'swap') {
        const other = change.with % all.length
        all[at] = all[other] ?? ''
        all[other] = line
      } else return textOf(all).slice(0, -1 - (change.bytes % (textOf(all).length - 1)))
      return textOf(all)
    }

    test('a line that is changed, dropped, moved or repeated, and a file that was cut off, is found', async () => {
      const original = textOf(lines)
      await fc.assert(
        fc.asyncProperty(changed, async (change) => {
          const text = tamper(change)
          fc.pre(text !== original)
          const { ok, problems } = await verify(text)
          expect([ok, problems.length > 0]).toEqual([false, true])
        }),
        { seed: SEED, numRuns: 150 },
      )
    })

    test('it says which', async () => {
      expect((await verify(textOf([...lines.slice(0, 5), ...lines.slice(6)]))).problems).toContain('line 6: entry 6 stands where 5 belongs')
      const other = lines.map((line, index) => (index === 7 ? line.replace('"actor":"', '"actor":"x') : line))
      expect((await verify(textOf(other))).problems).toContain('line 8: entry 7 was changed: its hash is not that of what it says')
      expect((await verify(textOf(lines.slice(0, -1)))).problems).toEqual(['its end is missing: it was cut off'])
      expect((await verify('')).problems).toEqual(['it is empty'])
      expect((await verify('{}\n')).problems).toEqual([
        'it is no export of an audit log: name a file that "steadyhand audit export" has written',
      ])
      expect((await verify(textOf(['{"format":"steadyhand-audit","version":2}']))).problems[0]).toContain('written by a newer Steadyhand')
    })

    test('all hashes made anew and signed by somebody else: only who knows the key finds it', async () => {
      const path = file('forged.jsonl')
      const other = generateKeyPairSync('ed25519').privateKey
      await writeAuditExport(database(), path, { ...origin, key: other, since: 0 })
      expect((await verifyAuditExport(path, null)).ok).toBe(true)
      expect((await verifyAuditExport(path, keyOf(publicKeyText(key)))).problems).toEqual([
        'its signature is not by the key that was given',
      ])
    })
  })

  test('hashes as the database does, whatever the text', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'grapheme', maxLength: 20 }),
        fc.string({ unit: 'grapheme', maxLength: 20 }),
        async (actor, what) => {
          fc.pre(!`${actor}${what}`.includes('\u0000') && `${actor}${what}`.isWellFormed())
          const entry = { prev: 'a'.repeat(64), seq: 7, at: '2026-03-01T12:00:00.123456', actor, what, body: '{"a": 1}' }
          const { rows } = await sql<{ hash: string }>`
          select audit_hash(${entry.prev}, 7, '2026-03-01T12:00:00.123456Z', ${actor}, ${what}, '{"a":1}') as hash`.execute(database().db)
          expect(entryHash(entry)).toBe(rows[0]?.hash)
        },
      ),
      { seed: SEED, numRuns: 60 },
    )
  })
})
