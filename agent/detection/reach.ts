import type { IntegrationFault } from '../../integrations/errors.ts'
import type { Answer, WarningLog } from '../investigation/ask-source.ts'

export type WatchLog = WarningLog & { info(object: object, message: string): void }

/** Which environments can be read at present. One that cannot is left for the rest of the round, and the operator is told once. */
export interface Reach {
  /** A new round: every environment is asked again. */
  begin(): void
  isAway(environment: string): boolean
  /** After each answer; `part` names what was asked for, such as a metric. */
  heard(environment: string, part: string, answer: Answer<unknown>): void
}

/** What one question met here, every other question would meet. */
const OF_THE_SOURCE: readonly (IntegrationFault | null)[] = ['unavailable', 'auth', 'rate_limited']
/** So many failures without an answer between are not the questions' fault. */
const FAILURES_IN_A_ROW = 8

export function createReach(what: 'metrics' | 'logs', log: WatchLog): Reach {
  const away = new Set<string>()
  const told = new Set<string>()
  const toldParts = new Set<string>()
  const inARow = new Map<string, number>()
  return {
    begin: () => away.clear(),
    isAway: (environment) => away.has(environment),
    heard(environment, part, answer) {
      if (answer.ok) {
        inARow.delete(environment)
        if (told.delete(environment)) log.info({ environment, what }, 'an environment can be watched again')
        return
      }
      const failures = (inARow.get(environment) ?? 0) + 1
      inARow.set(environment, failures)
      const { words } = answer
      if (OF_THE_SOURCE.includes(answer.fault) || failures >= FAILURES_IN_A_ROW) {
        away.add(environment)
        if (!told.has(environment)) log.warn({ environment, what, words }, 'an environment cannot be watched')
        told.add(environment)
        return
      }
      const key = `${environment}/${part}`
      if (!toldParts.has(key)) log.warn({ environment, what, part, words }, 'something cannot be watched; it is asked less often')
      toldParts.add(key)
    },
  }
}
