import type { EvidenceItem } from '../domain/evidence.ts'
import type { Hypothesis } from '../domain/hypothesis.ts'
import type { Candidate } from './candidate.ts'
import { createCitationCheck } from './citations.ts'
import { confidenceOf } from './confidence.ts'
import type { Facts } from './facts.ts'
import { rankCauses } from './rank-causes.ts'

/** Evidence to hypotheses: ranked, every statement checked against what it cites, each with its confidence and its parts. Pure. */
export function diagnose(facts: Facts, evidence: readonly EvidenceItem[]): Hypothesis[] {
  const check = createCitationCheck(evidence, new Set([...facts.graph.services, ...facts.services.keys()]))
  const hypotheses = rankCauses(facts).map((candidate) => toHypothesis(candidate, evidence, check))
  return hypotheses.toSorted((a, b) => b.confidence - a.confidence).map((hypothesis, index) => ({ rank: index + 1, ...hypothesis }))
}

function toHypothesis(
  candidate: Candidate,
  evidence: readonly EvidenceItem[],
  check: ReturnType<typeof createCitationCheck>,
): Omit<Hypothesis, 'rank'> {
  const claims = candidate.claims.map(check)
  const against = candidate.against.map(check)
  return {
    class: candidate.class,
    component: candidate.component,
    ...confidenceOf({ candidate, claims, against, evidence }),
    claims,
    against,
    unknown: candidate.unknown,
    since: candidate.since,
  }
}
