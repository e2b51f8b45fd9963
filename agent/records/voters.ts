import { type Approval, AT_A_GLANCE_SECONDS } from '../domain/approval.ts'

/** How one person decides: what is said yes to each time within seconds is not read. */
export interface Voter {
  person: string
  name: string
  votes: number
  approved: number
  /** Votes within `AT_A_GLANCE_SECONDS` of their card. */
  atAGlance: number
  /** Seconds from the card to the click, in the middle. */
  medianSeconds: number
}

const MOST_SHOWN = 50

/** Who decided how much of these requests, whoever decided most first. */
export function votersOf(requests: readonly Pick<Approval, 'createdAt' | 'votes'>[]): Voter[] {
  const cast = requests.flatMap(({ createdAt, votes }) =>
    votes.map((vote) => ({ ...vote, after: Math.max(0, (vote.at.getTime() - createdAt.getTime()) / 1_000) })),
  )
  return [...Map.groupBy(cast, ({ person }) => person)]
    .map(([person, own]): Voter => {
      const waits = own.map(({ after }) => after).toSorted((a, b) => a - b)
      return {
        person,
        name: own[0]?.personName ?? person,
        votes: own.length,
        approved: own.filter(({ decision }) => decision === 'approve').length,
        atAGlance: waits.filter((wait) => wait < AT_A_GLANCE_SECONDS).length,
        medianSeconds: waits[Math.ceil(waits.length / 2) - 1] ?? 0,
      }
    })
    .toSorted((a, b) => b.votes - a.votes || a.name.localeCompare(b.name))
    .slice(0, MOST_SHOWN)
}
