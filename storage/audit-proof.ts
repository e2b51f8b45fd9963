import { type Kysely, sql } from 'kysely'
import { z } from 'zod'
import type { AuditReport, AuditStore } from '../agent/ports.ts'
import { createAppMeta } from './app-meta.ts'
import {
  AUDITED,
  CHECKERS,
  chainFrom,
  EVERYTHING,
  GENESIS,
  plansSince,
  rowsAgainstChain,
  rowsSince,
  type Within,
  withinPlans,
} from './invariants.ts'
import type { Database, Executor } from './schema.ts'

/** As many violations of one kind as a person would read. */
const SHOWN = 20
const VERIFIED = 'audit-verified'
const CHAIN_CLAIM = 'invariant 9: The chain can be recomputed from its first row, without a gap.'
const ROWS_CLAIM = 'invariant 9: rows are as the chain says.'

/** How far the log was verified without a violation, and when all of it was. */
const verifiedSchema = z.object({ seq: z.int().min(0), hash: z.string().regex(/^[0-9a-f]{64}$/), wholeAt: z.iso.datetime() })
type Verified = z.infer<typeof verifiedSchema>

/** Tables that say who may what. */
const OF_PEOPLE: readonly string[] = ['role_grant', 'identity_link', 'power_change', 'power_confirmation', 'policy_activation']

type Mode = 'whole' | 'last'

/**
 * The proof. Since the last one it looks at new entries and at what they speak of; then its cost is that of what is new, not of the whole log. It
 * is whole all the same the first time in a process, a day after the last whole one, and after any violation, so that none is forgotten.
 */
export function createAuditProof({ db }: { db: Kysely<Database> }): AuditStore['verify'] {
  const meta = createAppMeta({ db })
  const running = new Map<Mode, Promise<AuditReport>>()
  let wholeHere = false

  const whole = async (): Promise<AuditReport> => {
    const { report, at } = await inOneView(db, proveAll)
    await keep(report, at)
    wholeHere = true
    return report
  }
  const keep = async (report: AuditReport, wholeAt: string): Promise<void> => {
    if (report.ok) await meta.set(VERIFIED, { seq: report.entries, hash: report.head, wholeAt } satisfies Verified)
    else await meta.remove(VERIFIED)
  }
  const sinceLast = async (): Promise<AuditReport> => {
    const last = verifiedSchema.safeParse(await meta.get(VERIFIED))
    if (!last.success || !wholeHere) return await whole()
    const found = await inOneView(db, async (tx) => await proveSince(tx, last.data))
    if (found === 'whole is due') return await whole()
    await keep(found, last.data.wholeAt)
    return found
  }

  return async ({ since } = {}) => {
    const wanted: Mode = since === 'last' ? 'last' : 'whole'
    const shared = running.get('whole') ?? running.get(wanted)
    if (shared) return await shared
    const run = (wanted === 'last' ? sinceLast() : whole()).finally(() => running.delete(wanted))
    running.set(wanted, run)
    return await run
  }
}

/** Everything a proof reads is of one moment. */
async function inOneView<T>(db: Kysely<Database>, work: (tx: Executor) => Promise<T>): Promise<T> {
  return await db
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute(async (tx) => {
      // Row digests were made in UTC.
      await sql`set local timezone to 'UTC'`.execute(tx)
      return await work(tx)
    })
}

/** The whole proof over what a transaction sees; `at` is when. */
export async function proveAll(tx: Executor): Promise<{ report: AuditReport; at: string }> {
  const violations = await invariants(tx, EVERYTHING)
  for (const [table, key] of Object.entries(AUDITED)) violations.push(...(await runChecker(tx, rowsAgainstChain(table, key), ROWS_CLAIM)))
  const { rows } = await sql<{ at: Date }>`select clk() as at`.execute(tx)
  return { report: await reportOf(tx, violations), at: (rows[0]?.at ?? new Date(0)).toISOString() }
}

async function proveSince(tx: Executor, last: Verified): Promise<AuditReport | 'whole is due'> {
  const { rows } = await sql<{ due: boolean }>`
    select abs(extract(epoch from clk() - ${last.wholeAt}::timestamptz)) > 86400 as due`.execute(tx)
  if (rows[0]?.due !== false) return 'whole is due'
  const violations = await knownHead(tx, last)
  violations.push(...(await runChecker(tx, chainFrom(last.seq, last.hash), CHAIN_CLAIM)))
  const fresh = await sql<{ name: string }>`
    select distinct split_part(what, '-', 1) as name from audit_entry where seq > ${last.seq}`.execute(tx)
  for (const { name } of fresh.rows) {
    const key = AUDITED[name]
    if (key) violations.push(...(await runChecker(tx, rowsSince(name, key, last.seq), ROWS_CLAIM)))
  }
  const plans = await sql.raw<{ id: string }>(plansSince(last.seq)).execute(tx)
  if (plans.rows.length > 0) violations.push(...(await invariants(tx, withinPlans(plans.rows.map(({ id }) => id)))))
  if (fresh.rows.some(({ name }) => OF_PEOPLE.includes(name))) violations.push(...(await invariants(tx, EVERYTHING, 'people')))
  return await reportOf(tx, violations)
}

/** The entry at which the last proof ended is still there, as it was: else the log was cut or written anew. */
async function knownHead(tx: Executor, { seq, hash }: Verified): Promise<string[]> {
  if (seq === 0) return []
  const entry = await tx.selectFrom('audit_entry').select('hash').where('seq', '=', seq).executeTakeFirst()
  return entry?.hash === hash ? [] : [`${CHAIN_CLAIM} ${seq} ${entry ? 'is another entry' : 'is gone'}, though it was verified before`]
}

async function invariants(tx: Executor, within: Within, only?: 'people'): Promise<string[]> {
  const violations: string[] = []
  for (const { invariant, claim, sql: query, of } of CHECKERS) {
    if (only ? of !== only : of && within !== EVERYTHING) continue
    violations.push(...(await runChecker(tx, query(within), `invariant ${invariant}: ${claim}`)))
  }
  return violations
}

async function reportOf(tx: Executor, violations: string[]): Promise<AuditReport> {
  const head = await tx.selectFrom('audit_entry').select(['seq', 'hash']).orderBy('seq', 'desc').limit(1).executeTakeFirst()
  return { ok: violations.length === 0, violations, entries: head?.seq ?? 0, head: head?.hash ?? GENESIS }
}

/** One sentence for each row that a checker's query returns. */
export async function runChecker(db: Executor, query: string, heading: string): Promise<string[]> {
  const { rows } = await sql.raw<{ subject: string; words: string }>(query).execute(db)
  const shown = rows.slice(0, SHOWN).map(({ subject, words }) => `${heading} ${subject} ${words}`)
  return rows.length > SHOWN ? [...shown, `${heading} and ${rows.length - SHOWN} more`] : shown
}
