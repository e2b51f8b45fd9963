import { type Kysely, sql } from 'kysely'
import type { CatalogEntry } from '../../../agent/actions/catalog.ts'
import type { ExecutorDeps } from '../../../agent/actions/executor.ts'
import { stepOf } from '../../../agent/actions/recheck.ts'
import { createLeases } from '../../../storage/leases.ts'
import type { Database } from '../../../storage/schema.ts'

/*
 * Kernels and executors that are wrong on purpose: a harness that lets one of them pass proves nothing.
 */

/** `resends`: recovery makes the call again. `retries`: a call without an answer is repeated, past the rule of one `sent`. `no-journal`: effects
 * without their line. `silent`: endings without notice. `no-quorum`: one click is enough. `calls-first`: `sent` is not committed before the call.
 * `believes-at-once`: what a probe does not see at once is called not applied. `unfenced`: an old epoch may write. */
export const BREAKS = ['resends', 'retries', 'no-journal', 'silent', 'no-quorum', 'calls-first', 'believes-at-once', 'unfenced'] as const
export type Break = (typeof BREAKS)[number]

const IN_DATABASE: Partial<Record<Break, readonly string[]>> = {
  retries: [
    'drop index if exists one_sent_ever',
    'alter table execution_edge disable trigger user',
    "insert into execution_edge values ('sent', 'sent') on conflict do nothing",
  ],
  silent: ['drop trigger if exists tells on execution_event'],
  'no-quorum': ["create or replace function standing_approvals(r uuid) returns int language sql stable as 'select 9'"],
  unfenced: ["create or replace function fence(wanted bigint) returns void language plpgsql as 'begin end'"],
}

export async function breakDatabase(db: Kysely<Database>, how: Break): Promise<void> {
  for (const statement of IN_DATABASE[how] ?? []) await sql.raw(statement).execute(db)
}

export function breakExecutor(deps: ExecutorDeps, how: Break, db: Kysely<Database>): ExecutorDeps {
  if (how === 'no-journal') return { ...deps, journal: { ...deps.journal, append: async () => {} } }
  if (how === 'calls-first') return { ...deps, kernel: { ...deps.kernel, advance: skipping('sent', deps.kernel.advance) } }
  if (how === 'retries') return withEffect(deps, (entry) => retrying(entry, deps, db))
  if (how === 'believes-at-once') return withDefinition(deps)
  return deps
}

function skipping(state: string, advance: ExecutorDeps['kernel']['advance']): ExecutorDeps['kernel']['advance'] {
  return async (executionId, to, epoch, detail) => {
    if (to !== state) await advance(executionId, to, epoch, detail)
  }
}

function withEffect(deps: ExecutorDeps, change: (entry: CatalogEntry) => CatalogEntry): ExecutorDeps {
  const find: ExecutorDeps['catalog']['find'] = (kind, version) => {
    const entry = deps.catalog.find(kind, version)
    return entry && change(entry)
  }
  return { ...deps, catalog: { ...deps.catalog, find } }
}

function retrying(entry: CatalogEntry, { kernel }: ExecutorDeps, db: Kysely<Database>): CatalogEntry {
  const effect: CatalogEntry['action']['effect'] = async (step, executionId, signal) => {
    try {
      return await entry.action.effect(step, executionId, signal)
    } catch {
      const lease = await createLeases({ db }).current('executor')
      await kernel.advance(executionId, 'sent', lease?.epoch ?? 0, {})
      return await entry.action.effect(step, executionId, signal)
    }
  }
  return { ...entry, action: { ...entry.action, effect } }
}

function withDefinition(deps: ExecutorDeps): ExecutorDeps {
  return withEffect(deps, (entry) => ({
    ...entry,
    action: {
      ...entry.action,
      definition: { ...entry.action.definition, probeHorizonSeconds: 0 },
      probe: async () => 'not-applied',
    },
  }))
}

/** The recovery of `resends`: before anything else, whatever was sent and has no answer is sent again. */
export async function resend({ kernel, catalog }: ExecutorDeps): Promise<void> {
  for (const { executionId, state, plan } of await kernel.unfinished()) {
    const entry = catalog.find(plan.plan.action.kind, plan.plan.action.version)
    if (state === 'sent' || state === 'unknown') await entry?.action.effect(stepOf(plan.plan), executionId, AbortSignal.timeout(5_000))
  }
}
