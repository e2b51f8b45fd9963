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
  /** Looks now, a few times a minute; after that it tells what was found less than a minute ago. */
  recent(): Promise<Proved>
}

/** A whole proof reads the whole log in one transaction: whoever may only read must not be able to keep the database busy with it. */
const RECENT_MS = 60_000
/** Who verifies, changes something and verifies again has to see it. */
const LOOKS_A_MINUTE = 6

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
  let asked: number[] = []
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
      const moment = now().getTime()
      const isRecent = (at: number): boolean => moment >= at && moment - at < RECENT_MS
      asked = asked.filter(isRecent)
      if (last !== null && isRecent(last.at.getTime()) && asked.length >= LOOKS_A_MINUTE) return last
      if (looking) return await looking
      asked.push(moment)
      looking = look().finally(() => {
        looking = null
      })
      return await looking
    },
  }
}
