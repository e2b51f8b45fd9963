import type { EffectJournal } from './actions/effect-journal.ts'
import { journalAhead } from './actions/effect-journal.ts'
import type { AuditReport, AuditStore, ExecutionKernel, PeopleStore } from './ports.ts'

/** One thing that keeps Steadyhand from acting. */
export interface Reason {
  about: 'configuration' | 'people' | 'journal' | 'audit' | 'cards' | 'clock' | 'start'
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
  people: Pick<PeopleStore, 'list'>
  audit: Pick<AuditStore, 'verify' | 'serverTime'>
  /** Cards whose plan renders differently than when it was approved, one sentence each. */
  changedCards(): Promise<readonly string[]>
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
          auditWords(report ?? (await deps.audit.verify({ since: 'last' }))),
        ),
        check('cards', 'the cards could not be rendered again', deps.changedCards),
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

async function journal(deps: SelfCheckDeps): Promise<readonly string[]> {
  const ahead = journalAhead(await deps.journal.entries(), await deps.kernel.sentExecutions())
  if (ahead.length === 0) return []
  return [
    `the effect journal knows ${ahead.length} effect(s) that the database does not (first: plan ${ahead[0]?.planId}): the database looks restored from before them. Compare both, then start with a matching database`,
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
