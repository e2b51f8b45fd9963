/** Kinds of data that can be told to a model, as the settings name them. */
export const DATA_KINDS = ['alerts', 'metrics', 'logs', 'traces', 'changes', 'code', 'workloads', 'topology', 'runbooks'] as const
export type DataKind = (typeof DATA_KINDS)[number]

/** What a provider is told where nobody says: the source of programs leaves the house only where somebody says so. */
export const USUALLY_TOLD: readonly DataKind[] = DATA_KINDS.filter((kind) => kind !== 'code')

const OUTSIDE = 'outside-'

/** What a server of somebody else answered, by what kind of data it is: a kind of its own, because no rule reads it as what was measured or logged here. */
export function outsideKind(kind: DataKind): string {
  return `${OUTSIDE}${kind}`
}

export function isOutside(evidenceKind: string): boolean {
  return evidenceKind.startsWith(OUTSIDE)
}

/** What each kind of evidence is, for that purpose. A kind that is not named here is told to nobody. */
const KIND_OF_EVIDENCE: ReadonlyMap<string, DataKind> = new Map([
  ['alerts', 'alerts'],
  ['metrics', 'metrics'],
  ['symptom', 'metrics'],
  ['ranking', 'metrics'],
  ['logs', 'logs'],
  ['traces', 'traces'],
  ['changes', 'changes'],
  ['commits', 'code'],
  ['workload', 'workloads'],
  ['cluster', 'workloads'],
  ['topology', 'topology'],
  ['runbook', 'runbooks'],
  ...DATA_KINDS.map((kind) => [outsideKind(kind), kind] as const),
])

/** Null for a kind that is told to nobody. */
export function dataKindOf(evidenceKind: string): DataKind | null {
  return KIND_OF_EVIDENCE.get(evidenceKind) ?? null
}

export function mayTell(evidenceKind: string, allowed: ReadonlySet<DataKind>): boolean {
  const kind = dataKindOf(evidenceKind)
  return kind !== null && allowed.has(kind)
}
