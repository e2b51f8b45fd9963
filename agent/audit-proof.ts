import type { SelfCheck } from './mode.ts'
import type { AuditReport, AuditStore } from './ports.ts'

/** What a proof found, and when it began. */
export interface Proved {
  report: AuditReport
  at: Date
}

export interface AuditProof {
  /** Looks now. */
  fresh(): Promise<Proved>
  /** What was found less than a minute ago, by whoever looked; else it looks now. */
  recent(): Promise<Proved>
}

/** A whole proof reads the whole log in one transaction: whoever may only read must not be able to keep the database busy with it. */
const RECENT_MS = 60_000

export function createAuditProof({
  audit,
  selfCheck,
  now,
}: {
  audit: Pick<AuditStore, 'verify'>
  selfCheck: Pick<SelfCheck, 'run'>
  now: () => Date
}): AuditProof {
  let last: Proved | null = null
  let looking: Promise<Proved> | null = null
  const look = async (): Promise<Proved> => {
    const at = now()
    const report = await audit.verify()
    const others = (await selfCheck.run(report)).filter(({ about }) => about === 'journal' || about === 'cards')
    const violations = [...report.violations, ...others.map(({ words }) => words)]
    last = { report: { ...report, ok: violations.length === 0, violations }, at }
    return last
  }
  return {
    fresh: look,
    async recent() {
      const age = last === null ? Number.POSITIVE_INFINITY : now().getTime() - last.at.getTime()
      if (last !== null && age >= 0 && age < RECENT_MS) return last
      looking ??= look().finally(() => {
        looking = null
      })
      return await looking
    },
  }
}
