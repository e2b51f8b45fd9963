import type { Alert } from '../domain/alert.ts'
import type { Severity } from '../domain/incident.ts'
import type { Reach } from '../topology/blast-radius.ts'

/** What a severity may depend on. Text never is: an alert that calls itself a catastrophe is still what its level and its reach say. */
export interface SeverityFacts {
  level: Alert['level']
  /** Who feels it; null when that is not known. */
  reach: Reach | null
}

/** A level nobody stated counts like a critical one. */
const BASE: Readonly<Record<NonNullable<Alert['level']> | 'unknown', Severity>> = { critical: 2, high: 3, warning: 3, info: 4, unknown: 2 }

/** Severity by rule: the alert's level, raised by one where users feel it, most services do, or nobody can tell who does. */
export function severityOf({ level, reach }: SeverityFacts): { severity: Severity; reason: string } {
  const base = BASE[level ?? 'unknown']
  const levelWords = level === null ? 'level not stated, so it counts as critical' : `level ${level}`
  if (!reach) return { severity: raise(base), reason: `${levelWords}; who depends on it is unknown, which counts worse` }
  const spread = `it and what calls it: ${reach.affected} of ${reach.total} services`
  if (level === 'warning' || level === 'info') return { severity: base, reason: `${levelWords}; ${spread}` }
  if (reach.frontDoors.length > 0)
    return { severity: raise(base), reason: `${levelWords}; users feel it through ${reach.frontDoors.join(', ')}; ${spread}` }
  if (reach.affected * 2 >= reach.total) return { severity: raise(base), reason: `${levelWords}; ${spread}` }
  return { severity: base, reason: `${levelWords}; ${spread}` }
}

function raise(severity: Severity): Severity {
  return severity === 1 ? 1 : ((severity - 1) as Severity)
}
