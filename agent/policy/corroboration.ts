import { type EvidenceItem, type EvidenceSummary, independentSource, isAsked } from '../domain/evidence.ts'
import type { Hypothesis } from '../domain/hypothesis.ts'

const NOT_WRITABLE_BY_OUTSIDERS: readonly EvidenceItem['trust'][] = ['metric', 'platform']

/**
 * Whether a diagnosis rests on enough to act on: at least two independent sources among what its supported claims cite, at least one of them
 * out of an outsider's reach. Log text alone, however often it is repeated, never suffices.
 */
export function isCorroborated(hypothesis: Pick<Hypothesis, 'claims'>, evidence: readonly EvidenceSummary[]): boolean {
  const cited = new Set(hypothesis.claims.filter(({ supported }) => supported).flatMap(({ cites }) => cites))
  // What a repository says of a change is no other witness than the change.
  const isWitness = ({ kind }: EvidenceSummary): boolean => isAsked({ kind }) && kind !== 'commits'
  const items = evidence.filter((item) => cited.has(item.label) && item.status === 'ok' && isWitness(item))
  const sources = new Set(items.map(independentSource))
  return sources.size >= 2 && items.some(({ trust }) => NOT_WRITABLE_BY_OUTSIDERS.includes(trust))
}
