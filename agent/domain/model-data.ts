/** Kinds of data that can be told to a model, as the settings name them. */
export const DATA_KINDS = ['alerts', 'metrics', 'logs', 'changes', 'workloads', 'topology', 'runbooks'] as const
export type DataKind = (typeof DATA_KINDS)[number]

/** What each kind of evidence is, for that purpose. A kind that is not named here is told to nobody. */
const KIND_OF_EVIDENCE: ReadonlyMap<string, DataKind> = new Map([
  ['alerts', 'alerts'],
  ['metrics', 'metrics'],
  ['symptom', 'metrics'],
  ['logs', 'logs'],
  ['changes', 'changes'],
  ['workload', 'workloads'],
  ['topology', 'topology'],
  ['runbook', 'runbooks'],
])

export function mayTell(evidenceKind: string, allowed: ReadonlySet<DataKind>): boolean {
  const kind = KIND_OF_EVIDENCE.get(evidenceKind)
  return kind !== undefined && allowed.has(kind)
}
