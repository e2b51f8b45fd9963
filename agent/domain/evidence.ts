import { isOutside } from './model-data.ts'

/** How far a source can be trusted: an outsider can write a log line, but not a metric's value. */
export type TrustTier = 'metric' | 'platform' | 'log' | 'chat'

/** One stored result of one read-only question. Claims cite it by id; a citation is valid only if the number or name occurs in `content`. */
export interface EvidenceItem {
  id: string
  incidentId: string
  /** Short label cited on cards: 'E1', 'E2' … in order of collection. */
  label: string
  /** What was asked: 'metrics', 'logs', 'traces', 'changes', 'commits', 'workload', 'cluster', 'topology'; 'outside-logs' and the like of a server of somebody else; or 'ranking', which is worked out of those. */
  kind: string
  source: string
  trust: TrustTier
  status: 'ok' | 'empty' | 'failed' | 'denied'
  /** One plain sentence with the numbers that matter. */
  summary: string
  /** The question in the source's own language. */
  query: string
  from: Date
  to: Date
  /** Where a person can see the same thing; null when the source has no page. */
  link: string | null
  /** The whole (bounded) result, JSON. */
  content: unknown
  /** SHA-256 of the stored content's JSON, hex. */
  hash: string
  collectedAt: Date
}

/** What is shown of an item where its content is not. */
export type EvidenceSummary = Omit<EvidenceItem, 'content'>

export type NewEvidence = Omit<EvidenceItem, 'id' | 'incidentId' | 'label' | 'hash' | 'collectedAt'>

/** Whether a source was asked for it. What is worked out of other evidence answers no question, and is no source of its own. */
export function isAsked({ kind }: Pick<EvidenceItem, 'kind'>): boolean {
  return kind !== 'ranking'
}

/** What is read from the same place is one source. All that servers of somebody else say is one together: nobody here knows who of them copies whom. */
export function independentSource({ kind, source }: Pick<EvidenceItem, 'kind' | 'source'>): string {
  return isOutside(kind) ? 'outside' : `${source} ${independentKind(kind)}`
}

/** The kind alone, of what is read from the same place: the symptom and the other metrics, the state of a cluster and of one workload in it, a change and its commits. */
export function independentKind(kind: string): string {
  if (kind === 'symptom') return 'metrics'
  if (kind === 'commits') return 'changes'
  return kind === 'cluster' ? 'workload' : kind
}
