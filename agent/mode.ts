import type { EffectJournal } from './actions/effect-journal.ts'
import { journalAhead } from './actions/effect-journal.ts'
import type { AcceptedEffects, AuditReport, AuditStore, ExecutionKernel, JournalEntry, PeopleStore } from './ports.ts'

/** One thing that keeps Steadyhand from acting. */
export interface Reason {
  about: 'configuration' | 'people' | 'journal' | 'audit' | 'cards' | 'clock' | 'storage' | 'start'
  words: string
}

/** Whether Steadyhand may act, decided by its own state; nothing here is ever assumed to be well. */
export interface SelfCheck {
  /** Runs every check afresh; a report that was just made is not made again. Returns the reasons to only observe; empty means that it may act. */
  run(report?: AuditReport): Promise<readonly Reason[]>
  /** The reasons of the last run; before the first run there is one. */
  reasons(): readonly Reason[]
}

export interface SelfCheckDeps {
  /** Reasons the configuration gives: an unreadable policy, no signing secret … */
  configured(): readonly string[]
  journal: EffectJournal
  kernel: Pick<ExecutionKernel, 'sentExecutions'>
  acceptedEffects: Pick<AcceptedEffects, 'list'>
  people: Pick<PeopleStore, 'list'>
  audit: Pick<AuditStore, 'verify' | 'serverTime'>
  /** False for a process that may not read all that the proof looks at: those that take votes and that act prove. */
  provesAudit?: boolean
  /** Cards whose plan renders differently than when it was approved, one sentence each. */
  changedCards(): Promise<readonly string[]>
  /** Writes something small everywhere that has to be written to before anything runs; rejects when that fails. */
  tryToWrite(): Promise<void>
  now: () => Date
}

/** Clocks that are further apart make deadlines on cards and windows of verification untrue. */
const CLOCKS_APART_MS = 5_000

export function createSelfCheck(deps: SelfCheckDeps): SelfCheck {
  let reasons: readonly Reason[] = [{ about: 'start', words: 'the first self-check has not run yet' }]
  return {
    reasons: () => reasons,
    async run(report) {
      const found = await Promise.all([
        check('people', 'the people could not be read', async () => await approvers(deps)),
        check('journal', 'the effect journal could not be compared', async () => await journal(deps)),
        check('audit', 'the audit log could not be verified', async () =>
          deps.provesAudit === false ? [] : auditWords(report ?? (await deps.audit.verify({ since: 'last' }))),
        ),
        check('cards', 'the cards could not be rendered again', deps.changedCards),
        check('storage', 'nothing can be stored', async () => {
          await deps.tryToWrite()
          return []
        }),
        check('clock', "the database's clock could not be read", async () => await clocks(deps)),
      ])
      reasons = [...deps.configured().map((words): Reason => ({ about: 'configuration', words })), ...found.flat()]
      return reasons
    },
  }
}

async function approvers({ people }: SelfCheckDeps): Promise<readonly string[]> {
  const all = await people.list()
  const mayApprove = all.some(({ active, roles }) => active && (roles.includes('approver') || roles.includes('admin')))
  return mayApprove ? [] : ['nobody holds the approver role, so nothing can be approved']
}

/** What the effect journal knows, the database does not, and nobody has taken over yet. */
export async function effectGap({
  journal,
  kernel,
  acceptedEffects,
}: Pick<SelfCheckDeps, 'journal' | 'kernel' | 'acceptedEffects'>): Promise<JournalEntry[]> {
  const [entries, sent, accepted] = await Promise.all([journal.entries(), kernel.sentExecutions(), acceptedEffects.list()])
  return journalAhead(entries, [...sent, ...accepted])
}

async function journal(deps: SelfCheckDeps): Promise<readonly string[]> {
  const ahead = await effectGap(deps)
  const [first] = ahead
  if (first === undefined) return []
  return [
    `the effect journal knows ${ahead.length} effect(s) that the database does not (first: plan ${first.planId} on ${first.resource} at ${first.at}): the database is older than what was done. Start with a matching database, or look at what was done and take it over on the host: steadyhand admin accept-gap`,
  ]
}

function auditWords({ ok, violations }: AuditReport): readonly string[] {
  if (ok) return []
  return [`the audit log does not verify: ${violations[0]}${violations.length > 1 ? ` (and ${violations.length - 1} more)` : ''}`]
}

async function clocks({ audit, now }: SelfCheckDeps): Promise<readonly string[]> {
  const asked = now().getTime()
  const server = await audit.serverTime()
  const aheadMs = server.getTime() - (asked + now().getTime()) / 2
  if (Math.abs(aheadMs) <= CLOCKS_APART_MS) return []
  const seconds = Math.round(Math.abs(aheadMs) / 1_000)
  return [
    `the database's clock is ${seconds} s ${aheadMs > 0 ? 'ahead of' : 'behind'} this machine's, so deadlines and measurements would not mean what the cards say. Set both by NTP`,
  ]
}

/** A check that cannot run has not passed. */
async function check(about: Reason['about'], failed: string, run: () => Promise<readonly string[]>): Promise<Reason[]> {
  try {
    return (await run()).map((words) => ({ about, words }))
  } catch (error) {
    return [{ about, words: `${failed}: ${error instanceof Error ? error.message : String(error)}` }]
  }
}
