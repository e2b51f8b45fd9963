import type { Candidate, Statement } from './candidate.ts'

/** One candidate for each cause: where two rules see the same class in the same place, the surer one, with what both say. Pure. */
export function mergeCauses(candidates: readonly Candidate[]): Candidate[] {
  const byCause = Map.groupBy(candidates, (candidate) => `${candidate.class} ${candidate.component}`)
  return [...byCause.values()].map((same) => {
    const [surest, ...others] = same.toSorted((a, b) => b.score - a.score) as [Candidate, ...Candidate[]]
    return others.reduce(withSaid, surest)
  })
}

function withSaid(surer: Candidate, other: Candidate): Candidate {
  return {
    ...surer,
    since: surer.since ?? other.since,
    claims: joined(surer.claims, other.claims),
    against: joined(surer.against, other.against),
    unknown: [...new Set([...surer.unknown, ...other.unknown])],
  }
}

function joined(first: readonly Statement[], second: readonly Statement[]): Statement[] {
  return [...first, ...second.filter(({ text }) => !first.some((each) => each.text === text))]
}
