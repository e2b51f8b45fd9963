import { sql } from 'kysely'
import type { JournalEntry } from '../../../agent/ports.ts'
import { createAuditStore } from '../../../storage/audit.ts'
import { type LedgerLine, readLedger } from '../../support/fake-cloud/ledger.ts'
import { type Ack, readAcks } from './acks.ts'
import type { World } from './world.ts'

export interface ExecutionFact {
  id: string
  planId: string
  digest: string
  /** The plan's canonical bytes. */
  canonical: string
  /** The plan whose click covers it: its own, or its parent's. */
  rootPlanId: string
  state: string
  /** States in the order in which they were reached. */
  events: string[]
  terminal: boolean
}

/** Everything that was written down anywhere about what happened. */
export interface Facts {
  /** Violations that the product's own checkers found. */
  violations: string[]
  executions: ExecutionFact[]
  requests: { id: string; planId: string; state: string; needed: number; digest: string }[]
  votes: { requestId: string; planId: string; digest: string; person: string; decision: string }[]
  /** Authorised, never claimed, and not ended otherwise. */
  unclaimed: string[]
  notices: string[]
  journal: readonly JournalEntry[]
  ledger: LedgerLine[]
  acks: Ack[]
}

/** Of an authorisation `a`: nobody claimed it, and it has not ended otherwise, by its time or because its undo lapsed; those ends are told. */
export const STILL_TO_CLAIM = `not exists (select 1 from execution x where x.authorisation_id = a.id)
  and not exists (select 1 from request r where r.id = a.request_id and r.state = 'expired')
  and not exists (select 1 from undo_waived w where w.execution_id = a.parent_execution_id)`

/** Collects them; `ledger` and `acks` are paths of files. Without `proof` the product's own checkers are left out. */
export async function collectFacts(world: World, files: { ledger: string; acks: string }, proof = true): Promise<Facts> {
  const { db } = world.database
  const rows = async <T>(query: string): Promise<T[]> => (await sql.raw<T>(query).execute(db)).rows
  const violations = proof ? (await createAuditStore({ db }).verify()).violations : []
  return {
    violations,
    executions: await rows(`
      select x.id, x.plan_id as "planId", x.digest, p.canonical, coalesce(p.undo_of, p.id) as "rootPlanId", x.state, s.terminal,
        (select jsonb_agg(e.to_state order by e.seq) from execution_event e where e.execution_id = x.id) as events
      from execution x join plan p on p.id = x.plan_id join execution_state s on s.name = x.state`),
    requests: await rows('select r.id, r.plan_id as "planId", r.state, p.needed, p.digest from request r join plan p on p.id = r.plan_id'),
    votes: await rows('select request_id as "requestId", plan_id as "planId", digest, principal_id as person, decision from vote'),
    unclaimed: (await rows<{ id: string }>(`select a.id from authorisation a where ${STILL_TO_CLAIM}`)).map(({ id }) => id),
    notices: (await rows<{ dedupe: string }>("select dedupe from outbox where topic = 'notice'")).map(({ dedupe }) => dedupe),
    journal: await world.journal.entries(),
    ledger: readLedger(files.ledger),
    acks: readAcks(files.acks),
  }
}
