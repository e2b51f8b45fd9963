import { sql } from 'kysely'
import type { Executor } from '../schema.ts'
import type { BackupHeader } from './format.ts'

/** What a restore ended, so that nothing approved before it is carried out. */
export interface Ended {
  /** Requests that waited for people, or were approved and claimed by nobody. */
  requests: number
  /** Executions that were begun and had sent nothing when the backup was made. */
  executions: number
}

/** Beyond any epoch that a process could still hold which runs on the database that was replaced. */
const EPOCHS_ON = 1_000_000

/**
 * Writes the restore into the audit log and ends what waited when the backup was made; each ending has its notice. What was sent by then is settled
 * by the next start, as after a crash: the target is asked, nothing is sent again.
 */
export async function settleRestored(tx: Executor, { takenAt, audit, sha256 }: BackupHeader): Promise<Ended> {
  await sql`insert into restoration (taken_at, entries, head, sha256) values (${takenAt}, ${audit.entries}, ${audit.head}, ${sha256})`.execute(
    tx,
  )
  await sql`delete from app_meta where key = 'audit-verified'`.execute(tx)
  await sql`update lease set holder = 'restore', epoch = epoch + ${sql.lit(EPOCHS_ON)}, expires_at = clk() + interval '5 minutes'`.execute(
    tx,
  )
  const taken = `${takenAt.slice(0, 16).replace('T', ' ')} UTC`
  const after = 'What ran after that backup is in the effect journal.'
  const words = `The database was restored from the backup of ${taken}. Nothing approved before is carried out; ask for a fresh plan. ${after}`
  const executions = await sql`
    insert into execution_event (execution_id, seq, from_state, to_state, epoch, detail)
    select x.id, (select count(*) + 1 from execution_event e where e.execution_id = x.id), x.state, 'aborted', l.epoch,
      jsonb_build_object('reason', 'restored', 'words', ${`It was the backup of ${taken}. ${after}`}::text)
    from execution x cross join lease l where l.name = 'executor' and x.state in ('claimed', 'intent')`.execute(tx)
  const requests = await sql`
    update request set state = 'cancelled', decided_by = 'host', reason = ${words}
    where state in ('pending', 'authorised') and not exists (select 1 from execution x where x.plan_id = request.plan_id)`.execute(tx)
  await sql`update lease set expires_at = clk()`.execute(tx)
  return { requests: Number(requests.numAffectedRows), executions: Number(executions.numAffectedRows) }
}
