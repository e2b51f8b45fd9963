import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CheckedBackup } from '../../../storage/backup/read.ts'
import { type Restored, restore } from '../../../storage/backup/restore.ts'
import { type OpenDatabase, openDatabase } from '../../../storage/database.ts'
import { backUp, filesOfSuite } from '../../support/backup.ts'
import { describeDatabases, type TestDatabase } from '../../support/database.ts'
import { type Asked, createKernel, type Kernel, seed, verified } from '../../support/kernel.ts'
import { outcomeOf } from '../../support/kernel-sql.ts'

const now = (): Date => new Date()
const PLACES = { pending: 'payments', authorised: 'checkout', claimed: 'inventory', sent: 'storefront', verified: 'search', undo: 'cart' }

describeDatabases('a backup, restored', (store) => {
  const file = filesOfSuite()
  let source: TestDatabase
  let made: { [moment in keyof typeof PLACES]: Asked & { executionId: string } }
  let backup: CheckedBackup
  let done: Restored
  let target: { database: OpenDatabase; kernel: Kernel }
  let targetUrl: string | null = null
  let close = async (): Promise<void> => {}
  let drop = async (): Promise<void> => {}
  let dataDir = ''

  beforeAll(async () => {
    source = await store.open()
    await seed(source.db)
    const kernel = createKernel(source)
    const at = (moment: keyof typeof PLACES, incident: number) => ({ incident: `inc-${incident}`, target: { name: PLACES[moment] } })
    const none = { executionId: '' }
    made = {
      pending: { ...(await kernel.propose(at('pending', 1))), ...none },
      authorised: { ...(await kernel.authorise(at('authorised', 2))), ...none },
      claimed: await kernel.carryOut(at('claimed', 3)),
      sent: await kernel.carryOut(at('sent', 4), 'intent', 'sent'),
      verified: await kernel.carryOut(at('verified', 5), 'intent', 'sent', 'succeeded', 'verified'),
      undo: await kernel.carryOut(at('undo', 6), 'intent', 'sent', 'succeeded', 'failed'),
    }
    await kernel.control.stop('env:x', 'ada')
    await kernel.control.freeze({ scope: 'env:x', from: now(), to: new Date(now().getTime() + 60_000), reason: 'x', by: 'rex' })
    await sql`insert into inbox (source, delivery_key, body) values ('generic', 'k"{},\\', '\\x00ff0a')`.execute(source.db)
    await sql`insert into app_meta (key, value) values ('nothing', 'null'), ('text', '"\\u2028 ä \\\\n"')`.execute(source.db)
    backup = await backUp(source, file('whole'))
    dataDir = file('data')
    if (store.kind === 'postgres') {
      const empty = await store.open({ migrated: false })
      targetUrl = empty.url
      // The connection that made sure it is there would count as a process that uses it.
      await sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = ${new URL(targetUrl ?? '').pathname.slice(1)}`.execute(
        source.db,
      )
      drop = empty.close
    }
    done = await restore({ file: backup.path, dataDir, databaseUrl: targetUrl, replace: false, now })
    const database = await openDatabase({ dataDir, databaseUrl: targetUrl ?? undefined, now })
    target = { database, kernel: createKernel(database) }
    close = async () => {
      close = async () => {}
      await database.close()
    }
    const lease = await sql<{ epoch: number }>`
      update lease set holder = 'test', epoch = epoch + 1, expires_at = clk() + interval '1 day' where name = 'executor' returning epoch`.execute(
      database.db,
    )
    target.kernel.epoch = lease.rows[0]?.epoch ?? 0
  }, 120_000)
  afterAll(async () => {
    await close()
    await drop()
    await source?.close()
  })

  const stateOf = async (moment: keyof typeof PLACES) => (await target.kernel.approvals.approval(made[moment].requestId))?.requestState

  test('holds the same rows in every table, apart from what a restore writes', async () => {
    const tables = [
      'inbox',
      'app_meta',
      'plan',
      'vote',
      'presentation',
      'principal',
      'identity_link',
      'role_grant',
      'incident',
      'authorisation',
    ] as const
    for (const table of tables) {
      const rows = async (db: OpenDatabase['db']) => {
        const query = sql<{ row: string }>`select to_jsonb(t)::text as row from ${sql.table(table)} t order by 1`
        return (await query.execute(db)).rows
      }
      expect([table, await rows(target.database.db)]).toEqual([table, await rows(source.db)])
    }
    expect(done.backup.rows).toBeGreaterThan(100)
  })

  test('verifies, from the first entry to the restore, and says what it did', async () => {
    await verified(target.kernel)
    expect(done.audit).toMatchObject({ ok: true, violations: [] })
    expect(done.audit.entries).toBeGreaterThan(backup.header.audit.entries)
    expect(done.aside).toBe(null)
    const { rows } = await sql`select entries, head, sha256, by_whom from restoration order by id desc limit 1`.execute(target.database.db)
    expect(rows).toEqual([{ ...backup.header.audit, sha256: backup.header.sha256, by_whom: 'host' }])
  })

  test('numbers go on where they stood', async () => {
    const last = async (db: OpenDatabase['db']) =>
      (await sql<{ id: number }>`select max(id) as id from outbox`.execute(db)).rows[0]?.id ?? 0
    const before = await last(target.database.db)
    expect(before).toBeGreaterThan(await last(source.db))
    await sql`insert into outbox (dedupe, topic, body) values ('next', 'page', '{}')`.execute(target.database.db)
    expect(await last(target.database.db)).toBeGreaterThan(before)
  })

  test('what waited for people is cancelled with a notice, and a click on it is refused', async () => {
    expect(await stateOf('pending')).toBe('cancelled')
    expect(await outcomeOf(target.kernel.click(made.pending, 'ada'))).toBe('refused cancelled')
    const { rows } = await sql`select 1 from outbox where dedupe = ${`notice:request:${made.pending.requestId}:cancelled`}`.execute(
      target.database.db,
    )
    expect(rows).toHaveLength(1)
  })

  test('what was approved and not begun is cancelled, and comes to no intent', async () => {
    expect(await stateOf('authorised')).toBe('cancelled')
    const [waiting] = (await target.kernel.executions.claimable(10)).filter(({ planId }) => planId === made.authorised.parent.plan.id)
    const { executionId } = await target.kernel.executions.claim(waiting?.authorisationId ?? '', target.kernel.epoch)
    expect(await outcomeOf(target.kernel.advance(executionId, 'intent'))).toBe('refused cancelled')
    await target.kernel.advance(executionId, 'aborted', { reason: 'cancelled' })
  })

  test('what was claimed is aborted, with words', async () => {
    const approval = await target.kernel.approvals.approval(made.claimed.requestId)
    expect(approval?.execution?.events.at(-1)).toMatchObject({
      state: 'aborted',
      detail: { reason: 'restored', words: expect.stringContaining('the backup of') },
    })
  })

  test('what was sent is still to be settled and is not sent again', async () => {
    const found = (await target.kernel.executions.unfinished()).find(({ executionId }) => executionId === made.sent.executionId)
    expect(found?.state).toBe('sent')
    expect(await outcomeOf(target.kernel.advance(made.sent.executionId, 'sent'))).not.toBe('done')
    expect(await stateOf('verified')).toBe('authorised')
  })

  test('the undo of an older click is not carried out', async () => {
    await target.kernel.later(65)
    const undo = await target.kernel.executions.claim(
      await target.kernel.executions.authoriseUndo(made.undo.executionId),
      target.kernel.epoch,
    )
    expect(await outcomeOf(target.kernel.advance(undo.executionId, 'intent'))).toBe('refused restored')
    await target.kernel.advance(undo.executionId, 'aborted', { reason: 'restored' })
    await verified(target.kernel)
  })

  describe('where something is already', () => {
    const again = (replace: boolean) => restore({ file: backup.path, dataDir, databaseUrl: targetUrl, replace, now })

    test('nothing is restored while it is used', async () => {
      await expect(again(true)).rejects.toThrow(store.kind === 'pglite' ? /is in use by process/ : /is connected to the database/)
    })

    test('nothing is replaced unless that is asked for, and then what was there is kept', async () => {
      await close()
      await expect(again(false)).rejects.toThrow(/already\. With --replace it is put aside, not deleted\./)
      const { aside } = await again(true)
      if (store.kind === 'pglite') {
        expect(
          readdirSync(dataDir)
            .filter((name) => name.startsWith('pglite'))
            .sort(),
        ).toEqual(['pglite', aside?.split('/').at(-1)])
        expect(readFileSync(join(aside ?? '', 'PG_VERSION'), 'utf8')).toMatch(/^\d+/)
      }
      const database = await openDatabase({ dataDir, databaseUrl: targetUrl ?? undefined, now })
      try {
        await verified(createKernel(database))
        if (store.kind === 'postgres') {
          const { rows } = await sql<{
            n: number
          }>`select count(*) as n from ${sql.table(`${aside?.replace('the schema ', '')}.audit_entry`)}`.execute(database.db)
          expect(rows[0]?.n).toBeGreaterThan(backup.header.audit.entries)
        }
      } finally {
        await database.close()
      }
    })
  })
})
